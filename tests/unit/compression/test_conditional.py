"""Entity tags and conditional requests, with an application that knows them; HEAD."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.client import HTML, PAGE, answering, ask, returning, streaming
from unit.parts import Recorder
from wsgiperf import CompressionMiddleware, Response, Stack
from wsgiperf.http.etag import etags, strong_match, weak_match, with_coding

CODINGS = ["br", "zstd", "gzip"]


class Site:
    """An application with one page, that knows RFC 9110 section 13."""

    def __init__(self, tag='"v1"', *fields, body=PAGE, content_type=HTML, type_on_304=False):
        self.tag, self.fields, self.body, self.content_type = tag, fields, body, content_type
        self.type_on_304 = type_on_304
        self.seen = []

    def __call__(self, environ, start_response):
        self.seen.append(
            {key: environ[key] for key in environ if key.startswith("HTTP_IF_") or key == "HTTP_RANGE"}
        )
        status, fields = self._answer(environ), [("ETag", self.tag), *self.fields]
        if status == "200 OK" or self.type_on_304:
            fields.append(self.content_type)
        if status == "206 Partial Content":
            fields += [self.content_type, ("Content-Range", f"bytes 0-9/{len(self.body)}")]
        start_response(status, fields)
        return [{"200 OK": self.body, "206 Partial Content": self.body[:10]}.get(status, b"")]

    def _answer(self, environ):
        own = self.tag
        match = environ.get("HTTP_IF_MATCH")
        if match is not None and not any(strong_match(tag, own) or tag == "*" for tag in etags(match)):
            return "412 Precondition Failed"
        none_match = environ.get("HTTP_IF_NONE_MATCH")
        if none_match is not None and any(weak_match(tag, own) or tag == "*" for tag in etags(none_match)):
            return "304 Not Modified"
        if "HTTP_RANGE" in environ and environ.get("HTTP_IF_RANGE", own) == own:
            return "206 Partial Content"
        return "200 OK"


def browse(app, coding, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(app, headers={"Accept-Encoding": coding, **named})


@pytest.mark.parametrize("coding", CODINGS)
def test_a_strong_tag_gets_a_suffix_for_the_coding(coding):
    """Other bytes, another tag; the plain body keeps the application's."""
    app = CompressionMiddleware(Site())
    tag = browse(app, coding)["ETag"]
    assert tag.startswith(f'"v1-{coding}-')
    assert browse(app, "identity")["ETag"] == '"v1"'
    assert browse(app, coding)["ETag"] == tag


def test_no_two_codings_share_a_tag():
    """Nor with the plain body."""
    app = CompressionMiddleware(Site())
    assert len({browse(app, coding)["ETag"] for coding in [*CODINGS, "identity"]}) == 4


SHARED = ['W/"v1"', "v1", '"v1', "", "*"]


@pytest.mark.parametrize("tag", SHARED)
def test_weak_tags_and_what_is_none_stay(tag):
    """A weak one may be shared; what is no tag is none of our business."""
    assert browse(CompressionMiddleware(answering(HTML, ("ETag", tag))), "br")["ETag"] == tag


@pytest.mark.parametrize("coding", CODINGS)
def test_the_round_trip_of_a_browser(coding):
    """It sends the tag it got: the application sees its own, and the 304 carries what was sent."""
    site = Site()
    app = CompressionMiddleware(site)
    first = browse(app, coding)
    again = browse(app, coding, If_None_Match=first["ETag"])
    assert site.seen[-1] == {"HTTP_IF_NONE_MATCH": '"v1"'}
    assert (again.status, again.body) == ("304 Not Modified", b"")
    assert (again["ETag"], again["Vary"]) == (first["ETag"], first["Vary"])
    assert again["Content-Encoding"] is None


@pytest.mark.parametrize("type_on_304", [False, True])
def test_a_304_has_the_vary_of_the_200(type_on_304):
    """Merged into the application's own."""
    app = CompressionMiddleware(Site('"v1"', ("Vary", "Cookie"), type_on_304=type_on_304))
    assert browse(app, "br", If_None_Match='"v1"')["Vary"] == "Cookie, Accept-Encoding"


def test_a_304_of_what_is_never_encoded_is_left_alone():
    """Where it says what it is of."""
    app = CompressionMiddleware(Site(content_type=("Content-Type", "image/png"), type_on_304=True))
    assert browse(app, "br", If_None_Match='"v1"')["Vary"] is None


