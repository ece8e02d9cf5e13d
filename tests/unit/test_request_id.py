"""One ID, wherever somebody looks for it."""

from __future__ import annotations

import io
import logging
import re
import string
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiperf import RequestIdMiddleware, Stack
from wsgiperf.exchange import EXCHANGE
from wsgiperf.request_id import RequestIdFilter, get_request_id, outgoing_headers, well_formed

from .client import Exchanged, answering, ask, environ_of, returning
from .parts import Recorder, Seen

OURS = re.compile(r"[0-9a-f]{32}").fullmatch
ALLOWED = string.ascii_letters + string.digits + "._~+/=:@-"

GOOD = {
    "one letter": "a",
    "128": "a" * 128,
    "a UUID": "6f1c1b62-3a52-4a0e-9d0f-6d1f7a1f1f11",
    "every character": ALLOWED,
    "only punctuation": "._~+/=:@-",
    "base64": "dGVzdA==",
    "a path": "1/2/3",
}
BAD = {
    "empty": "",
    "129": "a" * 129,
    "a megabyte": "a" * 2**20,
    "a space": "a b",
    "spaces around": " a ",
    "comma": "a, b",
    "line break": "a\r\nSet-Cookie: b=c",
    "a line break at the end": "a\n",
    "NUL": "a\0",
    "escape": "\x1b[31mred",
    "tab": "a\tb",
    "quote": 'a"b',
    "angle bracket": "<script>",
    "backslash": "a\\b",
    "format": "%s%n",
    "latin-1": "caf\xe9",
    "beyond": "\N{SNOWMAN}",
    "other digits": "\N{ARABIC-INDIC DIGIT ONE}",
    "a lone surrogate": "\udcff",
    "DEL": "\x7f",
}


def echo(environ, start_response):
    """Answers with the ID it was given."""
    start_response("200 OK", [])
    return [environ["wsgiperf.request_id"].encode()]


@pytest.mark.parametrize("inbound", GOOD.values(), ids=GOOD)
def test_a_well_formed_id_is_kept(inbound):
    """In environ and in the response."""
    got = ask(RequestIdMiddleware(echo), headers={"X-Request-ID": inbound})
    assert got["X-Request-ID"] == got.body.decode() == inbound


@pytest.mark.parametrize("inbound", BAD.values(), ids=BAD)
def test_anything_else_is_replaced_and_never_echoed(inbound):
    """Neither to the client nor to the application, nor to a log."""
    got = ask(RequestIdMiddleware(echo), headers={"X-Request-ID": inbound})
    assert OURS(got["X-Request-ID"])
    assert got.body.decode() == got["X-Request-ID"]


@given(st.text(st.sampled_from(ALLOWED), min_size=1, max_size=128))
def test_every_text_of_the_allowed_characters_is_well_formed(text):
    """Up to 128 of them."""
    assert well_formed(text)


@given(st.text())
def test_well_formed_is_what_the_grammar_says(text):
    """For any text at all."""
    assert well_formed(text) is bool(re.fullmatch(r"[A-Za-z0-9._~+/=:@-]{1,128}", text))


def test_our_own_are_random_and_long():
    """128 bits, never the same."""
    ids = {ask(RequestIdMiddleware(echo))["X-Request-ID"] for _ in range(200)}
    assert len(ids) == 200
    assert all(map(OURS, ids))


# accept, trusted proxies, peer: whether the inbound ID is kept
ACCEPT = {
    "always": ("always", (), "192.0.2.1", True),
    "never": ("never", (), "192.0.2.1", False),
    "never, though trusted": ("never", ("192.0.2.1",), "192.0.2.1", False),
    "trusted address": ("trusted", ("192.0.2.1",), "192.0.2.1", True),
    "trusted network": ("trusted", ("192.0.2.0/24",), "192.0.2.1", True),
    "trusted, an IPv4 address by IPv6": ("trusted", ("192.0.2.0/24",), "::ffff:192.0.2.1", True),
    "trusted IPv6": ("trusted", ("2001:db8::/32",), "2001:db8::1", True),
    "another address": ("trusted", ("192.0.2.1",), "192.0.2.2", False),
    "trusted unix socket": ("trusted", ("unix",), "", True),
    "a unix socket that isn't": ("trusted", ("192.0.2.1",), "", False),
    "not by unix socket": ("trusted", ("unix",), "192.0.2.1", False),
    "no peer to make sense of": ("trusted", ("192.0.2.1",), "\0\r\n", False),
    "nobody is trusted": ("trusted", (), "127.0.0.1", False),
}


