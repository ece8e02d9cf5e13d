"""What the monitor tells, brought into one form: counts by route, method and status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from .serving import Connection, Count, Site, until

DURATION = "http_server_request_duration_seconds"


def counted(told: Mapping[str, Any]) -> Count:
    """The counts in the JSON; all of its sums agree with them."""
    found: Count = Counter()
    for row in told["endpoints"]:
        for status, count in row["statuses"].items():
            found[row["route"], row["method"], status] += count
        assert row["count"] == sum(row["statuses"].values())
        assert row["errors"] == sum(n for status, n in row["statuses"].items() if status >= "500")
    requests = told["requests"]
    assert requests["total"] == found.total() == told["performance"]["response_times"]["total_requests"]
    by_class: Counter[str] = Counter()
    for (_, _, status), count in found.items():
        by_class[f"{status[0]}xx"] += count
    assert Counter(requests["by_status_class"]) == by_class
    assert requests["errors"] == by_class["5xx"]
    return found


def exposed(text: str) -> Count:
    """The counts in the Prometheus text; the buckets of each series grow up to its count."""
    counts: Count = Counter()
    last: dict[tuple[str, str, str], float] = {}
    most: dict[tuple[str, str, str], float] = {}
    (family,) = [one for one in text_string_to_metric_families(text) if one.name == DURATION]
    assert family.type == "histogram"
    for sample in family.samples:
        labels = sample.labels
        key = labels["http_route"], labels["http_request_method"], labels["http_response_status_code"]
        if sample.name == f"{DURATION}_count":
            counts[key] = int(sample.value)
        elif sample.name == f"{DURATION}_bucket":
            assert sample.value >= last.get(key, 0.0), sample
            last[key] = sample.value
            if labels["le"] == "+Inf":
                most[key] = sample.value
    assert counts == most
    return counts


def settled(served: Site, expected: int | None = None, on: Connection | None = None) -> dict[str, Any]:
    """The figures once nothing is in flight, and so many are counted.

    A request is counted when its response is closed, which its client may overtake.
    """
    wanted = served.sent.total() if expected is None else expected
    told: list[dict[str, Any]] = []

    def still() -> bool:
        told[:] = [served.stats(on)]
        return told[0]["requests"]["in_flight"] == 0 and told[0]["requests"]["total"] >= wanted

    until(still, otherwise=lambda: (wanted, told[0]["requests"], difference(counted(told[0]), served.sent)))
    return told[0]


def difference(found: Count, expected: Count) -> dict[tuple[str, str, str], int]:
    """By how much counts are off; empty where they agree."""
    return {key: n for key in {*found, *expected} if (n := found[key] - expected[key])}


def agreed(served: Site) -> dict[str, Any]:
    """The figures of all workers, which tell the same, as JSON and as Prometheus text, of what was sent."""
    workers = served.one_each()
    settled(served)
    told: list[dict[str, Any]] = []

    def same_turn() -> bool:
        # A turn of the sampler may come between two of them, and bring up an alert.
        told[:] = [served.stats(on) for on in workers.values()]
        return all(each["alert_journal"] == told[0]["alert_journal"] for each in told)

    until(same_turn)
    for each in told:
        assert difference(counted(each), served.sent) == {}
        assert each["scope"] == told[0]["scope"]
        assert each["scope"]["shared"]
        assert stable(each) == stable(told[0])
    for on in workers.values():
        assert difference(exposed(served.metrics(on)), served.sent) == {}
    return told[0]


def stable(told: Mapping[str, Any]) -> dict[str, Any]:
    """What doesn't change while nothing but the monitor's own pages is asked for."""
    requests = {name: value for name, value in told["requests"].items() if name != "stats_requests"}
    kept = (
        "performance",
        "endpoints",
        "errors",
        "slowest",
        "traffic",
        "overflow",
        "respawns",
        "alert_journal",
    )
    found = {name: told[name] for name in kept}
    found["performance"] = {**found["performance"], "system": None}
    return {**found, "requests": requests}
