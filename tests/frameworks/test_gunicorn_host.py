"""`wsgiperf.gunicorn` under real gunicorn: every way in, every kind of worker, beside others' hooks."""

import os
import re
import signal
from inspect import signature

import pytest
from gunicorn.config import KNOWN_SETTINGS
from gunicorn_process import gunicorn

import wsgiperf.gunicorn
from wsgiperf.gunicorn import install

CONFIG = "-cpython:wsgiperf.gunicorn"
APP = "gunicorn_site:app"
INSTALL = "from wsgiperf.gunicorn import install\ninstall(globals())\n"


def is_wrapped(server):
    """Whether the parts are around the application, each once."""
    status, headers, _ = server.get(**{"Accept-Encoding": "br"})
    assert status == 200
    ids = headers.get_all("X-Request-ID", [])
    assert len(ids) < 2
    assert (headers["Content-Encoding"] == "br") == bool(ids)
    return bool(ids)


@pytest.mark.parametrize(
    "arguments",
    [
        [APP],
        ["gunicorn_site:create('site')"],
        [APP, "--preload"],
        ["gunicorn_site:create('site')", "--preload"],
        [APP, "--worker-class=gthread", "--threads=2"],
        ["gunicorn_site:create('site')", "--worker-class=gthread", "--threads=2", "--preload"],
        [APP, "--worker-class=gevent"],
        ["gunicorn_site:create('site')", "--worker-class=gevent", "--preload"],
        [APP, "--worker-class=gunicorn.workers.ggevent.GeventPyWSGIWorker"],
        ["gunicorn_site:self_wrapped()"],
        ["gunicorn_site:self_wrapped()", "--preload"],
    ],
    ids=" ".join,
)
def test_the_module_as_configuration(tmp_path, arguments):
    """`-c python:wsgiperf.gunicorn` wraps applications and factories, in every kind of worker, once."""
    with gunicorn(tmp_path, CONFIG, *arguments) as server:
        assert is_wrapped(server)
    assert "Traceback" not in server.log


@pytest.mark.parametrize("hook", ["post_fork", "post_worker_init"])
def test_a_single_hook_by_name(tmp_path, hook):
    """One hook, named by a string in a configuration file, is enough."""
    (tmp_path / "gunicorn.conf.py").write_text(f'{hook} = "wsgiperf.gunicorn.{hook}"\n')
    with gunicorn(tmp_path, APP) as server:
        assert is_wrapped(server)


def test_both_hooks_wrap_once(tmp_path):
    """`post_fork` and `post_worker_init` together don't wrap twice."""
    (tmp_path / "gunicorn.conf.py").write_text(
        'post_fork = "wsgiperf.gunicorn.post_fork"\npost_worker_init = "wsgiperf.gunicorn.post_worker_init"\n'
    )
    with gunicorn(tmp_path, APP) as server:
        assert is_wrapped(server)


def test_settings_come_from_the_environment(tmp_path):
    """`WSGIPERF_...` holds, also where the configuration file sets it by `raw_env`."""
    (tmp_path / "gunicorn.conf.py").write_text('raw_env = ["WSGIPERF_TIMING=off"]\n' + INSTALL)
    with gunicorn(tmp_path, APP, WSGIPERF_SECURITY_FRAME="self") as server:
        _, headers, _ = server.get()
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "Server-Timing" not in headers


@pytest.mark.parametrize(
    "file",
    [
        None,
        'post_fork = "wsgiperf.gunicorn.post_fork"\n',
        'post_worker_init = "wsgiperf.gunicorn.post_worker_init"\n',
        INSTALL,
    ],
    ids=["module", "post_fork", "post_worker_init", "install"],
)
def test_a_bad_setting_stops_the_server(tmp_path, file):
    """The server ends, with the setting's error as its reason, and doesn't start workers again and again."""
    if file is not None:
        (tmp_path / "gunicorn.conf.py").write_text(file)
    arguments = [APP] if file is not None else [CONFIG, APP]
    with gunicorn(tmp_path, *arguments, "--workers=1", WSGIPERF_TIMING_SLOW_SECONDS="soon") as server:
        assert server.ended() == 4
    message = "WSGIPERF_TIMING_SLOW_SECONDS: expected a number from 0 to 86400, got 'soon'"
    assert message in server.log
    assert "Traceback" not in server.log
    assert server.log.count("Booting worker") <= 1


