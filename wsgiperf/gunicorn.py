"""The gunicorn host: wraps the application in each worker.

There are three ways in::

    gunicorn -c python:wsgiperf.gunicorn module:app         # nothing else to configure

    post_fork = "wsgiperf.gunicorn.post_fork"               # in a gunicorn.conf.py; one hook is enough

    from wsgiperf.gunicorn import install                   # in a gunicorn.conf.py with hooks of its own
    install(globals())                                      # the last line

Settings come from `WSGIPERF_...` in the environment. With `-c`, gunicorn takes every name in this module that
is one of its settings for that setting: only the hooks may have such names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction, signature
from typing import Any

from gunicorn.config import get_default_config_file, validate_callable  # type: ignore[import-untyped]
from gunicorn.errors import AppImportError  # type: ignore[import-untyped]

from wsgiperf.assembly import assemble
from wsgiperf.configuration import Given, Settings, resolve
from wsgiperf.errors import SettingsError
from wsgiperf.settings import MonitorSettings

__all__ = ["install", "on_starting", "post_fork", "post_worker_init"]

# gunicorn looks for it where it was started and imports this module there, before it changes directories.
_conf_file = get_default_config_file()


def on_starting(server: Any) -> None:
    """In the master, before there are workers: a bad setting stops the server, and its message is the last.

    :param server: gunicorn's arbiter.
    """
    if server.cfg.config == f"python:{__name__}" and _conf_file is not None:
        server.log.warning(
            "%s is ignored because of -c python:%s. To have both, drop that option and make these the file's "
            "last lines: from %s import install; install(globals())",
            _conf_file,
            __name__,
            __name__,
        )
    try:
        settings = resolve(environ=os.environ)
    except SettingsError as error:
        server.halt(reason=str(error), exit_status=server.APP_LOAD_ERROR)
    else:
        monitor = settings["monitor"]
        if isinstance(monitor, MonitorSettings):
            server.log.info("wsgiperf's monitor: %s", monitor.access_in_words)


def post_fork(server: Any, worker: Any) -> None:
    """In a new worker: wrap the application as soon as it is loaded.

    :param server: gunicorn's arbiter.
    :param worker: the worker.
    """
    load = worker.load_wsgi

    def load_wsgi() -> None:
        load()
        _wrap(worker)

    worker.load_wsgi = load_wsgi


def post_worker_init(worker: Any) -> None:
    """In a worker with its application loaded: wrap it, unless that is done.

    :param worker: the worker.
    """
    _wrap(worker)


def install(namespace: dict[str, Any]) -> None:
    """Add the hooks to those of a gunicorn configuration file, as its last line.

    :param namespace: the file's `globals()`. Hooks in it, functions or strings, run before ours.
    :raises TypeError: for a hook that gunicorn would refuse.
    """
    for name, ours in _hooks.items():
        theirs = namespace.get(name)
        if theirs is not None:
            try:
                theirs = validate_callable(len(signature(ours).parameters))(theirs)
            except TypeError as error:
                raise TypeError(f"{name}: {error}") from error
        if not _is_ours(name, theirs):
            namespace[name] = _chained(name, theirs)


def _chained(name: str, theirs: Callable[..., object] | None) -> Callable[..., None]:
    ours = _hooks[name]

    @wraps(ours)  # gunicorn counts the parameters of a hook's signature, which is that of ours
    def chained(*arguments: Any) -> None:
        _warn_of_replaced(name, arguments[-1])
        if theirs is not None:
            theirs(*arguments)
        ours(*arguments)

    return chained


def _is_ours(name: str, hook: object) -> bool:
    return getattr(hook, "__wrapped__", hook) is _hooks[name]


def _warn_of_replaced(name: str, process: Any) -> None:
    """Hooks that the file defines below `install` take the places of ours: the first one left says so, once.

    :param process: the arbiter, or a worker.
    """
    left = [hook for hook in _hooks if _is_ours(hook, getattr(process.cfg, hook))]
    if len(left) < len(_hooks) and name == left[0] and getattr(process, "age", 1) == 1:
        replaced = ", ".join(hook for hook in _hooks if hook not in left)
        process.log.warning(
            "%s stands below install(globals()) in the configuration file and replaces wsgiperf's: make "
            "install(globals()) the last line",
            replaced,
        )


def _wrap(worker: Any) -> None:
    app = getattr(worker, "wsgi", None)
    if getattr(worker, "_wsgiperf", worker) is app:
        return  # the other hook did it
    if _runs_a_loop(worker):
        worker.log.info("wsgiperf leaves the application alone: %s is no WSGI worker", type(worker).__name__)
    else:
        try:
            app = worker.wsgi = assemble(worker.wsgi, _settings(worker.cfg))
        except SettingsError as error:  # where `on_starting` isn't ours: gunicorn stops at this one
            raise AppImportError(str(error)) from error
    worker._wsgiperf = app


def _settings(cfg: Any) -> Settings:
    """The settings of the environment, with what gunicorn knows instead of our defaults."""
    settings = resolve(environ=os.environ)
    # Of greenlets there may be a thousand, which says nothing about how busy the worker is.
    threads = {"gthread": cfg.threads, "sync": 1}.get(cfg.worker_class_str, 0)
    return Settings.of([settings.given, {("monitor", "threads"): Given(threads, "threads", "gunicorn")}])


def _runs_a_loop(worker: Any) -> bool:
    """Whether the worker's class has coroutines: gunicorn's own for ASGI, uvicorn's, aiohttp's."""
    return any(iscoroutinefunction(member) for kind in type(worker).__mro__ for member in vars(kind).values())


_hooks: dict[str, Callable[..., None]] = {
    "on_starting": on_starting,
    "post_fork": post_fork,
    "post_worker_init": post_worker_init,
}
