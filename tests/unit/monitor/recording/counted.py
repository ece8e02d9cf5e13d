"""Slabs, and requests that are counted into them."""

from time import time

from wsgiperf.exchange import Exchange
from wsgiperf.monitor.recording import layout
from wsgiperf.monitor.recording.reading import read


class Ago(float):
    """When a request started that takes exactly so many seconds, at whichever moment one looks at the clock.

    By the real one it would take as long as the machine keeps this process waiting, too.
    """

    def __rsub__(self, now):
        return float(self)


def memory():
    return memoryview(bytearray(layout.SLAB_BYTES)).cast("Q")


def snapshot(*slabs, now=None, **options):
    return read(slabs, [7] * len(slabs), time() if now is None else now, started=0.0, **options)


def request(
    recorder, path="/", *, method="GET", status="200 OK", route=None, seconds=0.01, events=(), error=None,
    headers=(("Content-Type", "text/html; charset=utf-8"),), match=None, request_id=None, mount="",
):  # fmt: skip
    exchange = Exchange({"REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": mount}, frozenset())
    exchange.started = Ago(seconds)
    exchange.status, exchange.headers = status, [*headers]
    exchange.route = route
    exchange.request_id = request_id
    exchange.events.extend(events)
    exchange.error = error
    recorder.begin()
    recorder.record(exchange, match)


def only(items):
    [item] = items
    return item
