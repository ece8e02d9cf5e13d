"""W3C Trace Context level 2; the cases follow the working group's own test suite."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf.http.trace_context import TraceContext, parse_traceparent, parse_tracestate

TRACE = "12345678901234567890123456789012"
SPAN = "1234567890123456"
CALLER = f"00-{TRACE}-{SPAN}-01"

VALID = {
    "sampled": (CALLER, 0x01),
    "not sampled": (f"00-{TRACE}-{SPAN}-00", 0x00),
    "random": (f"00-{TRACE}-{SPAN}-03", 0x03),
    "unknown flags": (f"00-{TRACE}-{SPAN}-fe", 0x02),
    "spaces around": (f"\t {CALLER} \t", 0x01),
    "later version": (f"cc-{TRACE}-{SPAN}-01", 0x01),
    "later version with more": (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", 0x01),
    "later version with a dash": (f"01-{TRACE}-{SPAN}-01-", 0x01),
}
INVALID = {
    "empty": "",
    "twice": f"{CALLER},{CALLER}",
    "trailing character": f"{CALLER}.",
    "more than this version has": f"{CALLER}-what-the-future-will-be-like",
    "later version, no dash": f"cc-{TRACE}-{SPAN}-01.what-the-future-will-be-like",
    "later version, too short": f"cc-{TRACE}-{SPAN}-0",
    "forbidden version": f"ff-{TRACE}-{SPAN}-01",
    "version no hex": f".0-{TRACE}-{SPAN}-01",
    "version too long": f"000-{TRACE}-{SPAN}-01",
    "version too short": f"0-{TRACE}-{SPAN}-01",
    "trace ID zero": f"00-{'0' * 32}-{SPAN}-01",
    "trace ID no hex": f"00-.{TRACE[1:]}-{SPAN}-01",
    "trace ID upper case": f"00-A{TRACE[1:]}-{SPAN}-01",
    "trace ID too long": f"00-{TRACE}3-{SPAN}-01",
    "trace ID too short": f"00-{TRACE[1:]}-{SPAN}-01",
    "span ID zero": f"00-{TRACE}-{'0' * 16}-01",
    "span ID no hex": f"00-{TRACE}-{SPAN[1:]}.-01",
    "span ID too long": f"00-{TRACE}-{SPAN}7-01",
    "span ID too short": f"00-{TRACE}-{SPAN[1:]}-01",
    "flags no hex": f"00-{TRACE}-{SPAN}-.0",
    "flags upper case": f"00-{TRACE}-{SPAN}-0A",
    "flags too long": f"00-{TRACE}-{SPAN}-001",
    "flags too short": f"00-{TRACE}-{SPAN}-1",
    "line break": f"{CALLER}\n",
    "other digits": f"00-\N{SUPERSCRIPT TWO}{TRACE[1:]}-{SPAN}-01",
}


@pytest.mark.parametrize(("value", "flags"), VALID.values(), ids=VALID)
def test_a_valid_traceparent(value: str, flags: int) -> None:
    """IDs as sent, and of the flags those that are known."""
    assert parse_traceparent(value) == (TRACE, SPAN, flags)


@pytest.mark.parametrize("value", INVALID.values(), ids=INVALID)
def test_an_invalid_traceparent(value: str) -> None:
    """Nothing of it is used."""
    assert parse_traceparent(value) is None


ALL_KEY = "abcdefghijklmnopqrstuvwxyz0123456789_-*/@"
ALL_VALUE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")
COUNTED = [f"bar{number:02}={number:02}" for number in range(1, 34)]
STATES = {
    "one": ("foo=1", "foo=1"),
    "several, in order": ("foo=1,bar=2,baz=3", "foo=1,bar=2,baz=3"),
    "spaces around members": ("foo=1 \t , \t bar=2, \t baz=3", "foo=1,bar=2,baz=3"),
    "leading space of a value": ("foo=  1", "foo=  1"),
    "empty members": (",foo=1,, ,bar=2,", "foo=1,bar=2"),
    "empty": ("", ""),
    "commas only": (" , ,", ""),
    "all characters": (f"{ALL_KEY}={ALL_VALUE}", f"{ALL_KEY}={ALL_VALUE}"),
    "key starts with a digit": ("0foo@v=1", "0foo@v=1"),
    "key of 256": (f"{'z' * 256}=1", f"{'z' * 256}=1"),
    "value of 256": (f"z={'1' * 256}", f"z={'1' * 256}"),
    "32 members": (",".join(COUNTED[:32]), ",".join(COUNTED[:32])),
    "33 members": (",".join(COUNTED), ""),
    "duplicate": ("foo=1,bar=2,foo=1", ""),
    "key with a space": ("foo =1", ""),
    "key upper case": ("FOO=1", ""),
    "key with a dot": ("foo.bar=1,bar=2", ""),
    "key starts with at": ("@foo=1,bar=2", ""),
    "key of 257": (f"foo=1,{'z' * 257}=1", ""),
    "value of 257": (f"foo=1,z={'1' * 257}", ""),
    "no key": ("=1", ""),
    "no value": ("foo=,bar=3", ""),
    "no equals sign": ("foo,bar=3", ""),
    "two equals signs": ("foo=bar=baz", ""),
    "tab in a value": ("foo=a\tb", ""),
    "latin-1": ("foo=\xe9", ""),
    "line break": ("foo=1\n", ""),
    "long members go first": (
        f"a=1,b={'x' * 127},c={'y' * 200},d={'z' * 200},e=2",
        f"a=1,b={'x' * 127},c={'y' * 200},e=2",
    ),
    "then the last ones": (
        ",".join(f"k{n}={'x' * 97}" for n in range(8)),
        ",".join(f"k{n}={'x' * 97}" for n in range(5)),
    ),
    "exactly 512": (f"a={'x' * 253},b={'y' * 254}", f"a={'x' * 253},b={'y' * 254}"),
    "513": (f"a={'x' * 253},b={'y' * 255}", f"a={'x' * 253}"),
}


@pytest.mark.parametrize(("value", "passed_on"), STATES.values(), ids=STATES)
def test_tracestate(value: str, passed_on: str) -> None:
    """A valid list is passed on in order, an invalid one not at all, a long one in part."""
    assert parse_tracestate(value) == passed_on


class CountingBytes:
    """A source of random bytes that is none: all of them 1, then all 2, ..."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, size: int) -> bytes:
        return bytes([next(self._numbers)]) * size