# If-None-Match with {coding} for the tag of that coding, Accept-Encoding: what the application sees, the tag
# of the 304, or None for a 200.
NONE_MATCH = {
    "ours": ("{br}", "br", '"v1"', "{br}"),
    "the plain one": ('"v1"', "br", '"v1"', '"v1"'),
    "weakened by a proxy": ("W/{br}", "br", 'W/"v1"', "W/{br}"),
    "among others": ('"a", {br}, W/"b"', "br", '"a", "v1", W/"b"', "{br}"),
    "several of ours": ("{gzip}, {br}", "br, gzip", '"v1", "v1"', "{br}"),
    "of a coding no longer accepted": ("{br}", "gzip", "{br}", None),
    "of a refused coding": ("{br}", "br;q=0, gzip", "{br}", None),
    "of another accepted coding": ("{gzip}", "br, gzip", '"v1"', "{gzip}"),
    "star": ("*", "br", "*", '"v1"'),
    "another page's": ('"v2-br-0000"', "br", '"v2-br-0000"', None),
    "no spaces": ('"a",{br},"b"', "br", '"a","v1","b"', "{br}"),
    "a comma within": ('"a,b", {br}', "br", '"a,b", "v1"', "{br}"),
    "rubbish around": ("x, {br}, y", "br", 'x, "v1", y', "{br}"),
    "unquoted": ("v1-br", "br", "v1-br", None),
    "empty": ("", "br", "", None),
}


@pytest.mark.parametrize(("sent", "accepted", "seen", "returned"), NONE_MATCH.values(), ids=NONE_MATCH)
def test_if_none_match(sent, accepted, seen, returned):
    """Our suffix is stripped in place; all else stays as it was."""
    tags = {coding: with_coding('"v1"', coding) for coding in CODINGS}
    site = Site()
    got = browse(CompressionMiddleware(site), accepted, If_None_Match=sent.format(**tags))
    assert site.seen[-1]["HTTP_IF_NONE_MATCH"] == seen.format(**tags)
    assert got.status == ("200 OK" if returned is None else "304 Not Modified")
    assert returned is None or got["ETag"] == returned.format(**tags)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("accepted", ["br, zstd, gzip", "identity", ""])
def test_if_match_takes_any_of_our_tags(coding, accepted):
    """It is about what the client once got, whatever it accepts now; the tag is strong, and stays so."""
    site = Site()
    got = browse(CompressionMiddleware(site), accepted, If_Match=with_coding('"v1"', coding))
    assert site.seen[-1] == {"HTTP_IF_MATCH": '"v1"'}
    assert got.status == "200 OK"
    got = browse(CompressionMiddleware(site), accepted, If_Match=with_coding('"v2"', coding))
    assert got.status == "412 Precondition Failed"


def test_if_range_is_never_translated():
    """A range of the plain body doesn't continue an encoded one: the client gets all of it anew."""
    site = Site()
    app = CompressionMiddleware(site)
    tag = browse(app, "br")["ETag"]
    got = browse(app, "br", Range="bytes=0-9", If_Range=tag)
    assert site.seen[-1]["HTTP_IF_RANGE"] == tag
    assert (got.status, got["Content-Encoding"]) == ("200 OK", "br")


def test_a_range_of_the_plain_body_is_left_alone():
    """With the application's tag; an encoded answer says nothing of ranges."""
    app = CompressionMiddleware(Site('"v1"', ("Accept-Ranges", "bytes")))
    got = browse(app, "br", Range="bytes=0-9", If_Range='"v1"')
    assert (got.status, got["ETag"], got["Accept-Ranges"]) == ("206 Partial Content", '"v1"', "bytes")
    assert (got["Content-Encoding"], got.body) == (None, PAGE[:10])
    assert got["Vary"] == "Accept-Encoding"  # as in the 200 to the same request
    assert browse(app, "br")["Accept-Ranges"] is None
    assert browse(app, "identity")["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("content_type", "own", "vary"),
    [
        pytest.param(HTML, [], "Accept-Encoding", id="a page"),
        pytest.param(HTML, [("Vary", "Cookie")], "Cookie, Accept-Encoding", id="a page that varies"),
        pytest.param(("Content-Type", "image/png"), [], None, id="a picture"),
    ],
)
def test_a_range_varies_as_the_whole(content_type, own, vary):
    """RFC 9110 section 15.3.7: whatever stores the one must know what the other was chosen by."""
    app = CompressionMiddleware(Site('"v1"', *own, content_type=content_type))
    whole, part = browse(app, "br"), browse(app, "br", Range="bytes=0-9")
    assert (whole.status, part.status) == ("200 OK", "206 Partial Content")
    assert whole["Vary"] == part["Vary"] == vary


@pytest.mark.parametrize("coding", CODINGS)
def test_an_application_whose_own_tags_end_like_ours(coding):
    """It passes on those of another server that runs this: both forms are kept, and its own is recognised."""
    own = with_coding('"v1"', coding)
    site = Site(own)
    app = CompressionMiddleware(site)
    tag = browse(app, coding)["ETag"]
    assert tag == with_coding(own, coding)
    for condition in (own, tag):
        got = browse(app, coding, If_None_Match=condition)
        assert got.status == "304 Not Modified", condition
        assert browse(app, coding, If_Match=condition).status == "200 OK"
    assert browse(app, "identity", If_None_Match=own).status == "304 Not Modified"


def test_an_application_whose_tags_only_look_like_ours_is_left_alone():
    """The digits behind the coding are worked out, not only looked at."""
    site = Site('"v1-br-0000"')
    app = CompressionMiddleware(site)
    tag = browse(app, "br")["ETag"]
    assert browse(app, "br", If_None_Match=tag).status == "304 Not Modified"
    assert site.seen[-1] == {"HTTP_IF_NONE_MATCH": '"v1-br-0000"'}
    assert browse(app, "br", If_None_Match='"v1-br-0000"').status == "304 Not Modified"


