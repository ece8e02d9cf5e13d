"""The options of the cache: what they take, what they refuse, and that each of them does something."""

from __future__ import annotations

from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from cachelib import SimpleCache

from tests.unit.cache.site import FRESH, NOW, Clock, Origin, came_from_store, frozen, get, stored
from wsgiperf import CacheMiddleware
from wsgiperf.caching_rules import Rule
from wsgiperf.configuration import Settings
from wsgiperf.errors import SettingsError
from wsgiperf.http.dates import format_date
from wsgiperf.settings import CacheSettings


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    return frozen(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("store", "disk", id="unknown-store"),
        pytest.param("store", None, id="no-store"),
        pytest.param("store", 1, id="store-is-a-number"),
        pytest.param("store", [], id="store-is-a-list"),
        pytest.param("memory_size", -1, id="negative-size"),
        pytest.param("memory_size", "much", id="size-in-words"),
        pytest.param("memory_size", True, id="size-is-a-bool"),
        pytest.param("file_size", 10, id="tiny-disk"),
        pytest.param("redis_url", "", id="no-redis"),
        pytest.param("redis_prefix", "", id="no-prefix"),
        pytest.param("redis_timeout", 0, id="no-time"),
        pytest.param("namespace", "", id="no-namespace"),
        pytest.param("rules", "not json", id="rules-no-json"),
        pytest.param("rules", [{"tll": 60}], id="misspelt-rule"),
        pytest.param("rules", {"ttl": 60}, id="one-rule-without-a-list"),
        pytest.param("targeted_fields", ["My Field"], id="no-field"),
        pytest.param("targeted_fields", ["Transfer-Encoding"], id="a-framing-field"),
        pytest.param("heuristic_fraction", 1.5, id="more-than-all"),
        pytest.param("heuristic_fraction", float("nan"), id="no-number"),
        pytest.param("heuristic_max", -1, id="negative-guess"),
        pytest.param("stale_if_error_max", float("inf"), id="stale-for-ever"),
        pytest.param("coalesce_timeout", -0.1, id="negative-wait"),
        pytest.param("refresh_threads", 0, id="no-threads"),
        pytest.param("status_name", "a\nb", id="name-of-two-lines"),
        pytest.param("status_name", "caché", id="name-not-ascii"),
        pytest.param("purge_token", "short", id="short-token"),
        pytest.param("purge_token", "é" * 16, id="token-not-ascii"),
    ],
)
def test_a_bad_value_is_named(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=rf"cache\.{name}"):
        CacheMiddleware(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"), [("purge_token", "open sesamé, open"), ("redis_url", "http://:sesame@redis/0")]
)
def test_a_bad_secret_is_not_quoted(name: str, value: str) -> None:
    for settle in (lambda: CacheMiddleware(**{name: value}), lambda: Settings(cache={name: value})):
        with pytest.raises(SettingsError, match=rf"cache\.{name}: expected") as raised:
            settle()
        assert "sesam" not in "".join(format_exception(raised.value))


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("memory_sizes", "cache.memory_size"),
        ("ignore_cookies", "cache.ignored_cookies"),
        ("ttl", None),
        ("rule", "cache.rules"),
    ],
)
def test_a_misspelt_option_suggests_the_right_one(name: str, suggestion: str | None) -> None:
    with pytest.raises(SettingsError) as raised:
        CacheMiddleware(**{name: 1})
    assert suggestion is None or suggestion in str(raised.value)


def test_rules_come_as_json_too() -> None:
    settings = CacheSettings.of({"rules": '[{"path": "/posts/*", "ttl": 60, "tags": "posts"}]'})
    assert settings.rules == (Rule(path="/posts/*", ttl=60, tags=("posts",)),)


def test_settings_come_back_from_their_dictionary() -> None:
    settings = CacheSettings.of({"rules": [{"ttl": 60}], "memory_size": 2**20})
    assert CacheSettings.of(settings.as_dict()) == settings


def test_without_options_silent_pages_are_left_alone() -> None:
    assert not came_from_store(get(stored(Origin())))


@pytest.mark.parametrize("name", ["100%", "%d", 'a "name"', "two words", "\\"])
def test_any_name_can_be_sent(name: str) -> None:
    cache = CacheMiddleware(Origin(FRESH), status_name=name)
    answers = [get(cache), get(cache), get(cache, headers={"Cache-Control": "no-cache"})]
    assert [came_from_store(answer) for answer in answers] == [False, True, False]
    assert all(str(answer["Cache-Status"]).startswith((name, '"')) for answer in answers)


