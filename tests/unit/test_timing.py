"""How long it took: in headers, events and the slow log. Time passes by setting back the exchange's start."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgiperf import Middleware, RequestIdMiddleware, Stack, TimingMiddleware
from wsgiperf.events import Span, Timed
from wsgiperf.exchange import EXCHANGE
from wsgiperf.timing import span

from .client import Exchanged, answering, ask, environ_of, returning, streaming
from .logs import own
from .parts import Changing, Seen

#: What passes between two looks at the clock: a power of two, so that sums are exact.
TICK = 2**-20


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time goes on by a tick at each look at it, however long the machine takes."""
    now = [1000.0]

    def look():
        now[0] += TICK
        return now[0]

    monkeypatch.setattr("wsgiperf.timing.perf_counter", look)
    monkeypatch.setattr("wsgiperf.exchange.perf_counter", look)


class Slow(Middleware):
    """Lets so many seconds pass before the head, and so many before the end."""

    def __init__(self, head=0.0, end=0.0):
        self.head, self.end = head, end
        super().__init__()

    def on_response(self, exchange, response):
        exchange.started -= self.head

    def on_close(self, exchange):
        exchange.started -= self.end


def fail():
    raise LookupError("on purpose")


HEAD_SECONDS = {0.0: "0.000s", 0.38: "0.380s", 0.9989: "0.999s", 1.5: "1.500s", 61.25: "61.250s"}


@pytest.mark.parametrize(("seconds", "spelled"), HEAD_SECONDS.items(), ids=map(str, HEAD_SECONDS))
def test_the_headers_tell_the_time_to_the_head(seconds, spelled):
    """In seconds for people, in milliseconds for browsers."""
    got = ask(Stack(returning([b"x"]), TimingMiddleware(), Slow(seconds)))
    assert got["X-Processing-Time"] == spelled
    metric = re.fullmatch(r"total;dur=(\d+\.\d{3})", got["Server-Timing"])
    assert float(metric[1]) == pytest.approx(seconds * 1000, abs=0.1)


@settings(max_examples=200)
@given(st.floats(0, 100))
def test_both_headers_say_the_same(seconds):
    """However the value is spelled, half a millisecond apart at most."""
    got = ask(Stack(returning([b"x"]), TimingMiddleware(), Slow(seconds)))
    milliseconds = float(got["Server-Timing"].removeprefix("total;dur="))
    assert float(got["X-Processing-Time"].removesuffix("s")) == pytest.approx(
        milliseconds / 1000, abs=0.00051
    )


def test_the_time_after_the_head_is_not_in_the_headers():
    """They are sent by then; the events have it."""
    seen = Seen(lambda exchange: exchange.events)
    got = ask(Stack(returning([b"x"]), seen, TimingMiddleware(), Slow(2, 5)))
    ((timed,),) = seen.found
    assert type(timed) is Timed
    assert timed.head_seconds == pytest.approx(2, abs=0.001)
    assert timed.seconds == pytest.approx(7, abs=0.001)
    assert got["X-Processing-Time"] == "2.000s"


def test_without_a_head_there_is_only_the_end():
    """An application that raised."""
    seen = Seen(lambda exchange: exchange.events)
    with pytest.raises(LookupError):
        ask(Stack(lambda environ, start_response: fail(), seen, TimingMiddleware()))
    ((timed,),) = seen.found
    assert timed.head_seconds is None
    assert timed.seconds >= 0


OWN = {
    "one entry": ("cache;desc=HIT", "cache;desc=HIT, total;dur="),
    "several": ("a, b;dur=1.5", "a, b;dur=1.5, total;dur="),
    "a comma within quotes": ('a;desc="b, c"', 'a;desc="b, c", total;dur='),
}


@pytest.mark.parametrize("name", ["Server-Timing", "server-timing"])
@pytest.mark.parametrize(("own", "start"), OWN.values(), ids=OWN)
def test_ours_is_appended_to_the_applications_own_entries(own, start, name):
    """In one field."""
    got = ask(TimingMiddleware(answering((name, own))))
    assert got["Server-Timing"].startswith(start)


def test_two_fields_of_the_applications_become_one():
    """They mean the same."""
    got = ask(TimingMiddleware(answering(("Server-Timing", "a"), ("server-timing", "b"))))
    assert got["Server-Timing"].startswith("a, b, total;")


def test_the_applications_own_processing_time_wins():
    """Whatever its spelling."""
    got = ask(TimingMiddleware(answering(("x-processing-time", "0.1s"))))
    assert got.all("X-Processing-Time") == ["0.1s"]


@pytest.mark.parametrize("option", ["server_timing", "processing_time"])
def test_each_header_can_be_left_out(option):
    """The time is known all the same."""
    seen = Seen(lambda exchange: exchange.head_seconds)
    got = ask(Stack(returning([b"x"]), seen, TimingMiddleware(**{option: False})))
    assert (got["Server-Timing"] is None) is (option == "server_timing")
    assert (got["X-Processing-Time"] is None) is (option == "processing_time")
    assert seen.found[0] is not None


