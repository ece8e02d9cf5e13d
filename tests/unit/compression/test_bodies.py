"""Which bodies are encoded whole, which block by block, and what becomes of them when something fails."""

from __future__ import annotations

import io
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.client import HTML, PAGE, Body, Exchanged, answering, ask, environ_of, returning, streaming
from unit.logs import own
from unit.parts import Changing, Recorder, Seen
from wsgiperf import CompressionMiddleware, Middleware, Response, Stack
from wsgiperf.events import Compressed
from wsgiperf.testing.decoding import Decoder

CODINGS = ["br", "zstd", "gzip"]
LENGTH = ("Content-Length", str(len(PAGE)))


@pytest.fixture(params=CODINGS)
def coding(request):
    """Each of them."""
    return request.param


def encoded(app, coding, *args, **request):
    return ask(CompressionMiddleware(app), *args, headers={"Accept-Encoding": coding}, **request)


def started(app, coding):
    return Exchanged(CompressionMiddleware(app), environ_of(headers={"Accept-Encoding": coding}))


WHOLE = {
    "a list": returning([PAGE], HTML),
    "a list of many": returning([PAGE[:100], b"", PAGE[100:]], HTML),
    "a list with its length": returning([PAGE], HTML, LENGTH),
    "a tuple": returning((PAGE[:100], PAGE[100:]), HTML),
}


@pytest.mark.parametrize("app", WHOLE.values(), ids=WHOLE)
def test_lists_and_tuples_are_encoded_whole(app, coding):
    """With a Content-Length of the encoded bytes, as one block that the server can count."""
    got = encoded(app, coding)
    assert (got["Content-Encoding"], got.decoded()) == (coding, PAGE)
    assert got["Content-Length"] == str(len(got.body))
    assert len(got.sent) == 1


def test_a_first_block_as_long_as_the_content_is_encoded_whole(coding):
    """Frameworks send a page as an iterator with its length."""
    got = encoded(streaming(HTML, LENGTH, blocks=[b"", PAGE]), coding)
    assert (got.decoded(), got["Content-Length"]) == (PAGE, str(len(got.body)))


def test_such_an_iterator_is_run_to_its_end(coding):
    """What it does after its last block is done, such as closing a cursor; what it says isn't sent."""
    ends = []

    def app(environ, start_response):
        start_response("200 OK", [HTML, LENGTH])
        yield PAGE
        yield b"beyond Content-Length"
        ends.append(True)

    got = encoded(app, coding)
    assert (got.decoded(), ends) == (PAGE, [True])
    assert got["Content-Length"] == str(len(got.body))


def test_a_stream_is_encoded_block_by_block(coding):
    """A client can decode each block before the next is asked for."""
    asked = []

    def blocks():
        for number in range(5):
            asked.append(number)
            yield f"block {number} ".encode() * 100

    got = started(streaming(HTML, blocks=blocks()), coding)
    assert (got["Content-Encoding"], got["Content-Length"]) == (coding, None)
    decoder = Decoder(coding)
    for number in range(5):
        assert decoder.feed(got.read()) == f"block {number} ".encode() * 100
        assert asked == list(range(number + 1))
        assert not decoder.finished
    decoder.feed(got.read())
    assert decoder.finished
    assert got.read() is None


@given(blocks=st.lists(st.binary(max_size=60), max_size=8), coding=st.sampled_from(CODINGS))
def test_any_stream_comes_out_as_it_went_in(blocks, coding):
    """Empty blocks anywhere, no block at all."""
    got = encoded(streaming(HTML, blocks=blocks), coding)
    assert got.decoded() == b"".join(blocks)


@pytest.mark.parametrize("blocks", [[], [b""], [b"", b"", b""]], ids=repr)
def test_an_empty_stream_stays_empty(blocks, coding, caplog):
    """The end of a coding would be longer than nothing."""
    got = encoded(streaming(HTML, blocks=blocks), coding)
    assert (got["Content-Encoding"], got.body) == (None, b"")
    assert own(caplog) == []


def test_an_empty_list_stays_empty(coding):
    """Likewise."""
    for body in ([], [b""], (), (b"", b"")):
        got = encoded(returning(body, HTML), f"{coding}, identity;q=0")
        assert (got["Content-Encoding"], got.body, got["Content-Length"]) == (None, b"", "0")


def test_the_memory_of_a_stream_is_bounded(coding):
    """However long it is."""
    blocks = 400
    chance = random.Random(1)
    texts = [chance.randbytes(16_384).hex().encode() for _ in range(4)]
    got = started(streaming(HTML, blocks=(texts[number % 4] for number in range(blocks))), coding)
    got.read()
    tracemalloc.start()
    try:
        while got.read() is not None:
            got.sent.clear()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        got.close()
    assert peak < 2**20