def test_a_reload_wraps_again(tmp_path):
    """After SIGHUP the new workers' applications are wrapped."""
    with gunicorn(tmp_path, CONFIG, APP) as server:
        _, headers, _ = server.get()
        server.process.send_signal(signal.SIGHUP)
        server.until(lambda: server.get()[1]["X-Worker"] != headers["X-Worker"])
        assert is_wrapped(server)


def test_an_ignored_configuration_file_is_told(tmp_path):
    """With `-c`, gunicorn doesn't read ./gunicorn.conf.py: the log says so and what to do, once."""
    (tmp_path / "gunicorn.conf.py").write_text("workers = 2\n")
    with gunicorn(tmp_path, CONFIG, APP) as server:
        server.get()
    assert re.findall(r"\[WARNING\] (\S+) is ignored", server.log) == [str(tmp_path / "gunicorn.conf.py")]


@pytest.mark.parametrize("file", [None, INSTALL], ids=["no file", "install"])
def test_nothing_is_said_where_nothing_is_ignored(tmp_path, file):
    """Without such a file, or with `install` in it, there is no warning."""
    if file is not None:
        (tmp_path / "gunicorn.conf.py").write_text(file)
    with gunicorn(tmp_path, *([APP] if file else [CONFIG, APP])) as server:
        assert is_wrapped(server)
    assert "WARNING" not in server.log


# Workers that are not for WSGI


def test_asgi_workers_are_left_alone(tmp_path):
    """gunicorn's own worker for ASGI serves its application as it is; the log says so once."""
    with gunicorn(tmp_path, CONFIG, "gunicorn_site:asgi", "--worker-class=asgi") as server:
        status, headers, body = server.get(**{"Accept-Encoding": "br"})
    assert (status, headers["X-Request-ID"]) == (200, None)
    assert b"long enough" in body
    assert server.log.count("wsgiperf leaves the application alone: ASGIWorker is no WSGI worker") == 1


def test_foreign_event_loop_workers_are_left_alone(tmp_path):
    """So is any other whose class has coroutines, such as uvicorn's, which loads as WSGI workers do."""
    with gunicorn(tmp_path, CONFIG, APP, "--worker-class=event_loop_worker.Worker") as server:
        assert not is_wrapped(server)
    assert server.log.count("wsgiperf leaves the application alone") == 1


# Beside the user's own hooks


def test_install_keeps_the_users_hooks(tmp_path):
    """The hooks of the file, functions and strings, run before ours."""
    (tmp_path / "gunicorn.conf.py").write_text(
        'post_fork = "users_hooks.post_fork"\n'
        "def on_starting(server):\n"
        '    server.log.info("the user\'s on_starting")\n'
        "def post_worker_init(worker):\n"
        '    worker.log.info("the user\'s post_worker_init")\n'
        "    app = worker.wsgi\n"
        "    worker.wsgi = lambda environ, start: app(environ, start)\n" + INSTALL
    )
    with gunicorn(tmp_path, APP) as server:
        assert is_wrapped(server)
    for hook in ("on_starting", "post_fork, by name", "post_worker_init"):
        assert server.log.count(f"the user's {hook}\n") == 1


def test_install_twice_is_once(tmp_path):
    """Two calls, or one beside our hooks by name, change nothing more."""
    namespace = {"post_fork": "wsgiperf.gunicorn.post_fork"}
    install(namespace)
    first = dict(namespace)
    install(namespace)
    assert namespace == first
    assert namespace["post_fork"] == "wsgiperf.gunicorn.post_fork"


