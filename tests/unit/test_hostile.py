"""The whole stack against clients that mean harm, and applications that don't know better."""

from __future__ import annotations

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgiperf import wrap
from wsgiperf.request_id import get_request_id

from .client import HTML, PAGE, Application, answering, ask, environ_of, streaming

EVERYTHING = {
    "security": {"preset": "strict", "trusted_proxies": ["10.0.0.0/8", "unix"]},
    "request_id": {"accept": "trusted", "trusted_proxies": ["10.0.0.0/8"]},
    "cache": {"memory_size": 65_536},
}

CLIENT_FIELDS = [
    "Accept-Encoding",
    "Authorization",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "Range",
    "Traceparent",
    "Tracestate",
    "X-Forwarded-Proto",
    "X-Request-ID",
]
TEXTS = {
    "line breaks": "a\r\nSet-Cookie: b=c\r\n\r\n<script>",
    "NUL": "\0" * 50,
    "controls": "".join(map(chr, range(32))) + "\x7f",
    "latin-1": "".join(map(chr, range(128, 256))),
    "beyond latin-1": "\N{SNOWMAN}\U0001f600",
    "lone surrogates": "\udcff\ud800",
    "a megabyte": "a" * 2**20,
    "a megabyte of commas": "," * 2**20,
    "a megabyte of quotes": '"' * 2**20,
    "a megabyte of weights": "gzip;q=0.5," * 2**16,
    "a megabyte of spaces": " " * 2**20,
    "a megabyte of tags": '"-br-0000", ' * 2**16,
    "numbers": "9" * 5000,
    "formats": "%s%n{0}{}${x}",
    "empty": "",
}


@cache
def made() -> Application:
    """One site for all tests."""
    return wrap(answering(HTML, ("ETag", '"v1"')), EVERYTHING)


@pytest.fixture
def site():
    return made()


def assert_harmless(got, text):
    """A response like any other, with nothing of the text in its head."""
    assert got.status == "200 OK"
    assert got.decoded() == PAGE
    if len(text) > 1:
        assert not any(text in value for _, value in got.fields)
    assert got["X-Frame-Options"] == "DENY"
    assert got["Strict-Transport-Security"] is None


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("field", CLIENT_FIELDS)
def test_no_field_of_a_client_breaks_a_response(field, text, site):
    """Nor comes back in its head."""
    assert_harmless(ask(site, headers={field: text}), text)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_all_fields_at_once(text, site):
    """Likewise."""
    assert_harmless(ask(site, headers=dict.fromkeys(CLIENT_FIELDS, text)), text)


@pytest.mark.parametrize(
    "key", ["PATH_INFO", "SCRIPT_NAME", "REQUEST_METHOD", "REMOTE_ADDR", "wsgi.url_scheme"]
)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_path_method_or_peer_breaks_a_response(key, text, site):
    """Whatever a server lets through."""
    assert_harmless(ask(site, **{key: text}), text)
    assert_harmless(ask(site, **{key: "/static/" + text}), text)


bytes_as_text = st.text(st.characters(max_codepoint=255), max_size=80)
pieces = st.lists(
    st.sampled_from(
        [
            *'",;= \t*/-\0\r\n',
            "gzip",
            "br",
            "q=0",
            "q=1",
            "identity",
            '"v1-br-',
            "W/",
            "https",
            "00-",
            "a" * 40,
        ]
    )
).map("".join)


@settings(max_examples=300)
@given(fields=st.dictionaries(st.sampled_from(CLIENT_FIELDS), bytes_as_text | pieces), path=bytes_as_text)
def test_any_request_is_answered(fields, path):
    """With the page, encoded as its head says, for any bytes a client may send."""
    got = ask(made(), "/" + path, headers=fields)
    assert got.status == "200 OK"
    assert got.decoded() == PAGE


def grown(run) -> int:
    """How many bytes more are in use after running it than after a warm-up."""
    run(range(1000))
    gc.collect()
    tracemalloc.start()
    try:
        run(range(1000, 4000))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


