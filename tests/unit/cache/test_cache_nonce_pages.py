"""Pages with a CSP nonce: each answer from the store has a new one, in header and body alike."""

from __future__ import annotations

import base64
import gzip
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cache.site import (
    FRESH,
    HOST,
    Clock,
    came_from_store,
    frozen,
    get,
    in_thread,
    until,
    waiting,
    warmed,
)
from tests.unit.client import Environ, Exchanged, ask
from wsgiperf import CacheMiddleware, CompressionMiddleware, SecurityHeadersMiddleware, Stack

HTML = ("Content-Type", "text/html; charset=utf-8")
TAG = ("ETag", '"v1"')
CODINGS = ["identity", "gzip", "br", "zstd"]
_IN_POLICY = re.compile(r"'nonce-([^']+)'")
_IN_PAGE = re.compile(rb'nonce="([^"]*)"')


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    return frozen(monkeypatch, tmp_path)


class Page:
    """An application whose page has scripts and styles with the nonce.

    :param streams: send it in two blocks.
    :param change: makes the body of the page with its nonce in it.
    """

    def __init__(self, *fields: tuple[str, str], streams: bool = False, change: Any = None) -> None:
        self.fields = [HTML, *(fields or (FRESH, TAG))]
        self.streams, self.change = streams, change
        self.status, self.calls = "200 OK", 0
        self.seen: list[Environ] = []

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        self.calls += 1
        self.seen.append(dict(environ))
        if self.status[:3] == "304":
            start_response(self.status, list(self.fields))
            return []
        nonce = str(environ.get("wsgiperf.csp_nonce", ""))
        page = (
            f'<style nonce="{nonce}">p {{}}</style>{"<p>Some text that compresses.</p>" * 100}'
            f'<script nonce="{nonce}">run()</script><!-- call {self.calls} -->'
        ).encode()
        if self.change is not None:
            page = self.change(page, nonce)
        fields = [(name, value.replace("NONCE", nonce)) for name, value in self.fields]
        start_response(self.status, fields)
        return iter([page[:500], page[500:]]) if self.streams else [page]


def site(page: Any, cache: CacheMiddleware | None = None, **security: Any) -> Stack:
    """The parts as `wrap` has them, with a policy that takes a nonce."""
    strict = SecurityHeadersMiddleware(**{"preset": "strict", **security})
    return Stack(page, strict, CompressionMiddleware(), cache or CacheMiddleware())


def nonces(answer: Exchanged) -> tuple[set[str], set[str]]:
    """Those that the policy names, and those in the page."""
    policy = answer["Content-Security-Policy"] or ""
    return set(_IN_POLICY.findall(policy)), {found.decode() for found in _IN_PAGE.findall(answer.decoded())}


def only_nonce(answer: Exchanged) -> str:
    """The one that stands in both."""
    named, used = nonces(answer)
    assert named == used
    assert len(used) == 1
    return used.pop()


def without_nonce(answer: Exchanged) -> bytes:
    """What has to be the same each time."""
    return answer.decoded().replace(only_nonce(answer).encode(), b"*")


@pytest.mark.parametrize("streams", [False, True], ids=["list", "stream"])
@pytest.mark.parametrize("store", ["memory", "file"])
def test_each_answer_has_a_nonce_of_its_own(streams: bool, store: str, tmp_path: Path) -> None:
    page = Page(streams=streams)
    options: dict[str, Any] = {"store": store, "directory": str(tmp_path / "store")}
    stack = site(page, CacheMiddleware(**options))
    first = get(stack)
    seen = {only_nonce(first)}
    for number in range(12):
        if store == "file" and number == 6:
            stack = site(page, CacheMiddleware(**options))
        answer = get(stack, headers={"Accept-Encoding": CODINGS[number % 4]})
        assert came_from_store(answer)
        assert answer["Content-Encoding"] == (None if number % 4 == 0 else CODINGS[number % 4])
        assert answer["Content-Length"] == str(len(answer.body))
        assert without_nonce(answer) == without_nonce(first)
        seen.add(only_nonce(answer))
    assert len(seen) == 13
    assert page.calls == 1


@pytest.mark.parametrize("coding", CODINGS)
def test_what_goes_out_is_the_browser_s_alone(coding: str) -> None:
    """Or a network's cache would give one nonce to all."""
    fields = [
        ("Cache-Control", "public, max-age=60, s-maxage=600, proxy-revalidate"), TAG, ("Accept-Ranges", "x"),
        ("CDN-Cache-Control", "max-age=600"), ("Cloudflare-CDN-Cache-Control", "max-age=600"),
        ("Surrogate-Control", "max-age=600"), ("Content-MD5", "x"), ("Digest", "x"),
    ]  # fmt: skip
    stack = site(Page(*fields))
    for number in range(3):
        answer = get(stack, headers={"Accept-Encoding": coding})
        assert came_from_store(answer) == (number > 0)
        assert answer["Cache-Control"] == "private, max-age=60"
        names = {name.lower() for name, _ in answer.fields}
        assert not {name for name in names if name.endswith("-cache-control")} - {"cache-control"}
        assert "surrogate-control" not in names
        if number:
            assert str(answer["ETag"]).startswith('W/"v1')
            assert not names & {"accept-ranges", "content-md5", "digest"}