def test_chained_hooks_have_the_signatures_that_gunicorn_wants():
    """gunicorn counts a hook's parameters: `*args` would stop the server."""
    namespace = {"post_fork": lambda server, worker: None}
    install(namespace)
    assert {name: [*signature(hook).parameters] for name, hook in namespace.items()} == {
        "on_starting": ["server"],
        "post_fork": ["server", "worker"],
        "post_worker_init": ["worker"],
    }


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        (lambda server: None, "post_fork: Value must have an arity of: 2"),
        ("no_such_module.hook", "post_fork: No module named 'no_such_module'"),
    ],
    ids=["arity", "name"],
)
def test_install_refuses_what_gunicorn_would(hook, message):
    """A hook of the user's that gunicorn could not call is an error at once, in gunicorn's words."""
    with pytest.raises(TypeError, match=re.escape(message)):
        install({"post_fork": hook})


@pytest.mark.parametrize(
    "hooks",
    [
        ["post_fork(server, worker)"],
        ["on_starting(server)"],
        ["post_worker_init(worker)"],
        ["on_starting(server)", "post_worker_init(worker)"],
        ["on_starting(server)", "post_fork(server, worker)"],
    ],
    ids=lambda hooks: ", ".join(hook.partition("(")[0] for hook in hooks),
)
def test_hooks_below_install_are_told(tmp_path, hooks):
    """A hook defined after `install` replaces ours: whichever is left says so, once, and still wraps."""
    below = "".join(f"def {hook}:\n    pass\n" for hook in hooks)
    (tmp_path / "gunicorn.conf.py").write_text(INSTALL + below)
    with gunicorn(tmp_path, APP, "--workers=2") as server:
        server.until(lambda: server.log.count("Booting worker") == 2)
        server.until(lambda: "stands below" in server.log)
        assert is_wrapped(server)
    names = ", ".join(hook.partition("(")[0] for hook in hooks)
    assert server.log.count("stands below install(globals())") == 1
    assert f"{names} stands below install(globals())" in server.log


OTHERS = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from prometheus_client import multiprocess

workers = 1

def child_exit(server, worker):
    multiprocess.mark_process_dead(worker.pid)

def post_fork(server, worker):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
    trace.set_tracer_provider(provider)

"""
MEASURED = """
import os
from opentelemetry import trace
from prometheus_client import Gauge
from gunicorn_site import app as inner

busy = Gauge("busy", "workers that answered", multiprocess_mode="liveall")

def app(environ, start_response):
    busy.set(1)
    with trace.get_tracer("site").start_as_current_span("answering"):
        return inner(environ, start_response)
"""


def test_beside_prometheus_and_opentelemetry(tmp_path):
    """Their usual hooks in the same file work as before: spans come out, dead workers' gauges go."""
    (tmp_path / "gunicorn.conf.py").write_text(OTHERS + INSTALL)
    (tmp_path / "measured.py").write_text(MEASURED)
    metrics = tmp_path / "metrics"
    metrics.mkdir()
    with gunicorn(tmp_path, "measured:app", PROMETHEUS_MULTIPROC_DIR=str(metrics)) as server:
        assert is_wrapped(server)
        worker = server.get()[1]["X-Worker"]
        assert [*metrics.glob(f"gauge_liveall_{worker}.db")]
        assert '"name": "answering"' in server.log
        os.kill(int(worker), signal.SIGKILL)  # no hook of the worker's runs
        server.until(lambda: not [*metrics.glob(f"gauge_liveall_{worker}.db")])
        assert is_wrapped(server)
    assert "WARNING" not in server.log


def test_no_name_of_the_module_is_a_setting_by_accident():
    """gunicorn takes each name in its configuration that it knows: ours has only the hooks."""
    settings = {setting.name for setting in KNOWN_SETTINGS}
    assert settings & set(vars(wsgiperf.gunicorn)) == {"on_starting", "post_fork", "post_worker_init"}
