"""`options` and `cached`: what a view chooses for its own responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from wsgiperf.caching_options import caching_options, put_options
from wsgiperf.configuration import check_response_options

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["cached", "options"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_View = Callable[Concatenate["HttpRequest", _P], _R]


def options(**sections: object) -> Callable[[_View[_P, _R]], _View[_P, _R]]:
    """Decorate a view to choose for its responses.

    :param sections: by section name False, which keeps that part away; for `security` also
        ``{"frame": "any"}`` (or "self", "deny").
    :raises SettingsError: at decoration, for an unknown name or a bad value.

    A class-based view takes it as ``@method_decorator(options(compression=False), name="dispatch")``.
    """
    check_response_options(sections)
    return _choosing(sections)


def cached(
    ttl: float | None = None, *, tags: Iterable[str] = (), shared: bool = False
) -> Callable[[_View[_P, _R]], _View[_P, _R]]:
    """Decorate a view to have its responses stored.

    :param ttl: how long they are fresh, in seconds, up to a year; None leaves that to their header fields.
    :param tags: by which they can be purged; `cache_tags` adds some at run time.
    :param shared: they are the same for everybody, whatever cookies or credentials a request carries.
        Otherwise they are stored for, and served to, only those who send none (but ignored ones).
    :raises SettingsError: at decoration, for a bad value, and for `shared` without a `ttl`.

    Responses that say `no-store` or `private`, or set cookies, and errors of the server are not stored all
    the same. A class-based view takes it as ``@method_decorator(cached(60), name="dispatch")``.
    """
    return _choosing({"cache": caching_options(ttl, tags, shared=shared)})


def _choosing(sections: dict[str, Any]) -> Callable[[_View[_P, _R]], _View[_P, _R]]:
    def decorate(view: _View[_P, _R]) -> _View[_P, _R]:
        @wraps(view)
        def decorated(request: HttpRequest, *args: _P.args, **kwargs: _P.kwargs) -> _R:
            put_options(request.META, sections)
            return view(request, *args, **kwargs)

        # Django asks how to call a view; the coroutine of an asynchronous one is passed on as it is.
        marked: Any = markcoroutinefunction(decorated) if iscoroutinefunction(view) else decorated
        return marked  # type: ignore[no-any-return]

    return decorate
