"""`wsgiperf.flask` and the cache: what views say of their responses, and how these are purged."""

import asyncio

import pytest
from flask import abort, request
from flask_site import serve, site

from wsgiperf import SettingsError, WSGIPerfError
from wsgiperf.flask import WSGIPerf, cache_tags, cached, options
from wsgiperf.purging import PurgeError, PurgeFailed


@pytest.fixture(autouse=True)
def _a_place_of_its_own(tmp_path, monkeypatch):
    """Journals and stores of these tests are nobody else's."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


MINUTE = cached(60)


def fetch(app, path, headers=None):
    """The response, read and closed; Cookie is a header as any other."""
    with app.test_client(use_cookies=False).get(path, headers=headers) as response:
        response.get_data()
    return response


def counting(app, rule, decorate=MINUTE, inside=lambda: None):
    """A view whose responses are numbered."""
    numbers = iter(range(1, 100))

    def view(**_):
        inside()
        return f"response {next(numbers)}"

    serve(app, rule, decorate(view))


def numbers(app, path, times=2, **keywords):
    """The numbers of the responses to so many requests."""
    return [int(fetch(app, path, **keywords).text.split()[1]) for _ in range(times)]


COOKIE = {"Cookie": "session=1"}
CREDENTIALS = {"Authorization": "Basic YTpi"}


@pytest.mark.parametrize(
    ("decorate", "headers", "expected"),
    [
        pytest.param(lambda view: view, {}, [1, 2], id="not said"),
        pytest.param(cached(60), {}, [1, 1], id="a lifetime"),
        pytest.param(cached(0), {}, [1, 2], id="no lifetime"),
        pytest.param(cached(60), COOKIE, [1, 2], id="with a cookie"),
        pytest.param(cached(60), CREDENTIALS, [1, 2], id="with credentials"),
        pytest.param(cached(60), {"Cookie": "_ga=1"}, [1, 1], id="with an ignored cookie"),
        pytest.param(cached(60, shared=True), COOKIE, [1, 1], id="shared, with a cookie"),
        pytest.param(cached(60, shared=True), CREDENTIALS, [1, 1], id="shared, with credentials"),
        pytest.param(cached(tags=["a"]), {}, [1, 2], id="tags alone"),
        pytest.param(lambda view: cached(60)(options(cache=False)(view)), {}, [1, 2], id="off inside"),
        pytest.param(lambda view: options(cache=False)(cached(60)(view)), {}, [1, 1], id="on inside"),
    ],
)
def test_a_view_says_what_is_stored(decorate, headers, expected):
    """The lifetime counts for anonymous requests, unless it is for all; of two decorators the nearer one."""
    app = site()
    WSGIPerf(app)
    counting(app, "/page", decorate)
    assert numbers(app, "/page", headers=headers) == expected


def test_what_is_stored_for_nobody_in_particular_is_served_to_nobody_else():
    """An entry without `shared` answers nobody who carries a cookie."""
    app = site()
    WSGIPerf(app)
    counting(app, "/page")
    assert numbers(app, "/page") == [1, 1]
    assert numbers(app, "/page", headers=COOKIE) == [2, 3]
    assert numbers(app, "/page") == [1, 1]


def test_header_fields_may_say_the_lifetime():
    """`cached` without one adds tags to what the response says itself."""
    app = site()
    WSGIPerf(app)

    @app.after_request
    def lifetime(response):
        response.cache_control.max_age = 60
        return response

    counting(app, "/page", cached(tags=("a",)))
    assert numbers(app, "/page") == [1, 1]
    assert app.extensions["wsgiperf"].purge("tag", "a") == 1
    assert numbers(app, "/page") == [2, 2]


def test_off_keeps_a_response_out_that_says_it_may_be_stored():
    """`cache=False` is stronger than header fields."""
    app = site()
    WSGIPerf(app)

    @app.after_request
    def lifetime(response):
        response.cache_control.max_age = 60
        return response

    counting(app, "/page", options(cache=False), inside=lambda: cache_tags("a"))
    assert numbers(app, "/page") == [1, 2]


def test_errors_of_the_server_are_not_stored():
    """The lifetime is meant for what the view makes, not for its failures."""
    app = site()
    WSGIPerf(app)
    outcomes = iter([503, 200, 200, 200])

    @app.get("/shaky")
    @cached(60)
    def shaky():
        status = next(outcomes)  # nothing is left for the last request but what is stored
        return abort(status) if status != 200 else "well"

    assert [fetch(app, "/shaky").status_code for _ in range(5)] == [503, 200, 200, 200, 200]


def test_asynchronous_views():
    """`cached` and `cache_tags` work in coroutines too."""
    app = site()
    WSGIPerf(app)

    async def view():
        await asyncio.sleep(0)
        cache_tags("a")
        return f"response {next(made)}"

    made = iter((1, 2, 3))
    serve(app, "/page", cached(60)(view))
    assert numbers(app, "/page") == [1, 1]
    assert app.extensions["wsgiperf"].purge("tag", "a") == 1
    assert numbers(app, "/page") == [2, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"ttl": -1}, r"cache\.ttl: expected a number of seconds", id="negative"),
        pytest.param({"ttl": "60"}, r"cache\.ttl", id="text"),
        pytest.param({"ttl": True}, r"cache\.ttl", id="bool"),
        pytest.param({"ttl": float("nan")}, r"cache\.ttl", id="no number"),
        pytest.param({"ttl": float("inf")}, r"cache\.ttl", id="for ever"),
        pytest.param({"ttl": 60, "tags": "posts"}, r"cache\.tags: .* got 'posts'", id="a tag for tags"),
        pytest.param({"ttl": 60, "tags": 1}, r"cache\.tags", id="a number for tags"),
        pytest.param({"ttl": 60, "tags": ["two words"]}, r"cache\.tags: .* got 'two words'", id="a space"),
        pytest.param({"ttl": 60, "tags": ["a\n"]}, r"cache\.tags", id="a line end"),
        pytest.param({"ttl": 60, "tags": ["\xe9"]}, r"cache\.tags", id="not ASCII"),
        pytest.param({"ttl": 60, "tags": [""]}, r"cache\.tags", id="an empty tag"),
        pytest.param({"ttl": 60, "tags": ["x" * 257]}, r"cache\.tags", id="a long tag"),
        pytest.param({"ttl": 60, "tags": [["a"]]}, r"cache\.tags", id="a list for a tag"),
        pytest.param({"ttl": 60, "tags": map(str, range(65))}, r"cache\.tags", id="many tags"),
        pytest.param({"ttl": 60, "shared": 1}, r"cache\.shared", id="not a bool"),
        pytest.param({"shared": True}, r"cache\.shared: expected a ttl", id="shared without a lifetime"),
    ],
)
def test_bad_values_are_errors_at_decoration(arguments, message):
    """Nobody finds out in production."""
    with pytest.raises(SettingsError, match=message):
        cached(**arguments)


# Tags


def test_tags_of_decorators_and_of_run_time_add_up():
    """A response has all its tags, wherever they were given, and each request its own."""
    app = site()
    extension = WSGIPerf(app)

    @app.before_request
    def early():
        cache_tags("early")

    serve(app, "/post/<int:number>", tagged := cached(60, tags=("posts",))(lambda number: tag(number)))

    def tag(number):
        cache_tags(f"post-{number}")
        return request.path

    assert tagged
    for name, purged in [("early", 2), ("posts", 2), ("post-1", 1), ("post-2", 1), ("post-3", 0)]:
        for number in (1, 2):
            fetch(app, f"/post/{number}")
        assert extension.purge("tag", name) == purged


@pytest.mark.parametrize("tags", [("a b",), ("",), (1,), tuple(map(str, range(65)))])
def test_a_bad_tag_at_run_time_is_an_error(tags):
    """A tag that no purge can name would be lost without a word."""
    app = site()
    app.testing = True
    WSGIPerf(app)
    counting(app, "/page", inside=lambda: cache_tags(*tags))
    with pytest.raises(SettingsError, match=r"cache\.tags"):
        fetch(app, "/page")


def test_the_sum_of_the_tags_has_a_bound():
    """A response has 64 tags at most, wherever they come from."""
    app = site()
    app.testing = True
    WSGIPerf(app)
    some = [f"a{number}" for number in range(32)]
    counting(app, "/page", cached(60, tags=some), inside=lambda: [cache_tags(f"b{n}") for n in range(33)])
    with pytest.raises(SettingsError, match=r"cache\.tags"):
        fetch(app, "/page")


def test_tags_mean_nothing_outside_of_requests():
    """Code that gives tags runs in scripts and without wsgiperf too."""
    cache_tags("a")
    app = site()
    counting(app, "/page", inside=lambda: cache_tags("a"))
    assert numbers(app, "/page") == [1, 2]


# Purges


@pytest.mark.parametrize(
    ("purge", "left"),
    [
        pytest.param(("url", "/posts/1"), ["/posts/2", "/about"], id="a path on any host"),
        pytest.param(("url", "http://localhost/posts/1"), ["/posts/2", "/about"], id="a URL"),
        pytest.param(
            ("url", "http://elsewhere/posts/1"), ["/posts/1", "/posts/2", "/about"], id="other host"
        ),
        pytest.param(("prefix", "/posts/"), ["/about"], id="a prefix"),
        pytest.param(("tag", "posts"), ["/about"], id="a tag"),
        pytest.param(("all",), [], id="all"),
    ],
)
def test_the_extension_purges(purge, left):
    """What is purged is made anew, the rest stays; the number says how many there were."""
    app = site()
    extension = WSGIPerf(app)
    paths = ("/posts/1", "/posts/2", "/about")
    for path in paths:
        counting(app, path, cached(60, tags=["posts"] if "posts" in path else []))
    assert [numbers(app, path) for path in paths] == [[1, 1]] * 3
    assert extension.purge(*purge) == 3 - len(left)
    again = {path: numbers(app, path, 1) for path in paths}
    assert [path for path, number in again.items() if number == [1]] == left


def test_a_purge_is_of_the_current_application():
    """One extension wraps several; in a context it means that one."""
    extension = WSGIPerf()
    apps = [site(), site()]
    for app in apps:
        extension.init_app(app)
        app.config["WSGIPERF_CACHE_NAMESPACE"] = "of its own"
        counting(app, "/page")
        assert numbers(app, "/page") == [1, 1]
    with apps[0].app_context():
        assert extension.purge("all") == 1
    assert numbers(apps[0], "/page") == [2, 2]


def test_purges_that_cannot_be():
    """Bad input and an extension around nothing are errors; a cache that is off has nothing to purge."""
    with pytest.raises(RuntimeError, match="no application"):
        WSGIPerf().purge("all")
    app = site()
    extension = WSGIPerf(app, cache=False)
    with pytest.raises(PurgeError, match="expected an http:// or https:// URL"):
        extension.purge("url", "posts/1")
    assert extension.purge("all") == 0


def test_a_purge_before_the_first_request_reaches_the_store(tmp_path):
    """Another process's entries in a shared store, for example after a migration."""
    cache = {"store": "file", "directory": str(tmp_path / "store")}
    app, other = site(), site()
    for one in (app, other):
        extension = WSGIPerf(one, cache=cache)
        counting(one, "/page")
    assert numbers(app, "/page") == [1, 1]
    assert extension.purge("tag", "nothing") == 0
    assert extension.purge("url", "/page") == 1
    assert numbers(app, "/page") == [2, 2]


