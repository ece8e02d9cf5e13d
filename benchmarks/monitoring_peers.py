"""Other monitors around the same page: each as its documentation sets it up, with the same labels."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from benchmarks import frameworks, site
from benchmarks.caching_peers import answer
from benchmarks.measure import Application, Batch, own_code, requests

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
ROUTE = "/posts/<int:number>"
#: Below every minimum of a size, and short: what is measured is what each request pays.
REQUEST = site.ENVIRON | {"PATH_INFO": "/posts/199"}
BARE, BARE_FLASK = "page", "Flask"


class Peer(NamedTuple):
    """Another monitor: what has to be installed, what makes it, and what its time is counted over."""

    modules: tuple[str, ...]
    make: Callable[[Path], Application]  #: gets an empty folder
    over: str = BARE


@contextmanager
def imported_anew(*packages: str) -> Iterator[None]:
    """Modules of these packages are imported once more, beside those that are in use.

    prometheus_client is told by the environment which of its modes it runs in, when it is imported; and a
    Flask that our monitor has never seen has no listener to call.
    """

    def loaded() -> list[str]:
        return [name for name in sys.modules if name.partition(".")[0] in packages]

    before = {name: sys.modules.pop(name) for name in loaded()}
    try:
        yield
    finally:
        for name in loaded():
            del sys.modules[name]
        sys.modules.update(before)


@contextmanager
def prometheus(folder: Path | None) -> Iterator[Any]:
    """prometheus_client for one process or, with a folder, for many."""
    before = os.environ.pop(FOLDER, None)
    if folder is not None:
        folder.mkdir(exist_ok=True)
        os.environ[FOLDER] = str(folder)
    try:
        with imported_anew("prometheus_client"):
            yield import_module("prometheus_client")
    finally:
        os.environ.pop(FOLDER, None)
        if before is not None:
            os.environ[FOLDER] = before


def metrics(client: Any) -> tuple[Any, Any]:
    """A histogram of durations and a counter, as most write them."""
    labels = ("method", "route", "status")
    registry = client.CollectorRegistry()
    return (
        client.Histogram("http_request_duration_seconds", "Durations", labels, registry=registry),
        client.Counter("http_requests", "Requests", labels, registry=registry),
    )


def by_hand(folder: Path | None) -> Application:
    """Until the application returns: what comes after is in none of its figures."""
    with prometheus(folder) as client:
        durations, counted = metrics(client)
        app = own_code(site.page)

        def monitored(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            said = ""

            def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
                nonlocal said
                said = status[:3]
                return start_response(status, headers, exc_info)

            started = perf_counter()
            try:
                return app(environ, start)
            finally:
                method = environ["REQUEST_METHOD"]
                durations.labels(method, ROUTE, said).observe(perf_counter() - started)
                counted.labels(method, ROUTE, said).inc()

        _sound(
            monitored
        )  # while the folder is in the environment: its files are opened with the first request
    return monitored


def opentelemetry(folder: Path) -> Application:
    """Metrics alone, which a reader in memory collects when asked; no tracing."""
    sdk = import_module("opentelemetry.sdk.metrics")
    reader = import_module("opentelemetry.sdk.metrics.export").InMemoryMetricReader()
    middleware = import_module("opentelemetry.instrumentation.wsgi").OpenTelemetryMiddleware
    return middleware(own_code(site.page), meter_provider=sdk.MeterProvider([reader]))


def flask(folder: Path) -> Application:
    """A Flask without any listener."""
    with imported_anew("flask"):
        app = frameworks.flask()
        _sound(app)
        if import_module("flask").request_started.receivers:
            raise RuntimeError("somebody listens to it")
    return app


def flask_exporter(folder: Path | None) -> Application:
    """Grouped by rule: its default, the path, has no bound."""
    with prometheus(folder) as client, imported_anew("flask", "prometheus_flask_exporter"):
        exporter = import_module("prometheus_flask_exporter").PrometheusMetrics
        registry = client.CollectorRegistry()
        app = frameworks.flask(lambda app: exporter(app, group_by="url_rule", registry=registry))
        _sound(app)
    return app


_EXPORTER = ("flask", "prometheus_client", "prometheus_flask_exporter")
PEERS = {
    "prometheus_client by hand": Peer(("prometheus_client",), lambda folder: by_hand(None)),
    "prometheus_client by hand, multiprocess mode": Peer(("prometheus_client",), by_hand),
    "OpenTelemetry's WSGI middleware": Peer(
        ("opentelemetry.sdk", "opentelemetry.instrumentation.wsgi"), opentelemetry
    ),
    BARE_FLASK: Peer(("flask",), flask),
    "prometheus-flask-exporter": Peer(_EXPORTER, lambda folder: flask_exporter(None), BARE_FLASK),
    "prometheus-flask-exporter, multiprocess mode": Peer(_EXPORTER, flask_exporter, BARE_FLASK),
}


def batches(folder: Path) -> tuple[dict[str, Batch], dict[str, str]]:
    """By name, what can be measured; and why the others can't. To be called before a monitor of ours runs."""
    found: dict[str, Batch] = {}
    absent: dict[str, str] = {}
    for number, (name, peer) in enumerate(PEERS.items()):
        if missing := _missing(*peer.modules):
            absent[name] = "not installed: " + ", ".join(missing)
            continue
        try:
            found[name] = requests(_sound(peer.make(folder / f"peer-{number}")), REQUEST)
        except Exception as error:  # what another package does in its next version is no fault of ours
            absent[name] = f"failed: {type(error).__name__}: {error}"
    return found, absent


def _missing(*modules: str) -> list[str]:
    """As `frameworks.missing`, where the package around a module may be missing, too."""
    try:
        return frameworks.missing(*modules)
    except ModuleNotFoundError as error:
        return [error.name or modules[0]]


def _sound(app: Application, environ: Mapping[str, Any] = REQUEST) -> Application:
    """The application, once it has served the page twice."""
    for _ in range(2):
        (status, _fields), body = answer(app, dict(environ))
        if status[:3] != "200" or not body:
            raise RuntimeError(f"{status}, {len(body)} bytes")
    return app