@pytest.mark.parametrize(("accept", "proxies", "peer", "kept"), ACCEPT.values(), ids=ACCEPT)
def test_whose_ids_are_kept(accept, proxies, peer, kept):
    """Everybody's, a trusted proxy's, nobody's."""
    app = RequestIdMiddleware(echo, accept=accept, trusted_proxies=proxies)
    got = ask(app, headers={"X-Request-ID": "inbound"}, peer=peer)
    assert (got["X-Request-ID"] == "inbound") is kept
    assert kept or OURS(got["X-Request-ID"])


def test_another_header_may_carry_it():
    """In both directions; the usual one then means nothing."""
    app = RequestIdMiddleware(echo, header="X-Correlation-ID")
    got = ask(app, headers={"X-Correlation-ID": "inbound", "X-Request-ID": "other"})
    assert (got["X-Correlation-ID"], got["X-Request-ID"]) == ("inbound", None)


@pytest.mark.parametrize("name", ["X-Request-ID", "x-request-id", "X-REQUEST-Id"])
def test_the_applications_own_header_wins(name):
    """Whatever its spelling, and it is never doubled."""
    got = ask(RequestIdMiddleware(answering((name, "own"))))
    assert got.all("X-Request-ID") == ["own"]


@pytest.mark.parametrize(
    "status", ["302 Found", "304 Not Modified", "404 Not Found", "500 Internal Server Error"]
)
def test_redirects_and_errors_carry_it(status):
    """Those are the answers that people ask about."""
    got = ask(RequestIdMiddleware(answering(status=status, body=b"")))
    assert OURS(got["X-Request-ID"])


def test_an_application_that_empties_its_environ_changes_nothing():
    """The ID is captured with the exchange."""

    def app(environ, start_response):
        environ["wsgiperf.request_id"] = "forged\r\nX: y"
        environ.clear()
        start_response("200 OK", [])
        return [b"x"]

    assert ask(RequestIdMiddleware(app), headers={"X-Request-ID": "inbound"})["X-Request-ID"] == "inbound"


def test_code_of_the_request_can_ask_for_it():
    """In the call and in every block, and nowhere else."""

    def app(environ, start_response):
        start_response("200 OK", [])
        yield get_request_id().encode()
        yield get_request_id().encode()

    got = Exchanged(RequestIdMiddleware(app), environ_of(headers={"X-Request-ID": "one"}))
    assert got.read() == b"one"
    assert get_request_id() is None
    got.whole()
    assert got.sent == [b"one", b"one"]
    assert get_request_id() is None


def test_two_streams_by_turns_have_their_own():
    """In one thread."""

    def app(environ, start_response):
        start_response("200 OK", [])
        for _ in range(3):
            yield get_request_id().encode()

    wrapped = RequestIdMiddleware(app)
    streams = [Exchanged(wrapped, environ_of(headers={"X-Request-ID": name})) for name in ("one", "two")]
    for _ in range(3):
        assert [stream.read() for stream in streams] == [b"one", b"two"]