class Wrapper:
    """gunicorn's kind."""

    def __init__(self, file, size=1000):
        self.file, self.size, self.close = file, size, file.close

    def __getitem__(self, index):
        block = self.file.read(self.size)
        if not block:
            raise IndexError(index)
        return block


@pytest.mark.parametrize("wrapper", [Wrapper, lambda file: file], ids=["a class", "a function"])
def test_files_are_encoded_as_streams(wrapper, coding):
    """And closed; an image stays the server's own object."""
    files = []

    def app(environ, start_response):
        files.append(io.BytesIO(PAGE))
        start_response("200 OK", [("Content-Type", environ["PATH_INFO"][1:]), LENGTH])
        return environ["wsgi.file_wrapper"](files[-1])

    got = encoded(app, coding, "/text/css", **{"wsgi.file_wrapper": wrapper})
    assert (got["Content-Encoding"], got["Content-Length"], got.decoded()) == (coding, None, PAGE)
    assert files[0].closed
    got = encoded(app, coding, "/image/png", **{"wsgi.file_wrapper": wrapper})
    assert got.iterable is files[1] or isinstance(got.iterable, Wrapper)
    assert (got["Content-Encoding"], got["Content-Length"]) == (None, str(len(PAGE)))


def test_pushed_bytes_are_not_encoded(coding):
    """They go past the parts; the head still says that it depends."""

    def app(environ, start_response):
        write = start_response("200 OK", [HTML])
        write(PAGE)
        return [PAGE]

    got = encoded(app, coding)
    assert (got["Content-Encoding"], got["Vary"], got.body) == (None, "Accept-Encoding", PAGE * 2)


def broken(*fields):
    def app(environ, start_response):
        start_response("200 OK", [HTML, *fields])
        yield PAGE
        raise LookupError("mid-stream")

    return app


@pytest.mark.parametrize(
    "fields", [[], [("Content-Length", str(2 * len(PAGE)))]], ids=["no length", "length"]
)
def test_an_error_in_the_stream_does_not_end_the_coding(fields, coding):
    """A truncated stream is the only thing that tells the client; not even asking again ends it."""
    got = started(broken(*fields), coding)
    decoder = Decoder(coding)
    assert decoder.feed(got.read()) == PAGE
    with pytest.raises(LookupError):
        got.read()
    assert got.read() is None
    got.close()
    assert decoder.feed(got.body[len(got.sent[0]) :]) == b""
    assert not decoder.finished


SHORT = {
    "a stream": streaming(HTML, LENGTH, blocks=[PAGE[:1000], PAGE[1000:2000]]),
    "an empty stream": streaming(HTML, LENGTH, blocks=[]),
    "a list": returning([PAGE[:2000]], HTML, LENGTH),
    "an empty list": returning([], HTML, LENGTH),
}


@pytest.mark.parametrize("app", SHORT.values(), ids=SHORT)
def test_a_body_shorter_than_its_length_looks_it(app, coding):
    """An upstream connection that broke: what is missing must not look complete."""
    got = encoded(app, coding)
    if got["Content-Encoding"] is None:
        assert int(got["Content-Length"]) > len(got.body)
    else:
        decoder = Decoder(coding)
        assert decoder.feed(got.body) == PAGE[:2000]
        assert not decoder.finished


def test_of_a_stream_longer_than_its_length_the_rest_is_left_out(coding):
    """As servers do, which stop at Content-Length."""
    got = encoded(streaming(HTML, LENGTH, blocks=[PAGE[:1000], PAGE[1000:] + b"beyond", b"beyond"]), coding)
    assert (got["Content-Encoding"], got.decoded()) == (coding, PAGE)


@pytest.mark.parametrize("reads", [0, 1, 2, None])
@pytest.mark.parametrize("fields", [[], [LENGTH]], ids=["streamed", "whole"])
def test_the_applications_body_is_closed_once(reads, fields, coding):
    """Never read, half read, read to its end."""
    body = Body([PAGE] if fields else [PAGE[:1000], PAGE[1000:]])
    got = started(returning(body, HTML, *fields), coding)
    while reads != 0 and got.read() is not None:
        reads = reads and reads - 1
    got.close()
    got.close()
    assert body.closings == 1


class Broken:
    """A codec that raises, at once or in the stream."""

    name = "br"

    def encode(self, body):
        raise MemoryError("on purpose")

    def encoder(self):
        raise MemoryError("on purpose")


@pytest.mark.parametrize(
    "app", [answering(HTML, ("ETag", '"a"')), streaming(HTML, ("ETag", '"a"'), blocks=[PAGE])]
)
def test_a_codec_that_raises_gives_a_plain_answer(app, caplog):
    """Logged; nothing of the head says otherwise, and the next coding is not tried."""
    part = CompressionMiddleware()
    part._codecs["br"] = Broken()
    got = ask(Stack(app, part), headers={"Accept-Encoding": "br, gzip"})
    assert (got["Content-Encoding"], got["ETag"], got.body) == (None, '"a"', PAGE)
    assert got["Content-Length"] in (None, str(len(PAGE)))
    assert "CompressionMiddleware failed" in caplog.text


