"""Whether a stored response may answer a request: RFC 9111 sections 4, 4.2.4 and 5.2.1, RFC 5861.

That the response belongs to the request, by URL, method and Vary, has been found before. An entry that is
fresh, for a request with neither Cache-Control nor Pragma, needs none of this: its age is less than its
lifetime.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from .cache_control import delta_seconds, parse_directives
from .memo import memoised

__all__ = [
    "ERROR_STATUSES",
    "FRESH",
    "NO_DIRECTIVES",
    "REVALIDATE_REQUEST",
    "REVALIDATE_STALE",
    "STALE",
    "STALE_WHILE_REVALIDATE",
    "RequestDirectives",
    "Reuse",
    "decide",
    "may_serve_on_error",
    "request_directives",
]

#: RFC 5861 section 4: what counts as an error for stale-if-error, beside no answer at all.
ERROR_STATUSES = frozenset((500, 502, 503, 504))


class RequestDirectives(NamedTuple):
    """What a request asks of caches: RFC 9111 section 5.2.1. Times in seconds."""

    #: Only what has just been validated.
    no_cache: bool = False
    #: The answer to this request is not to be stored; what is stored may answer it (section 5.2.1.5).
    no_store: bool = False
    #: The greatest age; None for any.
    max_age: int | None = None
    #: For how long the response has to stay fresh.
    min_fresh: int = 0
    #: For how long it may be stale: infinite for any time, None for not at all.
    max_stale: float | None = None
    #: Where nothing stored will do, the client wants a 504 rather than a call of the application.
    only_if_cached: bool = False


NO_DIRECTIVES = RequestDirectives()


class Reuse(NamedTuple):
    """What becomes of a stored response. Compare by identity with the constants of this module."""

    name: str
    #: Whether it answers the request, now.
    served: bool
    #: Why the application is called, in the words of RFC 9211 section 2.2; None where it isn't.
    forward: str | None


FRESH = Reuse("fresh", True, None)
#: It is stale, and the client has said that it may be.
STALE = Reuse("stale", True, None)
#: It is stale and answers all the same; the application is called without anybody waiting.
STALE_WHILE_REVALIDATE = Reuse("stale-while-revalidate", True, "stale")
#: It has to be validated: of its own accord, or because the client insists.
REVALIDATE_STALE = Reuse("revalidate", False, "stale")
REVALIDATE_REQUEST = Reuse("revalidate", False, "request")


def request_directives(cache_control: str | None, pragma: str | None) -> RequestDirectives:
    """The directives of a request, remembered by their text.

    Pragma counts only where there is no Cache-Control; RFC 9111 section 5.4 deprecates it, but clients that
    send it alone mean what RFC 7234 section 5.4 said: no-cache. A number that can't be read counts for
    nothing, as does stale-if-error: it is the server that says how long an error may be covered up.
    """
    if cache_control is not None:
        return _of_cache_control(cache_control)
    return NO_DIRECTIVES if pragma is None else _of_pragma(pragma)


def decide(
    age: float,
    lifetime: float,
    request: RequestDirectives = NO_DIRECTIVES,
    *,
    must_revalidate: bool = False,
    always_revalidate: bool = False,
    stale_while_revalidate: float = 0.0,
) -> Reuse:
    """Whether the entry answers the request, and whether the application is called.

    :param age: its current age in seconds (section 4.2.3).
    :param lifetime: the age up to which it is fresh.
    :param must_revalidate: it may never be served stale.
    :param always_revalidate: it may not be served without validation, fresh or not.
    :param stale_while_revalidate: for how many seconds it may be, while a refresh runs.
    """
    staleness = age - lifetime
    if staleness >= 0 or always_revalidate:
        if always_revalidate or must_revalidate:
            return REVALIDATE_STALE
        return _stale(age, staleness, request, stale_while_revalidate)
    if request.no_cache or (request.max_age is not None and age > request.max_age):
        return REVALIDATE_REQUEST
    # Section 5.2.1.3: the lifetime is to be no less than the age plus the time asked for.
    return REVALIDATE_REQUEST if -staleness < request.min_fresh else FRESH


def _stale(age: float, staleness: float, request: RequestDirectives, stale_while_revalidate: float) -> Reuse:
    no_cache, _, max_age, min_fresh, max_stale, _ = request
    if no_cache or min_fresh or (max_age is not None and (age > max_age or max_stale is None)):
        # Section 5.2.1.1: who names a greatest age does not want stale responses, unless max-stale says so.
        return REVALIDATE_STALE
    if staleness <= stale_while_revalidate and stale_while_revalidate > 0:
        return STALE_WHILE_REVALIDATE
    if max_stale is not None and staleness <= max_stale:
        return STALE
    return REVALIDATE_STALE


def may_serve_on_error(
    age: float, lifetime: float, stale_if_error: float, must_revalidate: bool = False
) -> bool:
    """Whether the entry may stand in for an error: one of `ERROR_STATUSES`, or no answer.

    :param stale_if_error: for how many seconds after its lifetime; 0 for never, as `judge` has it for entries
        that may not be served without validation. The request's own stale-if-error does not count.

    Source: RFC 5861 section 4, RFC 9111 section 4.2.4.
    """
    return not must_revalidate and stale_if_error > 0 and age - lifetime <= stale_if_error


def _read(cache_control: str) -> RequestDirectives:
    directives = parse_directives(cache_control)
    if not directives:
        return NO_DIRECTIVES
    max_stale: float | None = None
    if "max-stale" in directives:
        argument = directives["max-stale"]
        max_stale = inf if argument is None else delta_seconds(argument)
    return RequestDirectives(
        no_cache="no-cache" in directives,
        no_store="no-store" in directives,
        max_age=delta_seconds(directives.get("max-age")),
        min_fresh=delta_seconds(directives.get("min-fresh")) or 0,
        max_stale=max_stale,
        only_if_cached="only-if-cached" in directives,
    )


def _read_pragma(pragma: str) -> RequestDirectives:
    return RequestDirectives(no_cache=True) if "no-cache" in parse_directives(pragma) else NO_DIRECTIVES


_of_cache_control = memoised(_read)
_of_pragma = memoised(_read_pragma)
