"""The same page from other caches: each as its documentation sets it up, kept in memory where it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import frameworks, site
from benchmarks.measure import Application, Batch, calls, own_code, requests

SIZE = 15 * 1024
PAGE = site.noticeboard(SIZE)
PATH = f"/posts/{SIZE}"
#: Without what would have a cache keep to itself, or a server's file wrapper that is none.
LEFT_OUT = ("HTTP_COOKIE", "HTTP_ACCEPT_ENCODING", "wsgi.file_wrapper")
ENVIRON = {name: value for name, value in site.ENVIRON.items() if name not in LEFT_OUT} | {"PATH_INFO": PATH}
FIELDS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Length", str(SIZE)),
    ("Cache-Control", "max-age=600"),
    ("ETag", '"5f2b-61a"'),
)


class Peer(NamedTuple):
    """Another cache: what has to be installed, and how it is set up."""

    modules: tuple[str, ...]
    make: Callable[[Path, str | None], Application | Batch]  #: gets a folder and the URL of a Redis server
    needs_redis: bool = False


def page(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The application behind those caches that take one."""
    start_response("200 OK", [*FIELDS])
    return [PAGE]


def dictionary(folder: Path, redis: str | None) -> Application:
    """The least that could be called a cache."""
    stored = {PATH: ("200 OK", FIELDS, [PAGE])}

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        status, fields, body = stored[environ["PATH_INFO"]]
        start_response(status, [*fields])
        return body

    return own_code(application)


def flask_caching(**options: str) -> Application:
    cache = import_module("flask_caching").Cache(config={"CACHE_DEFAULT_TIMEOUT": 600, **options})
    app = import_module("flask").Flask("benchmarks")
    cache.init_app(app)

    @app.route("/posts/<int:number>")
    @cache.cached()
    def post(number: int) -> Any:
        return app.response_class(PAGE, mimetype="text/html")

    return app


def django(folder: Path, redis: str | None) -> Application:
    module = "django.middleware.cache."
    return frameworks.django(f"{module}UpdateCacheMiddleware", f"{module}FetchFromCacheMiddleware")


def whitenoise(folder: Path, redis: str | None) -> Application:
    """Serves a file, as it would one that the page was written to."""
    file = folder / "whitenoise" / PATH.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_bytes(PAGE)
    return import_module("whitenoise").WhiteNoise(page, root=str(folder / "whitenoise"))


def hishel(folder: Path, redis: str | None) -> Batch:
    """A cache for clients: asked as httpx asks it, the application in the place of a server."""
    httpx, package = import_module("httpx"), import_module("hishel")
    asked: list[Any] = []

    def counted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked.append(environ)
        return page(environ, start_response)

    storage = package.SqliteStorage(database_path=folder / "hishel.db")
    transport = import_module("hishel.httpx").CacheTransport(httpx.WSGITransport(counted), storage, rfc=True)
    request = httpx.Request("GET", f"http://localhost{PATH}")

    def ask() -> bytes:
        body: bytes = transport.handle_request(request).read()
        return body

    if ask() != PAGE or ask() != PAGE or len(asked) != 1:
        raise RuntimeError("another page, or no hit")
    return calls(ask)


PEERS = {
    "dict look-up + start_response": Peer((), dictionary),
    "WhiteNoise, a file": Peer(("whitenoise",), whitenoise),
    "Flask-Caching, SimpleCache": Peer(
        ("flask", "flask_caching"), lambda folder, redis: flask_caching(CACHE_TYPE="SimpleCache")
    ),
    "Flask-Caching, Redis": Peer(
        ("flask", "flask_caching", "redis"),
        lambda folder, redis: flask_caching(CACHE_TYPE="RedisCache", CACHE_REDIS_URL=redis or ""),
        needs_redis=True,
    ),
    "Django's cache middleware, locmem": Peer(("django",), django),
    "hishel, SQLite": Peer(("hishel", "httpx"), hishel),
}


def batches(folder: Path, redis: str | None) -> tuple[dict[str, Batch], dict[str, str]]:
    """By name, what can be measured; and why the others can't."""
    found: dict[str, Batch] = {}
    absent: dict[str, str] = {}
    for name, peer in PEERS.items():
        if missing := frameworks.missing(*peer.modules):
            absent[name] = "not installed: " + ", ".join(missing)
        elif peer.needs_redis and redis is None:
            absent[name] = "not installed: redis-server"
        else:
            try:
                made = peer.make(folder, redis)
                found[name] = made if peer.make is hishel else requests(_sound(made), ENVIRON)
            except Exception as error:  # what another package does in its next version is no fault of ours
                absent[name] = f"failed: {type(error).__name__}: {error}"
    return found, absent


def _sound(app: Any) -> Any:
    """The application, once it has served the page twice."""
    for _ in range(2):
        said, body = answer(app, ENVIRON)
        if said[0][:3] != "200" or body != PAGE:
            raise RuntimeError(f"{said[0]}, {len(body)} bytes")
    return app


def answer(app: Any, environ: dict[str, Any]) -> tuple[tuple[str, dict[str, str]], bytes]:
    """One response: its status with its fields by lower-case name, and its body."""
    heads: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        heads.append((status, {name.lower(): value for name, value in headers}))

    blocks = app(dict(environ), start_response)
    body = b"".join(blocks)
    if hasattr(blocks, "close"):
        blocks.close()
    return heads[-1], body
