"""`wsgiperf.django` and the cache: what views say of their responses, and how these are purged."""

import io
from itertools import count

import django_site
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from werkzeug.test import Client

from wsgiperf import SettingsError

django_site.configure()

from wsgiperf.django import cache_tags, cached, options, purge, wrap  # noqa: E402
from wsgiperf.purging import PurgeError  # noqa: E402

made = count(1)


def answer(request, *tags):
    cache_tags(*tags)
    return HttpResponse(f"response {next(made)}")


@cached(60, tags=["posts"])
def post(request, number):
    return answer(request, f"post-{number}")


@cached(60)
async def asynchronous(request):
    return answer(request, "asynchronous")


@method_decorator(cached(60, tags=["class"]), name="dispatch")
class ByClass(View):
    def get(self, request):
        return answer(request)


urlpatterns = [
    path("posts/<int:number>", post),
    path("async", asynchronous),
    path("class", ByClass.as_view()),
    path("shared", cached(60, shared=True)(answer)),
    path(
        "said",
        cached(tags=["said"])(lambda r: HttpResponse(answer(r), headers={"Cache-Control": "max-age=60"})),
    ),
    path("off", cached(60)(options(cache=False)(answer))),
    path("unsaid", answer),
]

served = None  # what WSGI_APPLICATION names


@pytest.fixture(autouse=True)
def _a_site(tmp_path, monkeypatch):
    """This module's views behind a cache that is new, with journals that are nobody else's."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with override_settings(ROOT_URLCONF=__name__, WSGI_APPLICATION=f"{__name__}.served"):
        monkeypatch.setitem(globals(), "served", wrap(WSGIHandler()))
        yield


def bodies(where, times=2, **headers):
    """What comes back on so many requests."""
    client = Client(served, use_cookies=False)
    return [client.get(where, headers=headers).text for _ in range(times)]


def is_stored(where, **headers):
    first, second = bodies(where, **headers)
    assert first.startswith("response ")
    return first == second


@pytest.mark.parametrize(
    ("where", "headers", "expected"),
    [
        pytest.param("/posts/1", {}, True, id="function"),
        pytest.param("/async", {}, True, id="coroutine"),
        pytest.param("/class", {}, True, id="class"),
        pytest.param("/said", {}, True, id="lifetime by header field"),
        pytest.param("/unsaid", {}, False, id="not said"),
        pytest.param("/off", {}, False, id="off"),
        pytest.param("/posts/1", {"Cookie": "sessionid=1"}, False, id="with a cookie"),
        pytest.param("/shared", {"Cookie": "sessionid=1"}, True, id="shared, with a cookie"),
    ],
)
def test_a_view_says_what_is_stored(where, headers, expected):
    """Functions, coroutines and classes are decorated alike."""
    assert is_stored(where, **headers) == expected


@pytest.mark.parametrize("arguments", [{"ttl": -1}, {"ttl": 1, "tags": "a"}, {"shared": True}])
def test_bad_values_are_errors_at_decoration(arguments):
    """Nobody finds out in production."""
    with pytest.raises(SettingsError, match="expected"):
        cached(**arguments)


@pytest.mark.parametrize(
    ("what", "left"),
    [
        pytest.param(("url", "/posts/1"), ["/posts/2", "/async", "/class"], id="a path on any host"),
        pytest.param(("url", "http://localhost/class"), ["/posts/1", "/posts/2", "/async"], id="a URL"),
        pytest.param(("prefix", "/posts/"), ["/async", "/class"], id="a prefix"),
        pytest.param(("tag", "posts"), ["/async", "/class"], id="a decorator's tag"),
        pytest.param(("tag", "post-2"), ["/posts/1", "/async", "/class"], id="a tag of run time"),
        pytest.param(("tag", "asynchronous"), ["/posts/1", "/posts/2", "/class"], id="a coroutine's tag"),
        pytest.param(("tag", "class"), ["/posts/1", "/posts/2", "/async"], id="a class's tag"),
        pytest.param(("all",), [], id="all"),
    ],
)
@pytest.mark.parametrize("by_command", [False, True], ids=["function", "command"])
def test_purges(what, left, by_command):
    """`wsgiperf.django.purge` and `manage.py wsgiperf purge`: what is purged is made anew, the rest stays."""
    places = ["/posts/1", "/posts/2", "/async", "/class"]
    before = {where: bodies(where)[1] for where in places}
    if by_command:
        arguments = ["--all"] if what == ("all",) else [f"--{what[0]}", what[1]]
        assert command(*arguments) == "purged in all workers of this machine\n"
    else:
        assert purge(*what) == len(places) - len(left)
    assert [where for where in places if bodies(where, 1) == [before[where]]] == left


def test_a_soft_purge_marks_as_stale():
    """It stays to be validated, or served while it is refreshed where the response allows that."""
    before = bodies("/posts/1")
    assert purge("tag", "posts", soft=True) == 1
    assert bodies("/posts/1", 1) != before[:1]


@pytest.mark.parametrize("application", [None, "django_site_wsgi.bare"], ids=["none", "not wrapped here"])
def test_a_site_that_the_server_wraps(application):
    """There the settings alone say where the caches are, which hear of it by the journal."""
    before = bodies("/posts/1")
    with override_settings(WSGI_APPLICATION=application):
        assert purge("tag", "posts") == 0
    assert bodies("/posts/1", 1) != before[:1]


def test_purges_that_cannot_be():
    """Bad input is an error; so is an application that can't be loaded, as its settings are not known."""
    with pytest.raises(PurgeError, match="tag: expected"):
        purge("tag", "two words")
    with (
        override_settings(WSGI_APPLICATION="no_such_module.application"),
        pytest.raises(ImproperlyConfigured),
    ):
        purge("all")


# The command


def command(*arguments):
    output = io.StringIO()
    call_command("wsgiperf", "purge", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_counts_in_a_shared_store(tmp_path, monkeypatch):
    """The settings are those of WSGI_APPLICATION, keywords of `wrap` included."""
    cache = {"store": "file", "directory": str(tmp_path / "store")}
    monkeypatch.setitem(globals(), "served", wrap(WSGIHandler(), cache=cache))
    assert is_stored("/posts/1")
    assert is_stored("/posts/2")
    assert command("--tag", "post-1") == "purged: 1 stored response\n"
    assert command("--prefix", "/", "--soft") == "marked stale: 1 stored response\n"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        pytest.param(["--url", "posts/1"], 2, "url: expected", id="bad URL"),
        pytest.param(["--tag", ""], 2, "tag: expected", id="empty tag"),
        pytest.param(["--all"], 1, "no worker would hear of it", id="no worker"),
    ],
)
def test_the_command_fails_clearly(arguments, status, said):
    """2 for bad input, 1 where a worker may be missed."""
    with pytest.raises(CommandError, match=said) as failure:
        command(*arguments)
    assert failure.value.returncode == status


@pytest.mark.parametrize("arguments", [[], ["--all", "--tag=a"]], ids=["nothing", "two things"])
def test_the_command_wants_one_thing(arguments):
    """As its parser says."""
    with pytest.raises(CommandError, match=r"not allowed with|one of the arguments"):
        command(*arguments)


def test_the_command_says_when_the_cache_is_off():
    """That is another configuration than the workers', most likely."""
    with override_settings(WSGI_APPLICATION=None, WSGIPERF={"cache": False}):
        with pytest.raises(CommandError, match="a cache that is on") as failure:
            command("--all")
        assert failure.value.returncode == 2
        assert purge("all") == 0