# Fields of the application's that no part could set: they may not leave a head that lies about the body.
ODD = {
    "ETag with a control character": ("ETag", '"a\x01"'),
    "ETag beyond latin-1": ("ETag", '"\N{SNOWMAN}"'),
    "ETag with a lone surrogate": ("ETag", '"\udcff"'),
    "ETag with a line break": ("ETag", '"a"\r\n'),
    "Vary with a line break": ("Vary", "a\r\nb"),
    "Vary beyond latin-1": ("Vary", "\N{SNOWMAN}"),
    "Content-Length, an enormous one": ("Content-Length", "9" * 5000),
    "Content-Length, other digits": ("Content-Length", "\N{ARABIC-INDIC DIGIT EIGHT}400"),
    "Content-Length, a sign": ("Content-Length", "+8400"),
    "Content-Length, a word": ("Content-Length", "many"),
    "Content-Length, not a string": ("Content-Length", 8400),
    "Cache-Control, not a string": ("Cache-Control", 5),
}


@pytest.mark.parametrize("field", ODD.values(), ids=ODD)
@pytest.mark.parametrize("kind", ["list", "stream"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_odd_fields_leave_head_and_body_in_agreement(field, kind, method, coding, caplog):
    """Encoded and said so, or plain and not."""
    app = answering(HTML, field) if kind == "list" else streaming(HTML, field, blocks=[PAGE])
    got = encoded(app, coding, "/", method, strict=False)
    assert method == "HEAD" or got.decoded() == PAGE
    assert field in got.fields or got["Content-Encoding"] is not None


class Storing(Middleware):
    """Offers the variants it keeps, as a cache does."""

    def __init__(self, variants):
        self.variants = variants
        super().__init__()

    def on_request(self, exchange):
        response = Response("200 OK", [HTML], [PAGE])
        response.variants = self.variants
        return response


def test_a_variant_offered_inside_is_used_instead_of_the_codec():
    """A hit costs no encoding."""
    part = CompressionMiddleware()
    part._codecs["br"] = Broken()
    kept = ask(CompressionMiddleware(answering(HTML)), headers={"Accept-Encoding": "br"}).body
    seen = Seen(lambda exchange: exchange.events)
    stack = Stack(answering(), seen, part, Storing({"br": kept}))
    got = ask(stack, headers={"Accept-Encoding": "br"})
    assert (got.body, got["Content-Encoding"], got["Content-Length"]) == (kept, "br", str(len(kept)))
    assert seen.found == [[Compressed("br", len(PAGE), len(kept), 0.0)]]


def test_what_is_encoded_is_put_among_the_variants(coding):
    """For the next request; what nobody asked for isn't made."""
    variants: dict[str, bytes] = {}
    got = ask(
        Stack(answering(), CompressionMiddleware(), Storing(variants)), headers={"Accept-Encoding": coding}
    )
    assert variants == {coding: got.body}
    ask(Stack(answering(), CompressionMiddleware(), Storing(variants)))
    assert list(variants) == [coding]


def test_an_early_answer_of_an_inner_part_is_encoded(coding):
    """The part sees it as any other; one that an outer part gives it doesn't see."""

    def answers():
        return Response("200 OK", [HTML], [PAGE])

    inner = Stack(answering(), CompressionMiddleware(), Recorder("a", [], answer=answers))
    outer = Stack(answering(), Recorder("a", [], answer=answers), CompressionMiddleware())
    assert ask(inner, headers={"Accept-Encoding": coding})["Content-Encoding"] == coding
    assert ask(outer, headers={"Accept-Encoding": coding})["Content-Encoding"] is None


def test_a_part_inside_may_replace_the_body(coding):
    """What is encoded is what it put there."""
    change = Changing(lambda response: setattr(response, "body", iter([PAGE.upper()])))
    got = ask(Stack(answering(HTML), CompressionMiddleware(), change), headers={"Accept-Encoding": coding})
    assert (got["Content-Encoding"], got.decoded()) == (coding, PAGE.upper())


def test_two_streams_by_turns_do_not_mix(coding):
    """Each has an encoder of its own."""
    wrapped = CompressionMiddleware(streaming(HTML, blocks=[b"a" * 1000, b"b" * 1000]))
    other = CompressionMiddleware(streaming(HTML, blocks=[b"c" * 1000, b"d" * 1000]))
    environ = {"Accept-Encoding": coding}
    streams = [Exchanged(app, environ_of(headers=environ)) for app in (wrapped, other, wrapped)]
    while [block for stream in streams if (block := stream.read()) is not None]:
        pass
    assert [stream.decoded()[::1000] for stream in streams] == [b"ab", b"cd", b"ab"]