def test_a_cache_that_listens_to_another_field_still_sends_none() -> None:
    page = Page(FRESH, ("CDN-Cache-Control", "max-age=600"), ("My-Cache-Control", "max-age=30"))
    stack = site(page, CacheMiddleware(targeted_fields=["My-Cache-Control"]))
    for _ in range(2):
        answer = get(stack)
        assert (answer["CDN-Cache-Control"], answer["My-Cache-Control"]) == (None, None)
    assert came_from_store(answer)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("preset", ["strict", "balanced"])
def test_a_304_has_no_policy_with_room_for_a_nonce(coding: str, preset: str) -> None:
    """The browser keeps the page with its nonce: another policy would have it blocked."""
    stack = site(Page(), preset=preset)
    get(stack)
    kept = get(stack, headers={"Accept-Encoding": coding})
    assert came_from_store(kept)
    sent = {"Accept-Encoding": coding, "If-None-Match": str(kept["ETag"])}
    answer = get(stack, headers=sent)
    assert (answer.status[:3], answer.body, came_from_store(answer)) == ("304", b"", True)
    assert answer["ETag"] == kept["ETag"]
    assert answer["Cache-Control"] == "private, max-age=60"
    policies = [value for name, value in answer.fields if name.lower().startswith("content-security-policy")]
    assert not policies or "nonce" not in str(kept["Content-Security-Policy"])
    assert "'nonce-" not in "".join(policies)


def test_a_304_on_a_miss_has_no_policy_either() -> None:
    """The application was asked for the page, and has used a nonce that nobody will see."""
    answer = get(site(Page()), headers={"If-None-Match": '"v1"'})
    assert (answer.status[:3], answer["Content-Security-Policy"]) == ("304", None)


def test_a_304_after_a_validation_has_none(clock: Clock) -> None:
    page = Page()
    stack = site(page)
    tag = str(get(stack)["ETag"])
    clock.forward(70)
    page.status = "304 Not Modified"
    answer = get(stack, headers={"If-None-Match": tag})
    assert (answer.status[:3], answer["Content-Security-Policy"]) == ("304", None)
    assert page.calls == 2


@pytest.mark.parametrize("asked", ["bytes=0-10", "bytes=-5", "bytes=0-0,2-3", "bytes=99999-"])
def test_ranges_are_ignored(asked: str) -> None:
    """Two parts with two nonces make no page."""
    stack = site(Page())
    first = get(stack)
    for headers in ({"Range": asked}, {"Range": asked, "If-Range": '"v1"'}):
        answer = get(stack, headers=headers)
        assert (answer.status, came_from_store(answer)) == ("200 OK", True)
        assert without_nonce(answer) == without_nonce(first)


def test_head_tells_what_get_would() -> None:
    stack = site(Page())
    whole = get(stack)
    answer = ask(stack, "/", "HEAD", {"Host": HOST})
    assert (answer.body, answer["Content-Length"]) == (b"", str(len(whole.body)))
    assert came_from_store(answer)


def _gzipped(page: bytes, nonce: str) -> bytes:
    return gzip.compress(page)


def _encoded(page: bytes, nonce: str) -> bytes:
    return page + nonce[:16].encode() + b" and " + base64.b64encode(nonce.encode())


REFUSED = [
    pytest.param([FRESH, ("Link", "</a.js>; rel=preload; nonce=NONCE")], None, id="in-a-header"),
    pytest.param(
        [FRESH, ("Content-Security-Policy", "script-src 'nonce-NONCE'")], None, id="in-its-own-policy"
    ),
    pytest.param([FRESH, ("Set-Cookie", "n=NONCE")], None, id="in-a-cookie"),
    pytest.param([FRESH, ("Content-Encoding", "gzip")], _gzipped, id="encoded-by-the-application"),
    pytest.param([FRESH], lambda page, nonce: page + nonce.encode() * 300, id="too-often"),
]


@pytest.mark.parametrize(("fields", "change"), REFUSED)
@pytest.mark.parametrize("streams", [False, True], ids=["list", "stream"])
def test_what_cannot_be_made_anew_is_not_stored(
    fields: list[tuple[str, str]], change: Any, streams: bool
) -> None:
    page = Page(*fields, change=change, streams=streams)
    stack = site(page)
    for number in range(3):
        answer = get(stack, headers={"Accept-Encoding": "gzip"})
        assert not came_from_store(answer)
        assert answer.decoded()
        assert page.calls == number + 1