def test_log_records_carry_it():
    """By the filter; outside of requests they say `-`."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter("%(request_id)s %(message)s"))
    log = logging.Logger("application")
    log.addHandler(handler)

    def app(environ, start_response):
        log.warning("inside")
        log.warning("given", extra={"request_id": "another"})
        start_response("200 OK", [])
        return [b"x"]

    ask(RequestIdMiddleware(app), headers={"X-Request-ID": "one"})
    log.warning("outside")
    assert output.getvalue() == "one inside\nanother given\n- outside\n"


def test_a_traceback_carries_it():
    """The server logs it, where no context is left."""

    def app(environ, start_response):
        raise LookupError("gone")

    with pytest.raises(LookupError) as caught:
        ask(RequestIdMiddleware(app), headers={"X-Request-ID": "one"})
    assert traceback.format_exception(caught.value)[-1] == "request ID: one\n"


def test_a_traceback_of_a_broken_stream_carries_it():
    """Though the head went out long ago."""

    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"x"
        raise LookupError("gone")

    with pytest.raises(LookupError) as caught:
        ask(RequestIdMiddleware(app), headers={"X-Request-ID": "one"})
    assert caught.value.__notes__ == ["request ID: one"]


def test_a_stack_inside_knows_the_id_of_the_one_outside():
    """Where the inner part of the kind steps aside."""
    inner = Stack(echo, RequestIdMiddleware(), Seen())
    app = Stack(lambda environ, start_response: inner(environ, start_response), RequestIdMiddleware())
    got = ask(app, headers={"X-Request-ID": "one"})
    assert got.body == b"one"
    assert inner.parts[1].exchanges[0].request_id == "one"


TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PARENTS = {
    "valid": (TRACEPARENT, "0af7651916cd43dd8448eb211c80319c"),
    "none": (None, None),
    "all zero": (f"00-{'0' * 32}-b7ad6b7169203331-01", None),
    "upper case": (TRACEPARENT.upper(), None),
    "future version": (f"cc{TRACEPARENT[2:]}-more", "0af7651916cd43dd8448eb211c80319c"),
    "forbidden version": (f"ff{TRACEPARENT[2:]}", None),
    "line break": (f"{TRACEPARENT}\r\nX: y", None),
    "a megabyte": ("0" * 2**20, None),
    "surrogates": ("\udcff" * 55, None),
}


@pytest.mark.parametrize(("traceparent", "trace_id"), PARENTS.values(), ids=PARENTS)
def test_the_trace_is_continued_or_restarted(traceparent, trace_id):
    """And offered on the exchange and to outgoing requests; environ stays as the server made it."""
    found = {}

    def app(environ, start_response):
        found["environ"] = {key: environ.get(key) for key in ("HTTP_TRACEPARENT", "HTTP_TRACESTATE")}
        found["trace"] = environ[EXCHANGE].trace
        found["outgoing"] = outgoing_headers()
        start_response("200 OK", [])
        return []

    headers = {"Tracestate": "vendor=1", "X-Request-ID": "one"}
    if traceparent is not None:
        headers["Traceparent"] = traceparent
    ask(RequestIdMiddleware(app), headers=headers)
    trace, outgoing = found["trace"], found["outgoing"]
    assert found["environ"] == {"HTTP_TRACEPARENT": traceparent, "HTTP_TRACESTATE": "vendor=1"}
    assert outgoing["X-Request-ID"] == "one"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", outgoing["traceparent"])
    assert outgoing["traceparent"] == trace.traceparent
    assert (trace.trace_id == trace_id) if trace_id else (trace.parent_id is None)
    assert outgoing.get("tracestate") == ("vendor=1" if trace_id else None)


def test_without_trace_context_only_the_id_goes_on():
    """For sites whose tracer does that."""
    found = []

    def app(environ, start_response):
        found.append((outgoing_headers(), environ[EXCHANGE].trace))
        start_response("200 OK", [])
        return []

    ask(RequestIdMiddleware(app, trace_context=False), headers={"X-Request-ID": "one"})
    assert found == [({"X-Request-ID": "one"}, None)]


def test_outside_of_requests_there_is_nothing_to_pass_on():
    """Nor where no part made an ID."""
    found = []

    def app(environ, start_response):
        found.append((get_request_id(), outgoing_headers()))
        start_response("200 OK", [])
        return []

    ask(Stack(app, Recorder("a", [])))
    assert found == [(None, {})]
    assert (get_request_id(), outgoing_headers()) == (None, {})


def test_an_answer_of_a_part_inside_carries_it():
    """Only parts outside of this one answer without."""
    from wsgiperf import Response

    answers = Recorder("a", [], answer=lambda: Response("200 OK", [], [b"early"]))
    got = ask(Stack(returning([b"never"]), RequestIdMiddleware(), answers))
    assert OURS(got["X-Request-ID"])


def test_outgoing_requests_carry_the_id_in_the_configured_field():
    """Who calls the field by another name calls it so towards others too."""
    seen = []

    def app(environ, start_response):
        seen.append(outgoing_headers())
        start_response("200 OK", [])
        return []

    RequestIdMiddleware(app, header="X-Correlation-ID")({"HTTP_X_CORRELATION_ID": "abc"}, lambda *head: None)
    assert seen[0]["X-Correlation-ID"] == "abc"
    assert "X-Request-ID" not in seen[0]