# The command


def command(app, *arguments):
    return app.test_cli_runner().invoke(args=["wsgiperf", "purge", *arguments])


def test_the_command_purges():
    """`flask wsgiperf purge` reaches the workers by the journal."""
    app = site()
    WSGIPerf(app)
    counting(app, "/page")
    assert numbers(app, "/page") == [1, 1]
    done = command(app, "--url", "/page")
    assert (done.exit_code, done.output) == (0, "purged in all workers of this machine\n")
    assert numbers(app, "/page") == [2, 2]
    assert command(app, "--all", "--soft").output == "marked stale in all workers of this machine\n"
    assert numbers(app, "/page") == [3, 3]


def test_the_command_counts_in_a_shared_store(tmp_path):
    """Where there is one store it is known how many there were."""
    app = site()
    WSGIPerf(app, cache={"store": "file", "directory": str(tmp_path / "store")})
    counting(app, "/a")
    counting(app, "/b")
    assert [numbers(app, path) for path in ("/a", "/b")] == [[1, 1]] * 2
    assert command(app, "--url=/a").output == "purged: 1 stored response\n"
    assert command(app, "--prefix=/", "--soft").output == "marked stale: 1 stored response\n"
    assert command(app, "--all").output == "purged: all\n"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        pytest.param([], 2, "one of --url, --prefix, --tag, --all", id="nothing"),
        pytest.param(["--all", "--tag=a"], 2, "one of --url, --prefix, --tag, --all", id="two things"),
        pytest.param(["--url="], 2, "url: expected 1 to 2,048 characters", id="an empty URL"),
        pytest.param(["--tag=two words"], 2, "tag: expected", id="a bad tag"),
        pytest.param(["--all"], 1, "no worker would hear of it", id="no worker"),
    ],
)
def test_the_command_fails_clearly(arguments, status, said):
    """2 for bad input, 1 where a worker may be missed."""
    app = site()
    WSGIPerf(app)
    done = command(app, *arguments)
    assert done.exit_code == status
    assert said in done.output
    assert "Traceback" not in done.output


def test_the_command_says_when_the_cache_is_off():
    """That is another configuration than the workers', most likely."""
    app = site()
    WSGIPerf(app, cache=False)
    done = command(app, "--all")
    assert (done.exit_code, "a cache that is on" in done.output) == (2, True)


class Broken:
    """A store that is down."""

    def get(self, *arguments, **keywords):
        raise OSError("down")

    set = delete = lease = purge = clear = get


def test_a_tier_that_fails_is_loud():
    """An error in Python, exit status 1 of the command."""
    app = site()
    extension = WSGIPerf(app, cache={"store": Broken()})
    counting(app, "/page")
    assert numbers(app, "/page") == [1, 1]
    with pytest.raises(PurgeFailed, match="the shared store: down") as failure:
        extension.purge("all")
    assert isinstance(failure.value, WSGIPerfError)
    done = command(app, "--all")
    assert (done.exit_code, "the shared store: down" in done.output) == (1, True)
    assert numbers(app, "/page") == [2, 2]
