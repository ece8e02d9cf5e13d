"""Whether a shared cache stores a response, and on what terms: RFC 9111 section 3.

Decided when the head of the response is known, before any of its body. Three standards have a say: RFC 9111,
RFC 9213 (targeted fields) and RFC 5861 (stale answers). Where they leave room, what could show one visitor's
page to another is not stored.

Left to the caller: no-store in the request (section 5.2.1.5), whether a body is whole, how a 206 is combined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .cache_control import LONGEST, delta_seconds, field_names, parse_directives, parse_targeted
from .dates import parse_date
from .freshness import HEURISTIC_STATUSES, explicit_lifetime, heuristic_lifetime, initial_age
from .headers import Headers, lower_name

__all__ = [
    "ASSIGNABLE_STATUSES",
    "NEVER_STORED",
    "UNDERSTOOD",
    "UNSTORED_FIELDS",
    "StoringRules",
    "Verdict",
    "judge",
    "stored_fields",
    "stored_headers",
]

Directives = Mapping[str, "str | None"]

#: What a cache may never store, or what turns on request fields that are in no key: conditions (304, 412),
#: ranges (416), Expect (417), early data (425, RFC 8470), and the four of which RFC 6585 says so.
NEVER_STORED = frozenset((304, 412, 416, 417, 425, 428, 429, 431, 511))
#: For must-understand (section 5.2.2.3), the final statuses of RFC 9110 section 15 that may be stored; 206
#: among them, because ranges are understood.
UNDERSTOOD = frozenset((*range(200, 207), *range(300, 309), *range(400, 416), 421, 422, 426))
UNDERSTOOD |= {500, 501, 502, 503, 504, 505}
UNDERSTOOD -= {304, 306, 412}
#: Where a lifetime from outside of the response counts: an error or a refusal isn't what it was meant for.
ASSIGNABLE_STATUSES = HEURISTIC_STATUSES | {302, 303, 307}

#: Section 3.1: fields about one connection, and those that a cache writes by itself.
UNSTORED_FIELDS = frozenset(
    (
        *("age", "cache-status", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
        *("proxy-authenticate", "proxy-authentication-info", "proxy-authorization", "proxy-connection"),
    )
)
_UNSTORED_WITH_COOKIES = UNSTORED_FIELDS | {"set-cookie"}

# A body means nothing without these: where no-cache or private names one, it means the whole response.
_ESSENTIAL = frozenset(
    ("content-encoding", "content-length", "content-range", "content-type", "location", "vary")
)
_NO_NAMES: frozenset[str] = frozenset()
# Section 3.5: what lets a shared cache keep the answer to a request with Authorization.
_SHAREABLE = frozenset(("must-revalidate", "public", "s-maxage"))
# Sections 5.2.2.2, 5.2.2.8 and 5.2.2.10.
_NEVER_STALE = frozenset(("must-revalidate", "proxy-revalidate", "s-maxage"))
_SHARED = frozenset(("public", "s-maxage"))
_TIMELESS = frozenset(("no-cache", "public"))
_SPEAKING = frozenset(("cache-control", "expires", "pragma"))


class StoringRules(NamedTuple):
    """What is left to options; times in seconds. Made once, at start-up."""

    #: The fields that speak to this cache in place of Cache-Control, in lower case, the first one first.
    targeted: tuple[str, ...] = ("cdn-cache-control",)
    #: RFC 9111 section 4.2.2: of the time since Last-Modified, and at most so long.
    heuristic_fraction: float = 0.1
    heuristic_max: float = 60.0
    #: Whether responses that set cookies are stored, cookies and all.
    set_cookie: bool = False
    #: No response is served stale for longer than this, whatever it says itself.
    stale_while_revalidate_max: float = 86400.0
    stale_if_error_max: float = 86400.0
    #: For responses that say nothing, and were fresh at some time.
    stale_while_revalidate_default: float = 0.0
    stale_if_error_default: float = 0.0


class Verdict(NamedTuple):
    """Whether and on what terms a response is stored; times in seconds."""

    stored: bool
    #: Why it isn't, in a word; "ok" where it is.
    reason: str
    #: The age up to which it is fresh.
    lifetime: float = 0.0
    #: Whether somebody said so; False for a guess by Last-Modified.
    explicit: bool = False
    #: Its age on arrival: it is fresh for `lifetime - initial_age` from then.
    initial_age: float = 0.0
    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0
    #: It may never be served stale: must-revalidate, proxy-revalidate, s-maxage.
    must_revalidate: bool = False
    #: It may never be served without validation: no-cache, or no lifetime to begin with.
    always_revalidate: bool = False
    #: The fields, in lower case, that no-cache or private keep out of the store.
    withheld: frozenset[str] = _NO_NAMES


# Most responses of an application may not be stored: those answers are ready-made.
_REFUSALS = {
    reason: Verdict(False, reason)
    for reason in (
        *("authorization", "cookie", "expired", "method", "must-understand", "no-cache", "no-freshness"),
        *("no-store", "private", "set-cookie", "status", "vary-star"),
    )
}


def judge(
    method: str,
    status: int,
    headers: Headers,
    *,
    authorized: bool,
    cookie: bool,
    requested: float,
    received: float,
    rules: StoringRules,
    assigned: float | None = None,
    fallback: float | None = None,
    located: bool = False,
) -> Verdict:
    """Whether this response is stored, for how long, and what later answers have to observe.

    :param method: of the request; only GET is stored, and POST as `located` says.
    :param status: of the response. A 206 is judged like a 200.
    :param headers: of the response, as the application made them.
    :param authorized: the request has an Authorization field.
    :param cookie: the request has a Cookie field (that matters).
    :param requested: when the application was called, wall clock.
    :param received: when the head of the response was there, wall clock.
    :param assigned: a lifetime from the application's own code for this cache, counted from `received`. It
        takes the place of what the fields say about freshness, never of no-store, private or no-cache. For
        `ASSIGNABLE_STATUSES` only.
    :param fallback: a lifetime by rule, counted from `received`, for a response that sends neither
        Cache-Control nor Expires, Pragma or a targeted field, if its status could be stored on a guess.
        Passed only where the rule covers the request.
    :param located: a POST's Content-Location is its target: with a stated lifetime the response answers a
        later GET (RFC 9110 section 9.3.3).
    """
    fields = headers.fields
    directives, expires = _policy(headers, rules.targeted)
    if assigned is not None and status not in ASSIGNABLE_STATUSES:
        assigned = None
    private, no_cache = _names(directives, "private"), _names(directives, "no-cache")
    withheld = (private or _NO_NAMES) | (no_cache or _NO_NAMES)
    obstacle = _unstorable(method, status, directives, located)
    if not obstacle and private is not None and not private:
        obstacle = "private"
    if not obstacle:
        shareable = not authorized or assigned is not None or not _SHAREABLE.isdisjoint(directives)
        obstacle = _personal(fields, shareable, rules.set_cookie or "set-cookie" in withheld)
    if obstacle:
        return _REFUSALS[obstacle]

    date = parse_date(fields["date"]) if "date" in fields else None
    age = initial_age(fields.get("age"), date, requested, received)
    if assigned is not None:
        lifetime: float | None = max(0.0, assigned) + age
    else:
        lifetime = explicit_lifetime(directives, expires, date, received)
        if lifetime is None and fallback is not None and _is_silent(method, status, fields, rules.targeted):
            lifetime = max(0.0, fallback) + age
    explicit = lifetime is not None
    if lifetime is None:
        if method != "GET" or (status not in HEURISTIC_STATUSES and "public" not in directives):
            return _REFUSALS["no-freshness" if method != "GET" else "status"]
        personal = authorized or cookie or "set-cookie" in fields
        lifetime = 0.0 if personal else _guess(fields, date, received, rules)
        # no-cache and public speak to caches without naming a time; all else that is silent is left alone.
        if lifetime <= 0 and _TIMELESS.isdisjoint(directives):
            return _REFUSALS["no-freshness"]
    return _terms(
        fields,
        directives,
        min(lifetime, LONGEST + age),
        explicit,
        age,
        no_cache is not None and not no_cache,
        withheld,
        "authorization" if authorized else "cookie" if cookie else "",
        rules,
    )


def stored_fields(
    pairs: Iterable[tuple[str, str]], verdict: Verdict, set_cookie: bool = False
) -> list[tuple[str, str]]:
    """The fields of a response as they go into the store, in order.

    :param pairs: name and value of each, as the application made them.
    :param verdict: what `judge` said of the response.
    :param set_cookie: keep Set-Cookie fields too: where `StoringRules.set_cookie` says so.

    Source: RFC 9111 section 3.1, RFC 9110 section 7.6.1.
    """
    pairs = list(pairs)
    unstored: frozenset[str] = UNSTORED_FIELDS if set_cookie else _UNSTORED_WITH_COOKIES
    if verdict.withheld:
        unstored |= verdict.withheld
    keys = [lower_name(name) for name, _ in pairs]
    if "connection" in keys:
        named = (value for key, (_, value) in zip(keys, pairs, strict=True) if key == "connection")
        unstored = unstored.union(name.strip(" \t") for name in ",".join(named).lower().split(","))
    return [pair for key, pair in zip(keys, pairs, strict=True) if key not in unstored]


def stored_headers(headers: Headers, verdict: Verdict, set_cookie: bool = False) -> Headers:
    """`stored_fields` with their index, of which there is one already: most responses lose no field."""
    unstored: frozenset[str] = UNSTORED_FIELDS if set_cookie else _UNSTORED_WITH_COOKIES
    if unstored.isdisjoint(headers.fields) and verdict.withheld.isdisjoint(headers.fields):
        return headers.copy()
    return Headers(stored_fields(headers.pairs, verdict, set_cookie))


def _policy(headers: Headers, targeted: tuple[str, ...]) -> tuple[Directives, str | None]:
    """The directives that hold for this cache, and Expires where it counts.

    RFC 9213 section 2.2: the first targeted field that is valid and not empty stands for Cache-Control and
    Expires alike, no-store and all. Pragma has no meaning in a response (RFC 9111 section 5.4).
    """
    fields = headers.fields
    for name in targeted:
        if name in fields and (directives := parse_targeted(fields[name])) is not None:
            return directives, None
    expires = fields.get("expires")
    if expires is not None and parse_date(expires) is None:
        # Section 4.2.1: of several lines the first one may be used.
        expires = headers.getlist("expires")[0]
    return parse_directives(fields.get("cache-control")), expires


def _names(directives: Directives, name: str) -> frozenset[str] | None:
    """The fields that no-cache or private names; none for the whole response; None where it isn't there."""
    if name not in directives:
        return None
    names = field_names(directives[name])
    return names if names.isdisjoint(_ESSENTIAL) else _NO_NAMES