def measuring(*names, then=()):
    def app(environ, start_response):
        for name in names:
            with span(name):
                pass
        start_response("200 OK", [])
        yield b"x"
        for name in then:
            with span(name):
                pass

    return app


def metrics(got):
    """Server-Timing by name."""
    entries = (entry.strip().split(";dur=") for entry in got["Server-Timing"].split(","))
    return {name: float(milliseconds) for name, milliseconds in entries}


def test_spans_appear_before_the_total():
    """In the order of their first appearance; of one name they are added up."""
    got = ask(TimingMiddleware(measuring("db", "render", "db")))
    assert list(metrics(got)) == ["db", "render", "total"]
    assert sum(metrics(got).values()) <= 2 * metrics(got)["total"] + 0.01


def test_spans_after_the_head_are_in_the_events_only():
    """Those have all of them, with their times."""
    seen = Seen(lambda exchange: exchange.events)
    got = ask(Stack(measuring("db", then=["late"]), seen, TimingMiddleware()))
    assert list(metrics(got)) == ["db", "total"]
    spans = [event for event in seen.found[0] if type(event) is Span]
    assert [event.name for event in spans] == ["db", "late"]
    assert [event.seconds for event in spans] == [TICK, TICK]
    assert spans[0].started < spans[1].started


def test_spans_may_lie_in_one_another():
    """Each for itself."""

    def app(environ, start_response):
        with span("outer"), span("inner"):
            pass
        start_response("200 OK", [])
        return []

    found = metrics(ask(TimingMiddleware(app)))
    assert found["inner"] <= found["outer"] + 0.001


def test_a_span_that_fails_is_measured_too():
    """And the exception passes on."""

    def app(environ, start_response):
        try:
            with span("db"):
                fail()
        except LookupError:
            start_response("503 Service Unavailable", [])
            return []

    assert "db" in metrics(ask(TimingMiddleware(app)))


def test_outside_of_a_request_a_span_does_nothing():
    """Code that measures itself can be run anywhere."""
    with span("db"):
        pass


NAMES = {
    "a token": ("db.query-1", "db.query-1"),
    "a space": ("db query", "db_query"),
    "empty": ("", "_"),
    "header injection": ("a\r\nSet-Cookie: b", "a__Set-Cookie__b"),
    "separators": ("a;b,c=d", "a_b_c_d"),
    "unicode": ("caf\xe9\N{SNOWMAN}", "caf__"),
    "a lone surrogate": ("\udcff", "_"),
}


@pytest.mark.parametrize(("name", "metric"), NAMES.values(), ids=NAMES)
def test_a_spans_name_is_made_a_token(name, metric):
    """Nothing a name contains can break the header; the events keep it as it is."""
    seen = Seen(lambda exchange: exchange.events[0].name)
    got = ask(Stack(measuring(name), seen, TimingMiddleware()))
    assert list(metrics(got)) == [metric, "total"]
    assert seen.found == [name]


def test_many_spans_do_not_make_a_long_header():
    """Servers and proxies limit what a head may be; a name may be as long as it likes."""
    names = [f"{number}-{'x' * 10_000}" for number in range(50)] * 20
    got = ask(TimingMiddleware(measuring(*names)))
    assert len(got["Server-Timing"]) < 4000
    assert got["Server-Timing"].startswith("0-xxx")
    assert "total" in metrics(got)


def slow_lines(caplog):
    return [record.getMessage() for record in own(caplog) if record.name == "wsgiperf.slow"]


def test_a_slow_request_is_logged_in_one_line(caplog):
    """Method, path, status, seconds, request ID."""
    stack = Stack(returning([b"x"], status="503 Busy"), RequestIdMiddleware(), TimingMiddleware(), Slow(1.5))
    ask(stack, "/a/page", "POST", {"X-Request-ID": "one"}, mount="/shop")
    (line,) = slow_lines(caplog)
    assert line == "slow request: POST /shop/a/page 503 in 1.500 s, request ID one"


# seconds to the head, and from there to the end: whether that is slow
SLOW = {
    "quick": (0, 0, False),
    "just below": (0.9, 0, False),
    "slow": (1.1, 0, True),
    "a long stream": (0, 3600, False),
    "a slow long stream": (1.1, 3600, True),
}