def test_a_part_of_a_page_is_not_stored() -> None:
    page = Page(FRESH, TAG, ("Content-Range", "bytes 0-99/5000"), change=lambda body, nonce: body[:100])
    page.status = "206 Partial Content"
    stack = site(page)
    for _ in range(2):
        assert not came_from_store(get(stack, headers={"Range": "bytes=0-99"}))


def test_a_nonce_read_after_the_head_is_not_stored(caplog: pytest.LogCaptureFixture) -> None:
    calls = []

    def app(environ: Environ, start_response: Any) -> Iterator[bytes]:
        calls.append(1)
        start_response("200 OK", [HTML, FRESH])
        yield b"<p>"
        yield b'<script nonce="%s">' % str(environ["wsgiperf.csp_nonce"]).encode()

    stack = site(app)
    bodies = {get(stack).body for _ in range(3)}
    assert len(bodies) == len(calls) == 3


def test_a_page_without_the_nonce_is_stored_as_it_is() -> None:
    page = Page(FRESH, TAG, change=lambda body, nonce: b"<p>no script</p>")
    stack = site(page)
    get(stack)
    answer = get(stack)
    assert (answer.body, answer["Cache-Control"], answer["ETag"]) == (
        b"<p>no script</p>",
        "max-age=60",
        '"v1"',
    )
    assert came_from_store(answer)
    assert answer["Content-Security-Policy"]


def test_without_the_part_that_makes_nonces_the_entry_is_of_no_use(tmp_path: Path) -> None:
    """A store may be shared with an application that runs without it."""
    options: dict[str, Any] = {"store": "file", "directory": str(tmp_path / "store")}
    page = Page()
    get(site(page, CacheMiddleware(**options)))
    answer = get(CacheMiddleware(page, **options))
    assert not came_from_store(answer)
    assert _IN_PAGE.findall(answer.body) == [b"", b""]


def test_who_waits_gets_a_nonce_of_their_own() -> None:
    release, page = threading.Event(), Page()

    def app(environ: Environ, start_response: Any) -> Any:
        body = page(environ, start_response)
        if page.calls == 1:
            assert release.wait(20)
        return body

    cache = warmed(CacheMiddleware(coalesce_timeout=600.0))
    stack = site(app, cache)
    asking = [in_thread(lambda: get(stack)) for _ in range(5)]
    until(lambda: waiting(cache) == 4)
    release.set()
    assert len({only_nonce(answer()) for answer in asking}) == 5
    assert page.calls == 1


@pytest.mark.parametrize("fields", [[TAG, FRESH], [TAG, ("Cache-Control", "public, s-maxage=60")], [TAG]])
def test_a_validation_changes_nothing_of_all_this(fields: list[tuple[str, str]], clock: Clock) -> None:
    page = Page()
    stack = site(page)
    first = get(stack)
    clock.forward(70)
    page.status, page.fields = (
        "304 Not Modified",
        [*fields, ("CDN-Cache-Control", "max-age=30"), ("X-New", "1")],
    )
    seen = {only_nonce(first)}
    for number in range(3):
        answer = get(stack, headers={"Accept-Encoding": CODINGS[number]})
        assert without_nonce(answer) == without_nonce(first)
        assert answer["X-New"] == "1"
        assert str(answer["Cache-Control"]).split(",")[0] == "private"
        assert "s-maxage" not in str(answer["Cache-Control"])
        assert answer["CDN-Cache-Control"] is None
        assert str(answer["ETag"]).startswith('W/"v1')
        seen.add(only_nonce(answer))
    assert len(seen) == 4
    assert page.seen[1]["HTTP_IF_NONE_MATCH"] == 'W/"v1"'


def test_a_head_changes_nothing_of_all_this(clock: Clock) -> None:
    page = Page()
    stack = site(page)
    get(stack)
    clock.forward(70)
    ask(stack, "/", "HEAD", {"Host": HOST})
    answer = get(stack)
    assert answer["Cache-Control"] == "private, max-age=60"


@pytest.mark.parametrize("coding", CODINGS)
def test_spliced_variants_count_in_the_budget(coding: str) -> None:
    cache = CacheMiddleware()
    stack = site(Page(), cache)
    get(stack)
    memory: Any = cache._storage._memory
    before = memory.size
    answer = get(stack, headers={"Accept-Encoding": coding})
    assert came_from_store(answer)
    if coding == "identity":
        assert memory.size == before
    else:
        assert memory.size - before >= len(answer.body) - 64
    after = memory.size
    get(stack, headers={"Accept-Encoding": coding})
    assert memory.size == after


def test_a_refresh_leaves_no_page_without_nonces(clock: Clock) -> None:
    page = Page(("Cache-Control", "max-age=60, stale-while-revalidate=600"))
    stack = site(page)
    get(stack)
    clock.forward(70)
    get(stack, **{"wsgi.multithread": False})
    assert page.calls == 2
    seen = {only_nonce(get(stack)) for _ in range(4)}
    assert len(seen) == 4
    assert page.calls <= 3
