"""Servers without threads to spare: one request at a time, and greenlets."""

import importlib.util
import time
from contextlib import contextmanager

import pytest

from .serving import Site, asking, body_of, burst, site, until


@contextmanager
def running(state, *arguments, **more):
    served = Site(state, *arguments, **more)
    try:
        served.wait_until_ready()
        yield served
    finally:
        served.stop()


def test_without_threads_the_refresh_follows_the_last_byte(tmp_path):
    """The visitor has the whole answer before the refresh has begun, which then is there for the next one."""
    page = "/page"
    target = f"{page}?cc=max-age%3D60,stale-while-revalidate%3D60&gate=x"
    with running(tmp_path, "--worker-class=sync") as served:
        served.open("x")
        served.ask(target)
        served.purge("prefix", page, soft=True)
        (tmp_path / "gate-x").unlink()
        answer = served.ask(target)
        assert answer.complete
        assert (answer.get("X-Call"), answer.content) == ("1", body_of(page))
        until(lambda: served.calls(page) == 2)  # in the worker's only thread: its gate is shut still
        served.open("x")
        answer = served.ask(target)
        assert answer.get("X-Call") == "2"
        assert "; hit" in answer.get("Cache-Status")
        assert served.calls(page) == 2


@pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="gevent is not installed")
@pytest.mark.parametrize("store", ["memory", "file", "redis"])
@pytest.mark.parametrize("arguments", [[], ["--preload"]], ids=["", "preloaded"])
def test_waiting_greenlets_leave_the_loop_alone(tmp_path, options_for, store, arguments):
    """With a request in the application and many that wait for it, others are answered at once."""
    page = "/page"
    target = f"{page}?gate=x&blocks=2&gates=y"
    with running(
        tmp_path,
        "--worker-class=gevent",
        *arguments,
        options={**options_for(store), "namespace": tmp_path.name},
    ) as served:
        served.ask("/pid")
        waiters = [served.connect() for _ in range(10)]
        for connection in waiters:
            connection.send(asking(target))
        until(lambda: served.asked(page) == 10)
        begun = time.monotonic()
        for number in range(5):
            assert served.ask(f"/other{number}").content == body_of(f"/other{number}")
        assert time.monotonic() - begun < 1
        served.open("x")
        heads = [connection.head() for connection in waiters]
        pieces = [connection.contents(head) for connection, head in zip(waiters, heads, strict=True)]
        assert {next(piece) for piece in pieces} == {body_of(page)}
        served.open("y-1")
        assert {b"".join(piece) for piece in pieces} == {body_of(page, blocks=2)[1000:]}
        assert served.calls(page) == 1


@pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="gevent is not installed")
@pytest.mark.parametrize("store", ["file", "redis"])
def test_a_greenlet_that_waits_for_another_process_leaves_the_loop_alone(tmp_path, options_for, store):
    """It looks again and again whether the lease is free: asleep, not in a blocking call."""
    page = "/page"
    options = {**options_for(store), "namespace": "shared"}
    with (
        site(tmp_path / "other", options=options) as other,
        running(tmp_path / "state", "--worker-class=gevent", "--preload", options=options) as served,
    ):
        leader = other.connect()
        leader.send(asking(f"{page}?gate=x"))
        until(lambda: other.calls(page) == 1)
        served.ask("/pid")
        waiters = [served.connect() for _ in range(5)]
        for connection in waiters:
            connection.send(asking(f"{page}?gate=x"))
        until(lambda: served.asked(page) == 5)
        for number in range(5):
            ((_, body, seconds),) = burst([served.connect()], asking(f"/other{number}"))
            assert body == body_of(f"/other{number}")
            assert seconds < 0.5
        other.open("x")
        assert {connection.answer().content for connection in (leader, *waiters)} == {body_of(page)}
        assert served.calls(page) == 0
