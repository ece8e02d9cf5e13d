"""Alerts: soon, the same from every worker, and told once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.monitor.alerting.receiver import OK, Receiver, receiving, saying

from .serving import Connection, Site, kill, site, until

WINDOW = 10
#: Seconds for which a machine may be too busy for the sampler, besides the one between two of its turns.
SLACK = 4.0
RULES = [{"metric": "error_rate", "threshold": 50, "severity": "critical"}]
#: What a busy machine may bring up as well.
OTHERS_OFF = [
    {"metric": metric, "threshold": 100, "for_seconds": 86_400}
    for metric in ("response_time", "p95", "memory", "cpu", "saturation")
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(saying(OK)) as receiver:
        yield receiver


def watched(state: Path, receiver: Receiver, model: str) -> Any:
    return site(
        state,
        model=model,
        alert_rules=[*RULES, *OTHERS_OFF],
        alert_window=WINDOW,
        alert_minimum=5,
        alert_webhook=receiver.url,
    )


def told_by_all(workers: dict[int, Connection], served: Site) -> tuple[list[Any], list[Any]]:
    """Alerts and journal, which are the same from each worker."""
    said: list[tuple[Any, Any]] = []

    def agree() -> bool:
        told = [served.stats(on) for on in workers.values()]
        # A turn of the sampler may come between two of them: the value changes with it.
        said[:] = [(each["alerts"], each["alert_journal"]) for each in told]
        return all(each == said[0] for each in said)

    until(agree, otherwise=lambda: said)
    return said[0]


def fail(served: Site, times: int) -> None:
    """So many requests with a status of an error."""
    for _ in range(times):
        assert served.ask("/status/503").status == 503


@pytest.mark.parametrize("model", ["gthread", "gevent"])
def test_an_alert_fires_and_clears_once(tmp_path: Path, receiver: Receiver, model: str) -> None:
    with watched(tmp_path, receiver, model) as served:
        workers = served.one_each()
        some = next(iter(workers.values()))
        until(lambda: served.stats(some)["system"]["sampled"])
        # All that `one_each` asked for has to leave the window, or too few of all fail.
        until(lambda: served.stats(some)["recent"]["requests"] and quiet(served, some))
        fail(served, 4)
        time.sleep(1.5)  # of too few, nothing fires
        assert served.stats(some)["alerts"] == []
        assert receiver.requests == []
        fail(served, 1)
        met = time.time()
        until(lambda: receiver.requests, otherwise=lambda: served.stats(some))
        delivered = time.time() - met
        (alert,), (fired,) = told_by_all(workers, served)
        print(f"fired {alert['since'] - met:.3f} s after, delivered {delivered:.3f} s after")
        assert alert["since"] - met <= 1.0 + SLACK
        assert (alert["metric"], alert["severity"], alert["value"]) == ("error_rate", "critical", 100.0)
        assert served.stats(some)["status"] == "critical"
        until(lambda: served.stats(some)["alerts"] == [], otherwise=lambda: served.stats(some)["alerts"])
        cleared = until(lambda: served.stats(some)["alert_journal"][0])
        print(f"cleared {cleared['at'] - met:.3f} s after the last error")
        assert WINDOW - 1 <= cleared["at"] - met <= WINDOW + 1 + SLACK
        until(lambda: len(receiver.requests) == 2)
        assert told_by_all(workers, served) == ([], [cleared, fired])
        assert cleared["id"] == fired["id"] == alert["id"]
        assert told_once(receiver) == [("fired", alert["id"]), ("cleared", alert["id"])]


def quiet(served: Site, on: Connection) -> bool:
    """Whether nobody asked for anything within the window."""
    told = served.stats(on)
    seconds = told["timeline"]["seconds"]
    last = [seconds[f"{n}xx"][-WINDOW - 1 :] for n in range(1, 6)]
    return not any(map(any, last))


def told_once(receiver: Receiver) -> list[tuple[str, str]]:
    assert len({one.body["delivery"] for one in receiver.requests}) == len(receiver.requests)
    return [(one.body["event"], one.body["id"]) for one in receiver.requests]


@pytest.mark.parametrize("model", ["gthread", "gevent"])
def test_a_sampler_that_is_killed_is_succeeded(tmp_path: Path, receiver: Receiver, model: str) -> None:
    """Within two seconds; who was told of an alert isn't told again, but of its end."""
    with watched(tmp_path, receiver, model) as served:
        workers = served.one_each()
        until(lambda: fail(served, 5) or receiver.requests, otherwise=lambda: served.stats()["recent"])
        (alert,), _ = told_by_all(workers, served)
        for _ in range(2):
            # After a whole turn with what was delivered on the board.
            sampled = served.stats()["system"]["sampled"]
            until(lambda sampled=sampled: served.stats()["system"]["sampled"] > sampled)
            sampler = served.stats()["system"]["sampler_pid"]
            kill(sampler)
            killed = time.time()
            workers.pop(sampler)
            some = next(iter(workers.values()))

            def succeeded(some: Connection = some, sampler: int = sampler) -> Any:
                # The errors go on, or the window may end meanwhile.
                assert served.ask("/status/503", on=some).status == 503
                system = served.stats(some)["system"]
                return system["sampler_pid"] != sampler and system

            system = until(succeeded)
            print(f"another took over {system['sampled'] - killed:.3f} s after")
            assert system["sampled"] - killed <= 2.0 + SLACK
            fail(served, 5)
            ((same,), _) = told_by_all(workers, served)
            assert same["id"] == alert["id"]
        until(lambda: len(receiver.requests) == 2)
        until(lambda: served.stats(some)["alerts"] == [], otherwise=lambda: served.stats(some)["alerts"])
        assert told_once(receiver) == [("fired", alert["id"]), ("cleared", alert["id"])]
