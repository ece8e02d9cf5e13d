"""`options`: what a view chooses for its own responses."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from wsgiperf.configuration import check_response_options
from wsgiperf.wsgi import OPTIONS

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["options"]

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

    def decorate(view: _View[_P, _R]) -> _View[_P, _R]:
        @wraps(view)
        def decorated(request: HttpRequest, *args: _P.args, **kwargs: _P.kwargs) -> _R:
            request.META.setdefault(OPTIONS, {}).update(sections)
            return view(request, *args, **kwargs)

        # Django asks how to call a view; the coroutine of an asynchronous one is passed on as it is.
        marked: Any = markcoroutinefunction(decorated) if iscoroutinefunction(view) else decorated
        return marked  # type: ignore[no-any-return]

    return decorate