tags = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"'), max_size=20)


@given(opaque=tags, coding=st.sampled_from(CODINGS), endings=st.lists(st.sampled_from(CODINGS), max_size=3))
def test_any_tag_makes_the_round_trip(opaque, coding, endings):
    """200, then 304 with the very tag, and an If-Match that holds."""
    tag = f'"{opaque}"'
    for ending in endings:
        tag = with_coding(tag, ending)
    app = CompressionMiddleware(Site(tag))
    sent = browse(app, coding)["ETag"]
    assert sent != tag
    again = browse(app, coding, If_None_Match=sent)
    assert (again.status, again["ETag"]) == ("304 Not Modified", sent)
    assert browse(app, coding, If_Match=sent).status == "200 OK"


@given(st.text(st.characters(max_codepoint=255)))
def test_any_condition_is_answered(condition):
    """Whatever bytes a client sends."""
    app = CompressionMiddleware(Site())
    for name in ("If_None_Match", "If_Match"):
        assert browse(app, "br", **{name: condition}).status[:3] in ("200", "304", "412")


HOSTILE = {
    "open quotes": ',"' * 300_000,
    "weak ones": ',W/"' * 200_000,
    "spaces": '"a"' + " " * 500_000 + "x",
    "tabs and commas": ",\t" * 300_000,
    "tags": '"a-br-1234",' * 50_000,
    "one long tag": '"' + "-br-" * 200_000 + '"',
    "our tags": (with_coding('"v1"', "br") + ", ") * 20_000,
    "beyond latin-1": '"\N{SNOWMAN}-br-1234"' * 1000,
    "surrogates": '"\udcff-br-1234"',
    "NUL and line breaks": '"a\0\r\n-br-1234", \r\n "b"',
}


@pytest.mark.parametrize("condition", HOSTILE.values(), ids=HOSTILE)
def test_hostile_conditions_are_answered_at_once(condition):
    """A megabyte of them, before and behind a tag of ours."""
    app = CompressionMiddleware(Site())
    for text in (condition, condition + ', "-br-"', '"-br-", ' + condition):
        for name in ("If_None_Match", "If_Match"):
            assert browse(app, "br, gzip", **{name: text}).status[:3] in ("200", "304", "412")


def quiet(*fields, body=PAGE, length=True):
    """As frameworks answer HEAD: GET's headers and no body."""

    def app(environ, start_response):
        size = [("Content-Length", str(len(body)))] if length else []
        start_response("200 OK", [*fields, *size])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return app


HEADS = {
    "a page": quiet(HTML, ("ETag", '"v1"'), ("Accept-Ranges", "bytes")),
    "with a body all the same": returning([PAGE], HTML, ("ETag", '"v1"')),
    "a stream": streaming(HTML, ("ETag", '"v1"'), blocks=[PAGE, PAGE]),
    "a stream with its length": streaming(HTML, ("Content-Length", str(len(PAGE))), blocks=[PAGE]),
    "below the minimum": quiet(HTML, body=b"small"),
    "a small body without length": returning([b"small"], HTML),
    "no content": quiet(HTML, body=b""),
    "an image": quiet(("Content-Type", "image/png"), ("ETag", '"v1"')),
    "encoded already": quiet(HTML, ("Content-Encoding", "gzip")),
    "weak": quiet(HTML, ("ETag", 'W/"v1"')),
}


@pytest.mark.parametrize("accepted", ["br", "identity", "identity;q=0, gzip", ""])
@pytest.mark.parametrize("app", HEADS.values(), ids=HEADS)
def test_head_has_the_headers_of_get(app, accepted):
    """Without Content-Length where GET's depends on the encoded bytes (RFC 9110 section 9.3.2)."""
    wrapped = CompressionMiddleware(app)
    get = ask(wrapped, headers={"Accept-Encoding": accepted})
    head = ask(wrapped, "/", "HEAD", {"Accept-Encoding": accepted})

    def without_length(got):
        return sorted(field for field in got.fields if field[0] != "Content-Length")

    assert without_length(head) == without_length(get)
    assert head["Content-Length"] in (None, get["Content-Length"])
    if get["Content-Encoding"] and app is not HEADS["encoded already"]:
        assert head["Content-Length"] is None


@pytest.mark.parametrize("accepted", ["br", "identity"])
@pytest.mark.parametrize("body", [PAGE, b"small"], ids=["page", "small"])
def test_an_early_answer_to_head_has_the_headers_of_get(accepted, body):
    """A part inside answers both the same way."""

    def answers():
        return Response("200 OK", [HTML, ("ETag", '"v1"')], [body])

    stack = Stack(answering(), CompressionMiddleware(), Recorder("a", [], answer=answers))
    get, head = (ask(stack, "/", method, {"Accept-Encoding": accepted}) for method in ("GET", "HEAD"))
    assert head.body == b""
    for name in ("ETag", "Vary", "Content-Encoding"):
        assert head[name] == get[name]