@pytest.mark.parametrize(("head", "end", "slow"), SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("app", [returning([b"x"]), streaming(blocks=[b"x"])], ids=["list", "stream"])
def test_slow_is_a_late_first_block(app, head, end, slow, caplog):
    """By default later than a second; a stream is not slow for being long."""
    ask(Stack(app, TimingMiddleware(), Slow(head, end)))
    assert len(slow_lines(caplog)) == slow


def test_the_limit_is_an_option(caplog):
    """In seconds, or 0 for none."""
    ask(Stack(returning([b"x"]), TimingMiddleware(slow_seconds=10), Slow(5)))
    ask(Stack(returning([b"x"]), TimingMiddleware(slow_seconds=0), Slow(86_400)))
    assert slow_lines(caplog) == []
    ask(Stack(returning([b"x"]), TimingMiddleware(slow_seconds=0.1), Slow(0.2)))
    assert len(slow_lines(caplog)) == 1


def test_a_request_that_failed_late_is_slow_too(caplog):
    """It never got its first block."""
    stack = Stack(lambda environ, start_response: fail(), TimingMiddleware(), Slow(end=2))
    with pytest.raises(LookupError):
        ask(stack)
    (line,) = slow_lines(caplog)
    assert line == "slow request: GET / no answer in 2.000 s, request ID -"


def test_a_long_stream_without_the_part_is_not_slow(caplog):
    """An application that keeps the headers away from its event stream doesn't want a warning either."""

    def app(environ, start_response):
        environ["wsgiperf.options"] = {"timing": False}
        start_response("200 OK", [])
        yield b"x"

    got = ask(Stack(app, TimingMiddleware(), Slow(0, 3600)))
    assert got["Server-Timing"] is None
    assert slow_lines(caplog) == []


PATHS = {
    "line break": ("/a\r\nslow request: GET /forged", "/a\\r\\nslow\\x20request:\\x20GET\\x20/forged"),
    "NUL": ("/\0", "/\\x00"),
    "escape": ("/\x1b[2J", "/\\x1b[2J"),
    "UTF-8": ("/caf\xc3\xa9", "/caf\\xe9"),
    "no UTF-8": ("/caf\xe9", "/caf\\\\xe9"),
    "line separator": ("/\xe2\x80\xa8", "/\\u2028"),
    "bidirectional": ("/\xe2\x80\xae", "/\\u202e"),
    "a backslash": ("/\\n", "/\\\\n"),
    "a space": ("/ 200 in 0.001 s", "/\\x20200\\x20in\\x200.001\\x20s"),
    "not from a server": ("/\udcff\N{SNOWMAN}", "/??"),
}


@pytest.mark.parametrize(("path", "escaped"), PATHS.values(), ids=PATHS)
def test_paths_are_escaped(path, escaped, caplog):
    """One line, printable, nothing forged in it."""
    ask(Stack(returning([b"x"]), TimingMiddleware(), Slow(2)), path)
    (line,) = slow_lines(caplog)
    assert line.startswith(f"slow request: GET {escaped} 200 in 2.000 s")
    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize("part", ["PATH_INFO", "SCRIPT_NAME", "REQUEST_METHOD"])
def test_a_long_path_makes_no_long_line(part, caplog):
    """However long, and whatever it is made of."""
    ask(Stack(returning([b"x"]), TimingMiddleware(), Slow(2)), **{part: "/\0" * 2**20})
    (line,) = slow_lines(caplog)
    assert len(line) < 2200


@settings(max_examples=200)
@given(path=st.text(st.characters(max_codepoint=255)), method=st.text(st.characters(max_codepoint=255)))
def test_any_path_is_one_word_of_one_line(path, method):
    """Whatever bytes a client sends."""
    from wsgiperf.timing import _escaped

    for text in (path, method):
        escaped = _escaped(text)
        assert escaped.isascii()
        assert escaped.isprintable()
        assert " " not in escaped


def test_a_broken_header_of_the_applications_leaves_ours_out(caplog):
    """The part is skipped, as its failure harms nobody."""
    got = ask(TimingMiddleware(answering(("Server-Timing", "a\nb"))), strict=False)
    assert got["Server-Timing"] == "a\nb"
    assert "TimingMiddleware failed" in caplog.text


def test_the_client_that_leaves_ends_the_time():
    """`on_close` runs then."""
    seen = Seen(lambda exchange: [type(event) for event in exchange.events])
    got = Exchanged(Stack(streaming(blocks=[b"a", b"b"]), seen, TimingMiddleware()), environ_of())
    got.read()
    got.close()
    assert seen.found == [[Timed]]


def test_other_events_stay_out_of_the_header():
    """They are for others."""
    stack = Stack(
        returning([b"x"]), TimingMiddleware(), Changing(lambda response: None), _Noting("something else")
    )
    assert list(metrics(ask(stack))) == ["total"]


class _Noting(Middleware):
    def __init__(self, event):
        self.event = event
        super().__init__()

    def on_request(self, exchange):
        assert exchange.environ[EXCHANGE] is exchange
        exchange.events.append(self.event)


def test_parts_outside_see_the_headers_by_name():
    """What this part adds is in the list that goes out and in the index that parts ask."""
    seen = []

    class Outside(Middleware):
        def on_response(self, exchange, response):
            seen.extend(response.headers.get(name) for name in ("server-timing", "X-PROCESSING-TIME"))

    def app(environ, start_response):
        start_response("200 OK", [])
        return []

    heads = []
    Stack(app, Outside(), TimingMiddleware())({}, lambda status, headers: heads.append(dict(headers)))
    assert seen == [heads[0]["Server-Timing"], heads[0]["X-Processing-Time"]]
