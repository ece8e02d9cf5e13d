"""The PURGE method: who may use it, what it purges, and what it answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from werkzeug.test import Client

from wsgiperf import CacheMiddleware
from wsgiperf.cache import clock
from wsgiperf.cache.endpoint import purge_answer
from wsgiperf.cache.entry import Entry
from wsgiperf.cache.journal import Journal
from wsgiperf.cache.purges import Purge
from wsgiperf.cache.storage import Storage
from wsgiperf.cache.stores.memory import MemoryStore
from wsgiperf.exchange import Exchange, Response

TOKEN = "a token of the tests: #1"
SITE = "http://site.example"
URLS = [f"{SITE}/posts/1", f"{SITE}/posts/2", f"{SITE}/about", "http://other.example/posts/1"]
TAGS = {URLS[0]: ("posts", "post-1"), URLS[1]: ("posts",), URLS[3]: ("post-1",)}


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    found = Storage(MemoryStore(2**20), None, Journal(tmp_path / "a.journal"))
    held(found, URLS[0])  # what is in memory before the first look at the journal isn't trusted
    for url in URLS:
        entry = Entry(
            url,
            "200 OK",
            (),
            b"",
            requested=clock.now(),
            born=clock.now(),
            lifetime=60.0,
            tags=TAGS.get(url, ()),
        )
        found.put(entry)
    return found


def stored(storage: Storage) -> list[str]:
    """The URLs that something fresh is held for."""
    found = [(url, held(storage, url)) for url in URLS]
    return [url for url, one in found if isinstance(one, Entry) and one.fresh_until > clock.now() + 1]


def held(storage: Storage, key: str) -> object:
    return storage.get(key, clock.now())


def ask(
    storage: Any, url: str | None = URLS[0], *, bearer: str | None = f"Bearer {TOKEN}", **fields: str
) -> Response:
    environ: dict[str, Any] = {"REQUEST_METHOD": "PURGE"}
    setup_testing_defaults(environ)
    if bearer is not None:
        environ["HTTP_AUTHORIZATION"] = bearer
    environ |= {f"HTTP_{name.upper()}": value for name, value in fields.items()}
    answer = purge_answer(Exchange(environ, frozenset()), storage, TOKEN.encode(), url)
    assert answer is not None
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer


def content(answer: Response) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(answer.body))
    return found


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        pytest.param({}, URLS[1:], id="the URL"),
        pytest.param({"x_purge": "url"}, URLS[1:], id="the URL, by name"),
        pytest.param({"x_purge": " Prefix "}, URLS[1:], id="a prefix that nothing else has"),
        pytest.param({"x_purge": "all"}, [], id="all"),
        pytest.param({"surrogate_key": "post-1"}, URLS[1:3], id="one tag"),
        pytest.param({"surrogate_key": "nothing posts"}, URLS[2:], id="two tags by spaces"),
        pytest.param({"cache_tag": "posts,post-1"}, URLS[2:3], id="two tags by commas"),
        pytest.param({"surrogate_key": "posts", "cache_tag": " post-1 "}, URLS[2:3], id="both fields"),
    ],
)
@pytest.mark.parametrize("soft", ["1", "0", ""])
def test_what_is_purged(storage, fields, left, soft):
    """The URL unless the fields say something else; softly, it stays to be refreshed from."""
    answer = ask(storage, x_soft_purge=soft, **fields)
    assert answer.status == "200 OK"
    assert stored(storage) == left
    assert len([url for url in URLS if held(storage, url)]) == (len(URLS) if soft == "1" else len(left))
    if "," not in fields.get("cache_tag", "") and len(fields) < 2:
        assert content(answer) == {"purged": len(URLS) - len(left)}


def test_a_prefix_begins_with_the_url(storage):
    """`X-Purge: prefix` means all below the URL, on its host."""
    assert content(ask(storage, f"{SITE}/posts/", x_purge="prefix")) == {"purged": 2}
    assert stored(storage) == URLS[2:]


@pytest.mark.parametrize(
    "bearer",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="no token"),
        pytest.param("Bearer ", id="empty token"),
        pytest.param(TOKEN, id="no scheme"),
        pytest.param(f"Basic {TOKEN}", id="another scheme"),
        pytest.param(f"Bearer {TOKEN}x", id="longer"),
        pytest.param(f"Bearer {TOKEN[:-1]}", id="shorter"),
        pytest.param(f"Bearer {TOKEN.upper()}", id="other case"),
        pytest.param("Bearer \xe9\xff", id="latin-1"),
        pytest.param("Bearer \udcff\u20ac", id="what no server sends"),
        pytest.param(f"Bearer {TOKEN}, Bearer {TOKEN}", id="twice"),
    ],
)
def test_without_the_token_nothing_happens(storage, bearer):
    """A token that is wrong, missing or malformed: one and the same answer, and nothing is purged."""
    answer = ask(storage, bearer=bearer, x_purge="nonsense")
    assert answer.status == "401 Unauthorized"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert content(answer) == {"error": "not authorized"}
    assert stored(storage) == URLS


@pytest.mark.parametrize("bearer", [f"bearer {TOKEN}", f"BEARER   {TOKEN} "])
def test_the_scheme_has_no_case(storage, bearer):
    """RFC 9110 section 11.1."""
    assert ask(storage, bearer=bearer).status == "200 OK"


def test_no_token_lets_nobody_in(storage):
    """With an empty token the request is the application's."""
    environ: dict[str, Any] = {"REQUEST_METHOD": "PURGE", "HTTP_AUTHORIZATION": "Bearer "}
    assert purge_answer(Exchange(environ, frozenset()), storage, b"", URLS[0]) is None


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        pytest.param(None, {}, id="no URL"),
        pytest.param(f"{SITE}/posts/*", {}, id="a star"),
        pytest.param(f"{SITE}/{'x' * 3000}", {}, id="long"),
        pytest.param(URLS[0], {"x_purge": "everything"}, id="unknown kind"),
        pytest.param(URLS[0], {"x_soft_purge": "yes"}, id="unknown flag"),
        pytest.param(URLS[0], {"surrogate_key": ""}, id="no tags"),
        pytest.param(URLS[0], {"cache_tag": " , "}, id="no tags but commas"),
        pytest.param(URLS[0], {"cache_tag": "posts, p\xf6st"}, id="one that is no tag"),
        pytest.param(URLS[0], {"cache_tag": "posts, two words"}, id="two words"),
        pytest.param(URLS[0], {"surrogate_key": "posts " + "x" * 300}, id="a long tag"),
        pytest.param(URLS[0], {"surrogate_key": " ".join(map(str, range(65)))}, id="too many tags"),
        pytest.param(URLS[0], {"surrogate_key": "posts", "x_purge": "all"}, id="tags and a kind"),
    ],
)
def test_what_cannot_be_understood_purges_nothing(storage, url, fields):
    """A 400 that says what was expected: half of it done, or something else, would be worse."""
    answer = ask(storage, url, **fields)
    assert answer.status == "400 Bad Request"
    assert "expected" in content(answer)["error"]
    assert stored(storage) == URLS


