"""What a client gets for what it accepts, from end to end."""

from __future__ import annotations

import random

import pytest

from unit.client import HTML, PAGE, answering, ask, streaming
from unit.parts import Seen
from wsgiperf import CompressionMiddleware, Stack

# Accept-Encoding: the coding of a page, and of a body below the minimum size.
ACCEPTED = {
    None: (None, None),
    "": (None, None),
    "gzip": ("gzip", None),
    "x-gzip": ("gzip", None),
    "GZip": ("gzip", None),
    "gzip, deflate, br, zstd": ("br", None),
    "gzip, zstd": ("zstd", None),
    "br;q=0.1, gzip;q=0.2": ("gzip", None),
    "*": ("br", None),
    "*;q=0.5, br;q=0": ("zstd", None),
    "deflate": (None, None),
    "identity": (None, None),
    "identity, br;q=0.5": (None, None),
    "gzip;q=0": (None, None),
    "identity;q=0, gzip": ("gzip", "gzip"),
    "*;q=0, br": ("br", "br"),
    "identity;q=0": (None, None),  # nothing usable: plain, never 406
    "*;q=0": (None, None),
    "deflate, identity;q=0": (None, None),
    "gzip;q=high, br;q=2": (None, None),
    "gzip\r\nX: y": (None, None),
    "gz\0ip": (None, None),
    "\N{SNOWMAN}\udcff, gzip": ("gzip", None),
}


