"""The options of the cache: what they take, from Python and from text."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from cachelib import SimpleCache

from wsgiperf.caching_rules import Rule
from wsgiperf.configuration import flat, nested, resolve
from wsgiperf.errors import SettingsError
from wsgiperf.options import options_of
from wsgiperf.settings import CacheSettings

OPTIONS = options_of(CacheSettings)
BACKEND = SimpleCache()


@pytest.mark.parametrize(
    ("option", "value", "kept"),
    [
        pytest.param("store", "file", "file", id="store"),
        pytest.param("store", BACKEND, BACKEND, id="store-object"),
        pytest.param("directory", "/var/a site, \xe9", "/var/a site, \xe9", id="path"),
        pytest.param("journal", Path("/run") / "site", "/run/site", id="path-object"),
        pytest.param("journal", "", "", id="no-path"),
        pytest.param("redis_url", "redis://:p@[::1]:80/1?a=b", "redis://:p@[::1]:80/1?a=b", id="url"),
        pytest.param("redis_url", "rediss://host", "rediss://host", id="url-tls"),
        pytest.param("redis_url", "unix:///run/redis?db=1", "unix:///run/redis?db=1", id="url-socket"),
        pytest.param("redis_prefix", "a" * 100, "a" * 100, id="longest-prefix"),
        pytest.param("namespace", "Site_1.example-", "Site_1.example-", id="namespace"),
        pytest.param("namespace", "x" * 64, "x" * 64, id="longest-namespace"),
        pytest.param("status_name", "", "", id="no-status"),
        pytest.param("status_name", "a b" * 33, "a b" * 33, id="status"),
        pytest.param("purge_token", "0123456789abcdef", "0123456789abcdef", id="shortest-token"),
        pytest.param("purge_token", "correct horse battery", "correct horse battery", id="token-spaces"),
        pytest.param("purge_token", "", "", id="no-token"),
        pytest.param("rules", [{"path": "/a", "ttl": 1.5}], (Rule(path="/a", ttl=1.5),), id="rule"),
        pytest.param("rules", (Rule(ttl=5),), (Rule(ttl=5),), id="rule-object"),
        pytest.param(
            "rules",
            '[{"content_type": "text/*", "ttl": null, "shared": true}, {"key_cookies": ["lang", "tz"]}, {}]',
            (Rule(content_type="text/*", shared=True), Rule(key_cookies=("lang", "tz")), Rule()),
            id="rules-as-text",
        ),
        pytest.param("rules", "", (), id="no-rules"),
    ],
)
def test_good_values(option, value, kept):
    """From Python, and text from the environment as well."""
    assert getattr(resolve({"cache": {option: value}})["cache"], option) == kept
    if isinstance(value, str):
        settled = resolve(environ={f"WSGIPERF_CACHE_{option.upper()}": value})
        assert getattr(settled["cache"], option) == kept
    else:
        assert getattr(CacheSettings(**{option: value}), option) == kept


BAD = {
    "store": ["", "Memory", "memcached", None, True, 5, {}, b"file", SimpleCache, set()],
    "directory": ["a\0b", b"/var/cache", None, 5, True, ["/var"]],
    "journal": ["\0", b"/run", None, {}],
    "redis_url": [
        "",
        "localhost:6379",
        "http://localhost",
        "REDIS://localhost",
        " redis://localhost",
        "redis://local host",
        "redis://localhost\n",
        "redis://localhost:port/0",
        "redis://localhost:65536",
        "redis://[::1/0",
        "unix://",
        None,
        BACKEND,
    ],
    "redis_prefix": ["", "a" * 101, "\xe9", "a\r\nb", None, b"a"],
    "namespace": ["", "x" * 65, "a b", "a/b", "a:b", "\xe9", "\N{ARABIC-INDIC DIGIT ONE}", "a\n", 5],
    "status_name": ["\xe9", "a\n", "a" * 101, None, False],
    "purge_token": [
        "a" * 15,
        "a" * 1025,
        " " * 16,
        " 0123456789abcdef",
        "0123456789abcdef ",
        "0123456789abcde\xe9",
        "0123456789abcdef\n",
        None,
        b"0123456789abcdef",
    ],
    "rules": [
        "[",
        "{}",
        "/posts/*",
        '["/posts/*"]',
        '[{"ttls": 60}]',
        {"path": "/", "ttl": 5},
        [["path", "/"]],
        [{"ttls": 5}],
        [{5: 5}],
        [{"ttl": -1}],
        [{"ttl": "60"}],
        [{"ttl": True}],
        [{"ttl": float("nan")}],
        [{"path": ""}],
        [{"path": None}],
        [{"content_type": "html"}],
        [{"shared": 1}],
        [{"key_headers": ["X Y"]}],
        [{"key_cookies": [""]}],
        [{"tags": [5]}],
        [{}, None],
        None,
        5,
    ],
}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        pytest.param(option, value, id=f"{option}-{repr(value)[:40]}")
        for option, values in BAD.items()
        for value in values
    ],
)
def test_bad_values(option, value):
    """A typed error when the section is made, from everywhere: full name, value and what was expected."""
    sections, variable = {"cache": {option: value}}, f"WSGIPERF_CACHE_{option.upper()}"
    django = nested(sections, "Django settings", 'WSGIPERF["{}"]', 'WSGIPERF["{}"]["{}"]')
    for name, make in (
        (f"cache.{option}", lambda: CacheSettings(**sections["cache"])),
        (f"cache.{option}", lambda: resolve(sections)),
        (f'WSGIPERF["cache"]["{option}"]', lambda: resolve(framework=django)),
        (variable, lambda: resolve(framework=flat({variable: value}, "Flask config"))),
    ):
        with pytest.raises(SettingsError) as caught:
            make()
        assert caught.value.name == name
        assert caught.value.value is value
        assert OPTIONS[option].expected in str(caught.value)


@pytest.mark.parametrize(
    ("given", "near"),
    [("stores", "store"), ("purge_tokens", "purge_token"), ("rule", "rules"), ("name_space", "namespace")],
)
def test_an_unknown_option_suggests_the_nearest(given, near):
    """Spelled as where it was given."""
    with pytest.raises(SettingsError, match=f"did you mean cache.{near}?"):
        CacheSettings.of({given: ""})
    with pytest.raises(SettingsError, match=f"did you mean WSGIPERF_CACHE_{near.upper()}?"):
        resolve(environ={f"WSGIPERF_CACHE_{given.upper()}": ""})


@pytest.mark.parametrize("name", ["CACHE_ENABLED", "CACHE_TYPE", "CACHE_DEFAULT_TIMEOUT", "CACHE_REDIS_URL"])
def test_names_of_other_caches_are_not_ours(name):
    """No deployment meant this cache by Flask-Caching's names."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert resolve(environ={name: "off"})["cache"] == CacheSettings()