def test_a_trace_is_continued() -> None:
    """Same trace, same flags and state; our span is a new one below the caller's."""
    context = TraceContext(f"00-{TRACE}-{SPAN}-03", "foo=1, bar=2", CountingBytes())
    assert (context.trace_id, context.parent_id) == (TRACE, SPAN)
    assert context.span_id == "01" * 8
    assert context.flags == 0x03
    assert context.sampled
    assert context.headers() == {
        "traceparent": f"00-{TRACE}-{'01' * 8}-03",
        "tracestate": "foo=1,bar=2",
    }


def test_an_id_that_was_not_random_does_not_become_it() -> None:
    """Level 2: who continues a trace keeps the flag as it came."""
    assert TraceContext(CALLER, None, CountingBytes()).traceparent.endswith("-01")


def test_an_invalid_tracestate_does_not_end_the_trace() -> None:
    """It alone is dropped."""
    context = TraceContext(CALLER, "FOO=1", CountingBytes())
    assert context.trace_id == TRACE
    assert list(context.headers()) == ["traceparent"]


@pytest.mark.parametrize("traceparent", [None, "", *INVALID.values()], ids=["none", "empty field", *INVALID])
def test_a_trace_starts_here(traceparent: str | None) -> None:
    """A random ID that says so, not sampled, and nothing of the old trace."""
    context = TraceContext(traceparent, "foo=1", CountingBytes())
    assert context.headers() == {"traceparent": f"00-{'01' * 16}-{'01' * 8}-02"}
    assert context.parent_id is None
    assert context.tracestate == ""
    assert not context.sampled


def test_nothing_is_drawn_before_it_is_asked_for() -> None:
    """And then once."""
    random = CountingBytes()
    context = TraceContext(None, None, random)
    assert random(1) == b"\x01"
    assert context.span_id == context.span_id == "02" * 8


def test_ids_differ() -> None:
    """From the system's source by default."""
    contexts = [TraceContext(None, None) for _ in range(100)]
    assert len({context.trace_id for context in contexts}) == 100
    assert all(parse_traceparent(context.traceparent) for context in contexts)


def test_a_context_cannot_be_changed() -> None:
    """Whoever holds it reads what everyone reads."""
    with pytest.raises(AttributeError):
        TraceContext(None, None).trace_id = TRACE  # type: ignore[misc]


@given(
    traceparent=st.text() | st.sampled_from([*INVALID.values(), CALLER]),
    tracestate=st.text() | st.text("ab=, @\t"),
)
def test_any_text_is_answered(traceparent: str, tracestate: str) -> None:
    """No field raises; what is passed on is valid and comes out the same at the next hop."""
    context = TraceContext(traceparent, tracestate)
    assert parse_traceparent(context.traceparent) == (context.trace_id, context.span_id, context.flags)
    assert parse_tracestate(context.tracestate) == context.tracestate
    assert len(context.tracestate) <= 512