# How a client, or whoever reflects one, can be different every time.
DISTINCT = {
    "Accept-Encoding": lambda number: {
        "headers": {"Accept-Encoding": f"x{number}, gzip;q=0.{number % 1000}"}
    },
    "long Accept-Encoding": lambda number: {"headers": {"Accept-Encoding": f"{number}{'x' * 2000}"}},
    "If-None-Match": lambda number: {"headers": {"If-None-Match": f'"{number}-br-0000"'}},
    "If-Match": lambda number: {"headers": {"If-Match": f'"{number}-gzip-0000"'}},
    "X-Request-ID": lambda number: {"headers": {"X-Request-ID": f"id-{number}"}},
    "Traceparent": lambda number: {"headers": {"Traceparent": f"00-{number:032x}-{number:016x}-01"}},
    "X-Forwarded-Proto": lambda number: {"headers": {"X-Forwarded-Proto": f"{number}"}, "peer": "10.0.0.1"},
    "peers": lambda number: {"peer": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"},
    "peers that are none": lambda number: {"peer": f"peer-{number}" * 100},
    "paths": lambda number: {"path": f"/static/{number}"},
    "methods": lambda number: {"method": f"M{number}"},
    "schemes": lambda number: {"scheme": f"s{number}"},
}


def reflecting(environ, start_response):
    """An application whose head is made of what the client sent."""
    text = environ["HTTP_X_TEXT"]
    start_response(
        "200 OK",
        [
            ("Content-Type", f"text/{text}"),
            ("Vary", text),
            ("ETag", f'"{text}"'),
            ("Cache-Control", text),
            (f"X-{text}", text),
        ],
    )
    return [b"small"]


@pytest.mark.parametrize("request_of", DISTINCT.values(), ids=DISTINCT)
def test_distinct_clients_do_not_fill_the_memory(request_of):
    """What is remembered of clients is bounded."""
    app = wrap(answering(HTML, ("ETag", '"v1"'), body=b"small"), EVERYTHING)

    def run(numbers):
        for number in numbers:
            ask(app, **request_of(number))

    assert grown(run) < 150_000


def test_distinct_heads_do_not_fill_the_memory():
    """Nor is what an application makes of them."""
    app = wrap(reflecting, EVERYTHING)

    def run(numbers):
        for number in numbers:
            ask(app, headers={"X-Text": f"made-of-{number}", "Accept-Encoding": "br"})

    assert grown(run) < 150_000


# What applications do that they should not: whatever comes of it, it is not of our making.
HEADS = {
    "no fields": ("200 OK", []),
    "no reason": ("200", [HTML]),
    "no status": ("", [HTML]),
    "odd status": ("abc def", [HTML]),
    "long status": ("200 " + "x" * 100_000, [HTML]),
    "line break in the status": ("200 OK\r\nX: y", [HTML]),
    "unicode status": ("200 \N{SNOWMAN}", [HTML]),
    "status with spaces": (" 200 OK", [HTML]),
    "huge number": ("99999999999 OK", [HTML]),
    "lone surrogate": ("200 OK", [HTML, ("X-Odd", "\udcff")]),
    "line break": ("200 OK", [HTML, ("X-Odd", "a\r\nb: c")]),
    "beyond latin-1": ("200 OK", [HTML, ("X-\N{SNOWMAN}", "\N{SNOWMAN}")]),
    "odd spelling": ("200 OK", [("cONTENT-tYPE", "TEXT/html")]),
    "space in a name": ("200 OK", [HTML, ("X Odd", "a")]),
    "empty name": ("200 OK", [HTML, ("", "a")]),
    "many fields": ("200 OK", [HTML, *(("X-Many", str(number)) for number in range(5000))]),
    "many names": ("200 OK", [HTML, *((f"X-Many-{number}", "") for number in range(5000))]),
    "a long value": ("200 OK", [HTML, ("X-Long", "a" * 2**20)]),
    "lists for tuples": ("200 OK", [["Content-Type", "text/html"], ["X-Odd", "a"]]),
    "two content types": ("200 OK", [HTML, HTML]),
    "hop-by-hop": ("200 OK", [HTML, ("Connection", "close"), ("Keep-Alive", "timeout=5")]),
    "cookies": ("200 OK", [HTML, ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")]),
    "odd policy": ("200 OK", [HTML, ("Content-Security-Policy", ";,;\t'self',")]),
    "odd frame option": ("200 OK", [HTML, ("X-Frame-Options", ",,;\t")]),
    "odd Vary": ("200 OK", [HTML, ("Vary", ",, ,\t,")]),
    "odd Server-Timing": ("200 OK", [HTML, ("Server-Timing", ";;=,\t")]),
}


@pytest.mark.parametrize(("status", "fields"), HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("kind", ["list", "stream"])
@pytest.mark.parametrize("accepted", ["", "br"])
def test_the_applications_own_head_goes_through(status, fields, kind, accepted):
    """Odd or not, what it says is said, and ours is there besides."""
    app: Application = (
        answering(*fields, status=status)
        if kind == "list"
        else streaming(*fields, blocks=[PAGE], status=status)
    )
    given_fields = list(fields)
    got = ask(wrap(app), headers={"Accept-Encoding": accepted}, strict=False)
    assert got.status == status
    assert got.decoded() == PAGE
    merged = {"vary", "server-timing"}
    assert [field for field in fields if field not in got.fields and field[0].lower() not in merged] == []
    assert fields == given_fields
    assert got["X-Request-ID"]
    assert got["X-Content-Type-Options"] == "nosniff"


NOT_STRINGS = {
    "a number as a value": [("Content-Length", 5)],
    "None as a value": [("X-A", None)],
    "bytes as a value": [("X-A", b"a")],
    "bytes as a name": [(b"X-A", "a")],
    "a number as a name": [(5, "a")],
    "not a pair": [("X-A",)],
    "not fields": [5],
}


@pytest.mark.parametrize("fields", NOT_STRINGS.values(), ids=NOT_STRINGS)
def test_what_is_no_header_is_the_servers_to_refuse_or_an_error(fields):
    """It passes or it raises; the request ends, and the next one is served."""
    app = wrap(lambda environ, start_response: start_response("200 OK", fields) and [b"x"])
    start = lambda status, fields, exc_info=None: print  # noqa: E731
    for _ in range(2):
        environ = environ_of()
        with suppress(TypeError, AttributeError, ValueError):
            app(environ, start)
        assert environ["wsgiperf.exchange"].finished or environ["wsgiperf.exchange"].status


def test_threads_do_not_see_each_others_requests():
    """One stack serves all of them, its memories full all the time."""

    def app(environ, start_response):
        start_response("200 OK", [HTML])
        yield get_request_id().encode() * 100

    wrapped = wrap(app, request_id={"accept": "always"})
    codings = ["br", "zstd", "gzip", "identity"]

    def visit(number):
        headers = {"X-Request-ID": f"id-{number}", "Accept-Encoding": f"{codings[number % 4]}, x-{number}"}
        got = ask(wrapped, headers=headers)
        return got["X-Request-ID"], got["Content-Encoding"], got.decoded()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(visit, range(1000)))
    for number, (request_id, coding, body) in enumerate(answers):
        assert request_id == f"id-{number}"
        assert coding == (None if number % 4 == 3 else codings[number % 4])
        assert body == request_id.encode() * 100
