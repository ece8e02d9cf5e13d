"""Bodies: whole, broken, given up, or encoded once for all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cache.site import (
    FRESH,
    HOST,
    HTML,
    TAG,
    Clock,
    Origin,
    came_from_store,
    frozen,
    get,
    in_thread,
    stored,
    until,
    waiting,
    warmed,
)
from tests.unit.client import PAGE, Environ, Exchanged, ask, environ_of
from wsgiperf import CacheMiddleware, CompressionMiddleware, Stack


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    return frozen(monkeypatch, tmp_path)


# -- bodies


@pytest.mark.parametrize(
    ("status", "length"), [("200 OK", "0"), ("404 Not Found", "0"), ("204 No Content", None)]
)
def test_an_empty_answer_has_the_length_it_may_have(status: str, length: str | None) -> None:
    origin = Origin(FRESH, status=status, body=lambda environ: b"")
    cache = stored(origin)
    answer = get(cache)
    assert (answer.status, answer["Content-Length"], came_from_store(answer)) == (status, length, True)


@pytest.mark.parametrize(
    ("length", "body", "kept"),
    [
        pytest.param("4", b"body", True, id="right"),
        pytest.param("5", b"body", False, id="truncated"),
        pytest.param("3", b"body", False, id="too-much"),
        pytest.param("4, 4", b"body", True, id="said-twice"),
        pytest.param("x", b"body", True, id="no-number"),
        pytest.param(None, b"body", True, id="unsaid"),
        pytest.param(None, b"x" * 2000, False, id="too-large"),
        pytest.param("9" * 30, b"body", True, id="absurd"),
    ],
)
@pytest.mark.parametrize("streams", [False, True], ids=["list", "stream"])
def test_only_whole_bodies_are_stored(length: str | None, body: bytes, kept: bool, streams: bool) -> None:
    def app(environ: Environ, start_response: Any) -> Any:
        start_response("200 OK", [FRESH, *([("Content-Length", length)] if length else [])])
        return iter([body[:2], body[2:]]) if streams else [body]

    cache = stored(app, maximum_body_size=1000)
    answer = get(cache)
    assert came_from_store(answer) == kept
    if kept:
        assert (answer.body, answer["Content-Length"]) == (body, str(len(body)))


def test_one_block_as_long_as_stated_is_stored_before_it_is_sent() -> None:
    """So frameworks answer: by an iterator over one block."""
    calls = []

    def app(environ: Environ, start_response: Any) -> Iterator[bytes]:
        calls.append(environ)
        start_response("200 OK", [FRESH, ("Content-Length", "4")])
        return iter([b"body"])

    cache = CacheMiddleware(app)
    heads: list[Any] = []
    cache(environ_of(headers={"Host": HOST}), lambda *head: heads.append(head))  # and leaves unread
    assert ("Cache-Status", "wsgiperf; fwd=uri-miss; stored") in heads[0][1]
    answer = get(cache)
    assert (answer.body, came_from_store(answer), len(calls)) == (b"body", True, 1)


def test_a_body_that_fails_is_not_stored() -> None:
    def app(environ: Environ, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [FRESH])
        yield b"first"
        raise RuntimeError("fails")

    cache = CacheMiddleware(app)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="fails"):
            get(cache)


def test_hop_by_hop_fields_are_not_stored() -> None:
    fields = [("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "5"), ("X-Kept", "1")]
    cache = stored(Origin(FRESH, *fields))
    answer = get(cache)
    names = {name.lower() for name, _ in answer.fields}
    assert (names & {"connection", "x-hop", "keep-alive", "x-kept"}, came_from_store(answer)) == (
        {"x-kept"},
        True,
    )


# -- when things go wrong


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_an_exception_of_the_application_lets_those_who_wait_go(kind: type[BaseException]) -> None:
    fail, calls = threading.Event(), []

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        calls.append(1)
        if len(calls) == 1:
            assert fail.wait(20)
            raise kind("fails")
        start_response("200 OK", [FRESH])
        return [b"call"]

    cache = warmed(CacheMiddleware(app, coalesce_timeout=600.0))
    leader = in_thread(lambda: get(cache))
    until(lambda: bool(calls))
    others = [in_thread(lambda: get(cache).body) for _ in range(4)]
    until(lambda: waiting(cache) == 4)
    fail.set()
    assert isinstance(leader(), kind)
    assert [other() for other in others] == [b"call"] * 4
    assert not cache._flights._under_way


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(lambda environ, start_response: [b"no head"], id="no-head"),
        pytest.param(lambda environ, start_response: None, id="nothing"),
        pytest.param(lambda environ, start_response: start_response("200", []) and 1, id="no-iterable"),
    ],
)
def test_a_broken_application_leaves_no_flight(bad: Any) -> None:
    cache = CacheMiddleware(bad)
    for _ in range(2):
        try:
            ask(cache, "/", strict=False)
        except Exception:
            continue
        except BaseException:
            raise
    assert not cache._flights._under_way


@pytest.mark.parametrize("status", ["OK", "", "2", "abc Not a number"])
def test_a_status_that_is_none_passes(status: str, caplog: pytest.LogCaptureFixture) -> None:
    cache = CacheMiddleware(Origin(FRESH, status=status))
    answers = [get(cache) for _ in range(2)]
    assert [answer.body for answer in answers] == [b"call 1", b"call 2"]


def test_the_client_that_leaves_leaves_no_flight() -> None:
    def app(environ: Environ, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [FRESH])
        yield from (b"1", b"2", b"3")

    cache = CacheMiddleware(app)
    gone = Exchanged(cache, environ_of("/", headers={"Host": HOST}))
    assert gone.read() == b"1"
    gone.close()
    assert not cache._flights._under_way
    answer = get(cache)
    assert (answer.body, came_from_store(answer)) == (b"123", False)


# -- one representation, many encodings


class Codecs:
    """Counts what is encoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, part: CompressionMiddleware) -> None:
        self.made: list[str] = []
        for name, codec in part._codecs.items():
            part._codecs[name] = _Counted(codec, name, self.made)  # type: ignore[assignment]