def _unstorable(method: str, status: int, directives: Directives, located: bool) -> str:
    """Why nobody could store this; empty where somebody could."""
    if method != "GET" and not (method == "POST" and located):
        return "method"
    if not 200 <= status <= 599 or status in NEVER_STORED:
        return "status"
    if "must-understand" in directives:
        # Section 5.2.2.3: who understands the status passes over no-store, which is for the others.
        return "" if status in UNDERSTOOD else "must-understand"
    return "no-store" if "no-store" in directives else ""


def _personal(fields: Mapping[str, str], shareable: bool, cookies: bool) -> str:
    """Why the answer is this client's only; empty where it need not be."""
    if not shareable:
        return "authorization"
    if "set-cookie" in fields and not cookies:
        return "set-cookie"
    # Section 4.1: a member * never matches, so what has one could never be used.
    vary = fields.get("vary", "")
    return "vary-star" if "*" in vary and "*" in [name.strip(" \t") for name in vary.split(",")] else ""


def _is_silent(method: str, status: int, fields: Mapping[str, str], targeted: tuple[str, ...]) -> bool:
    """Whether a rule may speak for the response: it says nothing, and is of a kind to be guessed about."""
    return (
        method == "GET"
        and status in HEURISTIC_STATUSES
        and _SPEAKING.isdisjoint(fields)
        and not any(name in fields for name in targeted)
    )