@pytest.mark.parametrize(
    ("options", "fields", "seconds"),
    [
        pytest.param({}, [], 60, id="a-minute-at-most"),
        pytest.param({"heuristic_max": 600.0}, [], 100, id="a-tenth"),
        pytest.param({"heuristic_max": 600.0, "heuristic_fraction": 0.5}, [], 500, id="half"),
        pytest.param({"heuristic_max": 0.0}, [], 0, id="none"),
        pytest.param({}, [("CDN-Cache-Control", "max-age=10")], 10, id="targeted"),
        pytest.param({"targeted_fields": []}, [("CDN-Cache-Control", "max-age=10")], 60, id="not-targeted"),
        pytest.param({"targeted_fields": ["My-CC"]}, [("my-cc", "max-age=7")], 7, id="another-field"),
    ],
)
def test_how_long_a_page_is_fresh(
    options: dict[str, Any], fields: list[tuple[str, str]], seconds: float, clock: Clock
) -> None:
    cache = stored(Origin(("Last-Modified", format_date(NOW - 1000)), *fields), **options)
    clock.forward(seconds - 0.5)
    assert came_from_store(get(cache)) == (seconds > 0)
    clock.forward(0.5)
    assert not came_from_store(get(cache))


@pytest.mark.parametrize(
    ("options", "said", "seconds"),
    [
        pytest.param({}, "", 0, id="never"),
        pytest.param({"stale_while_revalidate": 30.0}, "", 30, id="default"),
        pytest.param({}, ", stale-while-revalidate=20", 20, id="said"),
        pytest.param({"stale_while_revalidate_max": 10.0}, ", stale-while-revalidate=20", 10, id="bounded"),
        pytest.param({"stale_while_revalidate": 30.0}, ", must-revalidate", 0, id="forbidden"),
    ],
)
def test_how_long_a_page_may_be_stale(
    options: dict[str, Any], said: str, seconds: float, clock: Clock
) -> None:
    for late, body in ((-0.5, b"call 1"), (0.5, b"call 2")):
        cache = stored(Origin(("Cache-Control", f"max-age=60{said}")), **options)
        clock.forward(60 + seconds + late)
        assert get(cache).body == body


def test_ignored_parameters_and_cookies() -> None:
    origin = Origin()
    cache = CacheMiddleware(origin, rules=[{"ttl": 60}], ignored_query=["utm_*"], ignored_cookies=["theme"])
    get(cache, QUERY_STRING="utm_id=1&a=1", headers={"Cookie": "theme=dark"})
    assert came_from_store(get(cache, QUERY_STRING="a=1&utm_source=x"))
    assert not came_from_store(get(cache, QUERY_STRING="a=1", headers={"Cookie": "_ga=1"}))


def test_the_largest_body() -> None:
    cache = CacheMiddleware(Origin(FRESH, body=lambda environ: b"x" * 100), maximum_body_size=100)
    assert not came_from_store(get(cache))
    assert came_from_store(get(cache))
    cache = CacheMiddleware(Origin(FRESH, body=lambda environ: b"x" * 101), maximum_body_size=100)
    get(cache)
    assert not came_from_store(get(cache))


def test_memory_has_a_bound() -> None:
    cache = CacheMiddleware(Origin(FRESH, body=lambda environ: b"x" * 50_000), memory_size=2**20)
    for number in range(100):
        get(cache, f"/{number}")
    memory: Any = cache._storage._memory
    assert 500_000 < memory.size <= 2**20


def test_two_caches_of_one_namespace_share_a_directory(tmp_path: Path) -> None:
    options: dict[str, Any] = {"store": "file", "directory": str(tmp_path / "store")}
    origin = Origin(FRESH)
    get(CacheMiddleware(origin, **options))
    assert came_from_store(get(CacheMiddleware(origin, **options)))


def test_memory_can_be_left_out(tmp_path: Path) -> None:
    cache = stored(Origin(FRESH), store="file", directory=str(tmp_path / "store"), memory_size=0)
    assert came_from_store(get(cache))


def test_any_cachelib_backend_will_do() -> None:
    backend, origin = SimpleCache(), Origin(FRESH)
    get(CacheMiddleware(origin, store=backend))
    assert came_from_store(get(CacheMiddleware(origin, store=backend)))


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x80\x04K\x01.", 7, "text", {"a": 1}])
def test_junk_in_a_store_is_a_miss(junk: Any) -> None:
    class Junk(SimpleCache):
        def get(self, key: str) -> Any:
            return junk

        def get_many(self, *keys: str) -> list[Any]:
            return [junk for _ in keys]

    cache = CacheMiddleware(Origin(FRESH), store=Junk(), memory_size=0)
    for _ in range(2):
        assert not came_from_store(get(cache))