class _Counted:
    def __init__(self, codec: Any, name: str, made: list[str]) -> None:
        self._codec, self._name, self._made = codec, name, made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codec, name)

    def encode(self, data: bytes) -> bytes:
        self._made.append(self._name)
        return self._codec.encode(data)  # type: ignore[no-any-return]


def test_the_application_and_each_codec_are_called_once(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = Origin(FRESH, HTML, TAG, body=lambda environ: PAGE)
    compression, cache = CompressionMiddleware(), CacheMiddleware()
    codecs = Codecs(monkeypatch, compression)
    stack = Stack(origin, compression, cache)
    accepted = ["br", "gzip", "zstd", "identity", "gzip, br", "*", "br;q=0, gzip"]
    tags = set()
    for _ in range(3):
        for accept in accepted:
            answer = get(stack, headers={"Accept-Encoding": accept})
            assert answer.decoded() == PAGE
            assert answer["Vary"] == "Accept-Encoding"
            tags.add((answer["Content-Encoding"], answer["ETag"]))
    assert origin.calls == 1
    assert sorted(codecs.made) == ["br", "gzip", "zstd"]
    assert len(tags) == len({tag for _, tag in tags}) == 4


def test_variants_count_in_the_budget() -> None:
    cache = CacheMiddleware()
    stack = Stack(Origin(FRESH, HTML, body=lambda environ: PAGE), CompressionMiddleware(), cache)
    get(stack)
    memory: Any = cache._storage._memory
    sizes = [memory.size]
    for coding in ("gzip", "br", "zstd"):
        answer = get(stack, headers={"Accept-Encoding": coding})
        sizes.append(memory.size)
        assert sizes[-1] - sizes[-2] >= len(answer.body)


def test_variants_are_shared_with_other_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"store": "file", "directory": str(tmp_path / "store")}
    origin = Origin(FRESH, HTML, body=lambda environ: PAGE)
    get(Stack(origin, CompressionMiddleware(), CacheMiddleware(**options)), headers={"Accept-Encoding": "br"})
    compression = CompressionMiddleware()
    codecs = Codecs(monkeypatch, compression)
    other = Stack(origin, compression, CacheMiddleware(**options))
    assert get(other, headers={"Accept-Encoding": "br"}).decoded() == PAGE
    assert (origin.calls, codecs.made) == (1, [])