def _guess(fields: Mapping[str, str], date: int | None, received: float, rules: StoringRules) -> float:
    modified = fields.get("last-modified")
    return heuristic_lifetime(modified, date, received, rules.heuristic_fraction, rules.heuristic_max)


def _terms(
    fields: Mapping[str, str],
    directives: Directives,
    lifetime: float,
    explicit: bool,
    age: float,
    no_cache: bool,
    withheld: frozenset[str],
    personal: str,
    rules: StoringRules,
) -> Verdict:
    """What holds once the lifetime is over, and whether it can be used at all then or before."""
    remaining = lifetime - age
    # Section 5.2.2.10: in a shared cache s-maxage forbids stale answers, as proxy-revalidate does.
    must_revalidate = not _NEVER_STALE.isdisjoint(directives)
    while_revalidate = on_error = 0.0
    if not (must_revalidate or no_cache):
        while_revalidate, on_error = _allowances(directives, remaining > 0, rules)
    always_revalidate = no_cache or (remaining <= 0 and while_revalidate <= 0)
    if always_revalidate and personal and _SHARED.isdisjoint(directives):
        # Allowed, but all it would save is a body, and a validator that overlooks who is asking is a common
        # mistake: only a response that speaks of shared caches is trusted with it.
        return _REFUSALS[personal]
    if not _has_validator(fields, withheld):
        if no_cache:
            return _REFUSALS["no-cache"]
        if remaining + max(while_revalidate, on_error) <= 0:
            return _REFUSALS["expired"]
    stale = (while_revalidate, on_error, must_revalidate, always_revalidate)
    return Verdict(True, "ok", lifetime, explicit, age, *stale, withheld)


def _allowances(directives: Directives, fresh: bool, rules: StoringRules) -> tuple[float, float]:
    """RFC 5861 sections 3 and 4, bounded; a number that can't be read allows nothing.

    The defaults are for what was fresh at some time: a max-age of 0 is a wish not to be guessed about.
    """
    while_revalidate = rules.stale_while_revalidate_default * fresh
    if "stale-while-revalidate" in directives:
        while_revalidate = delta_seconds(directives["stale-while-revalidate"]) or 0.0
    on_error = rules.stale_if_error_default * fresh
    if "stale-if-error" in directives:
        on_error = delta_seconds(directives["stale-if-error"]) or 0.0
    return min(while_revalidate, rules.stale_while_revalidate_max), min(on_error, rules.stale_if_error_max)


def _has_validator(fields: Mapping[str, str], withheld: frozenset[str]) -> bool:
    for name in ("etag", "last-modified"):
        # Empty fields of one name are joined to commas.
        if name in fields and name not in withheld and fields[name].strip(" \t,"):
            return True
    return False