@pytest.mark.parametrize("path", ["/caf\xc3\xa9?q=\xe9", "/a%20b", "/tab\\<x>", "/?a=%C3%A9&b=\xa0"])
def test_odd_urls_are_purged_as_they_are_stored(storage, path):
    """Keys are latin-1 text that stands for bytes."""
    key = f"{SITE}{path}"
    storage.put(Entry(key, "200 OK", (), b"", requested=clock.now(), born=clock.now(), lifetime=60.0))
    assert content(ask(storage, key)) == {"purged": 1}
    assert held(storage, key) is None


class Failing:
    """A shared store that is down."""

    purged: list[object]

    def __init__(self) -> None:
        self.purged = []

    def purge(self, matches: object, soft_at: float) -> int:
        self.purged.append(matches)
        raise OSError("the store is down")


def test_a_tier_that_fails_is_an_error(tmp_path):
    """A 500 that says which tier; the others, and the other tags, are done all the same."""
    store, journal = Failing(), Journal(tmp_path / "a.journal")
    position = journal.position
    answer = ask(Storage(MemoryStore(2**20), store, journal), surrogate_key="a b")
    assert answer.status == "500 Internal Server Error"
    assert "the store is down" in content(answer)["error"]
    assert len(store.purged) == 2
    assert [purge.value for purge in journal.read(position) or ()] == ["a", "b"]


def test_others_hear_of_it(tmp_path):
    """The journal has the purge, for the other workers."""
    journal = Journal(tmp_path / "a.journal")
    position = journal.position
    ask(Storage(MemoryStore(2**20), None, journal), x_soft_purge="1")
    assert [purge[:3] for purge in journal.read(position) or ()] == [Purge("url", URLS[0], True, 0.0)[:3]]


# In the cache


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Says which method it was asked with."""
    start_response("200 OK", [("Cache-Control", "max-age=60"), ("X-Method", environ["REQUEST_METHOD"])])
    return [environ.get("HTTP_AUTHORIZATION", "").encode("latin-1")]


@pytest.fixture(autouse=True)
def _a_place_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_the_cache_answers_who_has_the_token():
    """With a token configured the request never reaches the application, right or wrong."""
    client = Client(CacheMiddleware(application, purge_token=TOKEN))
    hits = []
    for _ in range(2):
        client.get("/")
        hits.append("hit" in client.get("/").headers["Cache-Status"])
        purged = client.open("/", method="PURGE", headers={"Authorization": f"Bearer {TOKEN}"})
        assert purged.json == {"purged": 1}
        assert "hit" not in client.get("/").headers["Cache-Status"]
    refused = client.open("/", method="PURGE")
    assert hits == [True, True]
    assert refused.status_code == 401
    assert "X-Method" not in purged.headers
    assert "X-Method" not in refused.headers


def test_without_a_token_it_is_the_applications():
    """The method goes to the application untouched, credentials and all."""
    client = Client(CacheMiddleware(application))
    passed = client.open("/", method="PURGE", headers={"Authorization": f"Bearer {TOKEN}", "X-Purge": "all"})
    assert passed.headers["X-Method"] == "PURGE"
    assert passed.text == f"Bearer {TOKEN}"