def test_prefix_and_namespace_may_be_long_but_not_both():
    """They begin each key in Redis; where there is none it doesn't matter."""
    prefix, namespace = "p" * 100, "n" * 28
    assert CacheSettings(redis_prefix=prefix, namespace=namespace).namespace == namespace
    assert CacheSettings(redis_prefix=prefix, namespace="n" * 27, store="redis").redis_prefix == prefix
    with pytest.raises(SettingsError, match="together with the namespace") as caught:
        CacheSettings(redis_prefix=prefix, namespace=namespace, store="redis")
    assert (caught.value.name, caught.value.value) == ("cache.redis_prefix", prefix)


def test_the_longest_prefix_fits_the_store():
    """What the options take the store takes, too; nothing connects before the first use."""
    redis = pytest.importorskip("wsgiperf.cache.stores.redis")
    prefix = "p" * 100 + "n" * 27 + ":"
    redis.RedisStore("redis://localhost", prefix=prefix)
    with pytest.raises(ValueError, match="prefix"):
        redis.RedisStore("redis://localhost", prefix=prefix + "x")


def test_a_bad_rule_is_told_what_rules_have():
    """The names of all that a rule may say, and as the cause what is wrong with this one."""
    with pytest.raises(SettingsError, match="path, route, content_type, shared, key_headers") as caught:
        CacheSettings(rules=[{"ttl": 5}, {"ttls": 5}])
    assert "'ttls'" in str(caught.value.__cause__)