@pytest.mark.parametrize(("accepted", "expected"), ACCEPTED.items(), ids=map(ascii, ACCEPTED))
@pytest.mark.parametrize("minimum", [False, True], ids=["a page", "a small body"])
def test_what_is_sent_for_what_is_accepted(accepted, expected, minimum):
    """Always 200, always the same bytes when decoded, always with Vary."""
    body = PAGE[:799] if minimum else PAGE
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    got = ask(CompressionMiddleware(answering(HTML, body=body)), headers=headers)
    assert got.status == "200 OK"
    assert got["Content-Encoding"] == expected[minimum]
    assert got.decoded() == body
    assert got["Content-Length"] == str(len(got.body))
    assert got["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_the_codings_offered_are_an_option(coding):
    """In the server's order."""
    app = CompressionMiddleware(answering(HTML), codings=[coding])
    for accepted in ("gzip, br, zstd", "*"):
        assert ask(app, headers={"Accept-Encoding": accepted})["Content-Encoding"] == coding
    got = ask(CompressionMiddleware(answering(HTML), codings=[]), headers={"Accept-Encoding": "*"})
    assert got["Content-Encoding"] is None


def test_the_order_of_the_option_decides_at_equal_weight():
    """By default br, zstd, gzip."""
    app = CompressionMiddleware(answering(HTML), codings=["gzip", "br"])
    assert ask(app, headers={"Accept-Encoding": "br, gzip"})["Content-Encoding"] == "gzip"
    assert ask(app, headers={"Accept-Encoding": "br, gzip;q=0.9"})["Content-Encoding"] == "br"


@pytest.mark.parametrize("level", [{"gzip_level": 1}, {"gzip_level": 9}], ids=repr)
def test_levels_are_options(level):
    """Another level, other bytes."""
    usual, other = (
        ask(
            CompressionMiddleware(answering(HTML, body=PAGE * 20), **options),
            headers={"Accept-Encoding": "gzip"},
        )
        for options in ({}, level)
    )
    assert usual.body != other.body
    assert usual.decoded() == other.decoded()


SIZES = {799: None, 800: "br", 801: "br"}


@pytest.mark.parametrize(("size", "coding"), SIZES.items())
def test_the_minimum_size(size, coding):
    """Of a list, and of a stream that says its length."""
    length = ("Content-Length", str(size))
    body = (PAGE * 2)[:size]
    for app in (
        answering(HTML, body=body),
        answering(HTML, length, body=body),
        streaming(HTML, length, blocks=[body]),
        streaming(HTML, length, blocks=[body[:300], body[300:]]),
    ):
        got = ask(CompressionMiddleware(app), headers={"Accept-Encoding": "br"})
        assert got["Content-Encoding"] == coding
        assert got.decoded() == body


def test_another_minimum_size():
    """0 leaves out only what has nothing in it."""
    for size, body, coding in ((0, b"a" * 50, "br"), (51, b"a" * 50, None), (0, b"", None)):
        app = CompressionMiddleware(answering(HTML, body=body), minimum_size=size)
        assert ask(app, headers={"Accept-Encoding": "br"})["Content-Encoding"] == coding


TYPES = {
    "text/html": True,
    "TEXT/HTML": True,
    "text/html;charset=utf-8": True,
    "text/html ; charset=utf-8": True,
    " text/css": True,
    "text/anything": True,
    "application/json": True,
    "Application/JSON; charset=utf-8": True,
    "application/problem+json": True,
    "application/vnd.api+json;version=1": True,
    "image/svg+xml": True,
    "application/atom+xml": True,
    "application/javascript": True,
    "text/javascript": True,
    "application/xml": True,
    "application/wasm": True,
    "font/ttf": True,
    "image/png": False,
    "image/jpeg": False,
    "video/mp4": False,
    "font/woff2": False,
    "application/zip": False,
    "application/octet-stream": False,
    "application/json-seq": False,
    "multipart/form-data": False,
    "textual/html": False,
    "html": False,
    "": False,
    ";charset=utf-8": False,
    ", text/html": False,
}


@pytest.mark.parametrize(("content_type", "encoded"), TYPES.items(), ids=TYPES)
def test_content_types(content_type, encoded):
    """What shrinks, whatever the case and the parameters; what isn't listed is left alone, without Vary."""
    got = ask(
        CompressionMiddleware(answering(("content-type", content_type))), headers={"Accept-Encoding": "br"}
    )
    assert (got["Content-Encoding"] == "br") is encoded
    assert (got["Vary"] == "Accept-Encoding") is encoded
    assert got.decoded() == PAGE


def test_other_content_types():
    """The list is an option."""
    app = CompressionMiddleware(answering(("Content-Type", "image/png")), content_types=["image/*"])
    assert ask(app, headers={"Accept-Encoding": "br"})["Content-Encoding"] == "br"
    app = CompressionMiddleware(answering(HTML), content_types=["image/*"])
    assert ask(app, headers={"Accept-Encoding": "br"})["Content-Encoding"] is None


# name: status, fields beside the content type
UNTOUCHED = {
    "existing coding": ("200 OK", [("Content-Encoding", "gzip")]),
    "existing coding, lower case": ("200 OK", [("content-encoding", "x-own")]),
    "identity as a coding": ("200 OK", [("Content-Encoding", "identity")]),
    "no-transform": ("200 OK", [("Cache-Control", "no-transform")]),
    "no-transform among others": ("200 OK", [("cache-control", "public, No-Transform, max-age=5")]),
    "no-transform in a second field": (
        "200 OK",
        [("Cache-Control", "public"), ("Cache-Control", "no-transform")],
    ),
    "206 of an encoded one": ("206 Partial Content", [("Content-Encoding", "gzip")]),
    "206, no-transform": ("206 Partial Content", [("Cache-Control", "no-transform")]),
    "Content-Range": ("200 OK", [("Content-Range", "bytes 0-5/10")]),
    "416 with Content-Range": ("416 Range Not Satisfiable", [("Content-Range", "bytes */10")]),
    "204": ("204 No Content", []),
    "103": ("103 Early Hints", []),
}


@pytest.mark.parametrize(("status", "fields"), UNTOUCHED.values(), ids=UNTOUCHED)
@pytest.mark.parametrize("accepted", ["br", "identity;q=0, br"])
def test_what_is_left_untouched(status, fields, accepted):
    """Byte for byte, field for field."""
    app = answering(HTML, ("ETag", '"a"'), ("Accept-Ranges", "bytes"), *fields, status=status)
    plain = ask(Stack(app, Seen()))
    got = ask(CompressionMiddleware(app), headers={"Accept-Encoding": accepted})
    assert (got.status, got.fields, got.body) == (plain.status, plain.fields, plain.body)


@pytest.mark.parametrize(
    "status", ["404 Not Found", "500 Oops", "302 Found", "201 Created", "200", "999 Odd", ""]
)
def test_any_other_status_is_encoded(status):
    """A page is a page."""
    got = ask(CompressionMiddleware(answering(HTML, status=status)), headers={"Accept-Encoding": "br"})
    assert (got["Content-Encoding"], got.decoded()) == ("br", PAGE)


def test_a_result_that_is_not_smaller_is_not_sent():
    """The plain body is; unless the client refuses that."""
    body = random.Random(1).randbytes(900)
    app = CompressionMiddleware(answering(HTML, ("ETag", '"a"'), body=body), codings=["gzip"])
    got = ask(app, headers={"Accept-Encoding": "gzip"})
    assert (got["Content-Encoding"], got["ETag"], got.body) == (None, '"a"', body)
    assert got["Vary"] == "Accept-Encoding"
    got = ask(app, headers={"Accept-Encoding": "gzip, identity;q=0"})
    assert (got["Content-Encoding"], got.decoded()) == ("gzip", body)


# The application's Vary -> what is sent.
VARY = {
    None: "Accept-Encoding",
    "": "Accept-Encoding",
    "Cookie": "Cookie, Accept-Encoding",
    "Cookie, Accept": "Cookie, Accept, Accept-Encoding",
    "accept-encoding": "accept-encoding",
    "Cookie , ACCEPT-ENCODING": "Cookie , ACCEPT-ENCODING",
    "*": "*",
    "Cookie, *": "Cookie, *",
    "X-Accept-Encoding": "X-Accept-Encoding, Accept-Encoding",
}


@pytest.mark.parametrize(("own", "sent"), VARY.items(), ids=map(str, VARY))
@pytest.mark.parametrize("accepted", ["br", "identity", "deflate, identity;q=0"])
@pytest.mark.parametrize("body", [PAGE, b"small"], ids=["page", "small"])
def test_vary_is_merged(own, sent, accepted, body):
    """On plain answers too: a cache must not give one client's answer to another."""
    fields = [] if own is None else [("vary", own)]
    got = ask(
        CompressionMiddleware(answering(HTML, *fields, body=body)), headers={"Accept-Encoding": accepted}
    )
    assert got["Vary"] == sent


def test_two_vary_fields_become_one():
    """With all names in it."""
    app = answering(HTML, ("Vary", "Cookie"), ("vary", "Accept"))
    got = ask(CompressionMiddleware(app), headers={"Accept-Encoding": "br"})
    assert got["Vary"] == "Cookie, Accept, Accept-Encoding"


def test_fields_about_the_plain_bytes_are_dropped():
    """Digests are of other bytes, and there are no ranges of these; plain answers keep both."""
    outdated = ["Accept-Ranges", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest"]
    for spell in (str, str.lower):
        app = CompressionMiddleware(answering(HTML, *((spell(name), "own") for name in outdated)))
        encoded, plain = ask(app, headers={"Accept-Encoding": "br"}), ask(app)
        assert [encoded[name] for name in outdated] == [None] * 5
        assert [plain[name] for name in outdated] == ["own"] * 5


def test_what_was_saved_is_an_event():
    """Where the size is known: the coding, before and after."""
    seen = Seen(lambda exchange: exchange.events)
    got = ask(Stack(answering(HTML), seen, CompressionMiddleware()), headers={"Accept-Encoding": "br"})
    [[event]] = seen.found
    assert event[:3] == ("br", len(PAGE), len(got.body))
    assert 0 < event.seconds < 60


def test_a_response_can_do_without():
    """Where the application says so: nothing is changed."""

    def app(environ, start_response):
        environ.setdefault("wsgiperf.options", {})["compression"] = False
        return answering(HTML)(environ, start_response)

    got = ask(CompressionMiddleware(app), headers={"Accept-Encoding": "br"})
    assert (got["Content-Encoding"], got["Vary"], got.body) == (None, None, PAGE)


def test_accept_encoding_is_that_of_the_request():
    """An application that takes it away, to keep its own framework from encoding, doesn't take it from us."""

    def app(environ, start_response):
        del environ["HTTP_ACCEPT_ENCODING"]
        return answering(HTML)(environ, start_response)

    assert ask(CompressionMiddleware(app), headers={"Accept-Encoding": "br"})["Content-Encoding"] == "br"
