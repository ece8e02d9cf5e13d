"""Conditions and validators, as a cache that answers from a stored response needs them.

RFC 9110 section 13 for what clients ask, RFC 9111 sections 3.2 and 4.3 for what the application answers.
Every value may be malformed: what isn't a date or a tag says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .dates import parse_date
from .etag import etags, is_weak, parse_etag, strong_match, weak_match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, Protocol

    class HasFields(Protocol):
        """`Headers`, or a dict by lower-case name."""

        def get(self, name: str, /) -> str | None: ...


__all__ = [
    "freshened",
    "head_freshens",
    "if_range_holds",
    "is_strong_date",
    "not_modified",
    "not_modified_fields",
    "selects",
]

Pair = tuple[str, str]

#: Section 8.8.2.2 asks for a second between Last-Modified and Date, or for more where they may come of two
#: clocks: a file server's or a database's, and this machine's. RFC 7232 named this many.
SECONDS_APART = 60

# RFC 9111 section 3.1 and RFC 9110 section 7.6.1.
_OF_THE_CONNECTION = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)
_OF_THE_PROXY = frozenset(("proxy-authenticate", "proxy-authentication-info", "proxy-authorization"))
# RFC 9111 section 3.2: what the stored bytes depend on.
_OF_THE_BYTES = frozenset(("content-length", "content-encoding", "content-range"))
_NEVER_UPDATED = _OF_THE_CONNECTION | _OF_THE_PROXY | _OF_THE_BYTES

# RFC 9110 section 15.4.5. The last three are no metadata of the representation: a script whose own condition
# led to the 304 isn't shown it without them.
_IN_A_304 = frozenset(
    (
        "cache-control", "content-location", "date", "etag", "expires", "vary",
        "access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers",
    )
)  # fmt: skip


def not_modified(
    if_none_match: str | None,
    if_modified_since: str | None,
    etag: str | None,
    last_modified: str | None,
    date: str | None,
) -> bool:
    """Whether a GET or HEAD with these conditions is answered with 304 from a stored 200.

    :param date: the stored Date field, or the time of storing in its form; it stands in for a missing
        Last-Modified.

    Source: RFC 9110 sections 13.1.2, 13.1.3 and 13.2.2, RFC 9111 section 4.3.2.
    """
    if if_none_match is not None:
        if if_none_match == etag and etag:
            return True  # the usual case, and the one way in which a tag without quotes can match
        own = None if etag is None else parse_etag(etag)
        tags = etags(if_none_match)
        return tags == ["*"] or (own is not None and any(weak_match(tag, own) for tag in tags))
    if if_modified_since is None:
        return False
    since = parse_date(if_modified_since)
    if since is None:
        return False
    if last_modified is not None:
        modified = since if last_modified == if_modified_since else parse_date(last_modified)
    else:
        modified = None if date is None else parse_date(date)
    return modified is not None and modified <= since


def if_range_holds(
    if_range: str | None, etag: str | None, last_modified: str | None, date: str | None
) -> bool:
    """Whether a Range field counts; where not, the whole representation is sent.

    A date counts only as a strong validator, see `is_strong_date`. True without the field.

    Source: RFC 9110 section 13.1.5.
    """
    if if_range is None:
        return True
    tag = parse_etag(if_range)
    if tag is not None:
        own = None if etag is None else parse_etag(etag)
        return own is not None and strong_match(tag, own)
    return (
        last_modified is not None
        and _same_date(if_range, last_modified)
        and is_strong_date(last_modified, date)
    )


def is_strong_date(last_modified: str | None, date: str | None) -> bool:
    """Whether this Last-Modified is a strong validator: older than the response's Date by `SECONDS_APART`.

    Source: RFC 9110 section 8.8.2.2.
    """
    modified = None if last_modified is None else parse_date(last_modified)
    sent = None if date is None else parse_date(date)
    return modified is not None and sent is not None and sent - modified >= SECONDS_APART


def _same_date(one: str, other: str) -> bool:
    seconds = parse_date(one)
    return seconds is not None and (one == other or seconds == parse_date(other))


def selects(
    stored_etag: str | None,
    stored_last_modified: str | None,
    etag: str | None,
    last_modified: str | None,
    *,
    only_asked: bool = False,
) -> bool:
    """Whether a 304 with the latter validators updates the stored response with the former.

    :param only_asked: the request named the validators of this stored response and none besides. A 304
        without any (a fault of the application: section 15.4.5 of RFC 9110) can then mean no other. The
        letter of section 4.3.4 is False.

    Where this is False, the request has to be sent again without conditions.

    Source: RFC 9111 section 4.3.4.
    """
    if etag:
        tag = parse_etag(etag)
        own = None if stored_etag is None else parse_etag(stored_etag)
        if tag is None:
            return etag == stored_etag  # no tag by the grammar, but what the application compared
        if own is not None:
            return weak_match(tag, own) if is_weak(tag) else strong_match(tag, own)
        if stored_etag or not is_weak(tag):
            return False
    if last_modified:
        return stored_last_modified is not None and _same_date(last_modified, stored_last_modified)
    if etag:
        return False
    return only_asked or not (stored_etag or stored_last_modified)


def head_freshens(
    stored: HasFields, new: HasFields, *, status: str = "200 OK", size: int | None = None
) -> Literal["update", "invalidate", "nothing"]:
    """What the response to a HEAD says about the stored response to a GET.

    :param stored: its fields, by lower-case name.
    :param new: those of the response to HEAD.
    :param status: of the response to HEAD; any but 200 says nothing.
    :param size: bytes of the stored body; without it, its Content-Length counts.

    "update" calls for `freshened`; "invalidate" means that the stored response is stale from now on.

    Source: RFC 9111 section 4.3.5.
    """
    if status[:3] != "200":
        return "nothing"
    etag, last_modified, length = new.get("etag"), new.get("last-modified"), new.get("content-length")
    if etag is not None and etag != stored.get("etag"):
        return "invalidate"
    if last_modified is not None:
        own = stored.get("last-modified")
        if own != last_modified and (own is None or not _same_date(own, last_modified)):
            return "invalidate"
    if length is not None:
        own = stored.get("content-length") if size is None else str(size)
        if length.strip(" \t") != own:
            return "invalidate"
    return "update"


def freshened(
    stored: Iterable[Pair],
    new: Iterable[Pair],
    *,
    without: Collection[str] = (),
    set_cookie: bool = False,
) -> list[Pair]:
    """The stored fields, updated by those of a 304, of a HEAD, or of a 206 of the same representation.

    :param without: lower-case names that are not to be stored, such as those in ``no-cache="..."``.
    :param set_cookie: take Set-Cookie too.

    Fields of a name replace all stored ones of it. Never taken: what belongs to the connection or to the
    bytes as they are stored. A stored ETag stays: another one that led here is its weak form. Age and Date
    are those of the new response or none, for they say when it was made.

    Source: RFC 9111 section 3.2.
    """
    stored, new = list(stored), list(new)
    never = _NEVER_UPDATED.union(without, _named_by_connection(new))
    if not set_cookie:
        never |= {"set-cookie"}
    if any(name.lower() == "etag" for name, _ in stored):
        never |= {"etag"}
    taken = [(name, value) for name, value in new if name.lower() not in never]
    replaced = {name.lower() for name, _ in taken} | {"age", "date"}
    return [pair for pair in stored if pair[0].lower() not in replaced] + taken


def _named_by_connection(pairs: Iterable[Pair]) -> set[str]:
    """RFC 9110 section 7.6.1."""
    return {
        option.strip(" \t").lower()
        for name, value in pairs
        if name.lower() == "connection"
        for option in value.split(",")
    }


def not_modified_fields(pairs: Iterable[Pair], also: Collection[str] = ()) -> list[Pair]:
    """The fields of a 304 made from a stored 200: what guides caches, not what describes the body.

    :param also: lower-case names of further fields that guide caches, such as ``cdn-cache-control``.

    Last-Modified is among them where there is no ETag. Age and Cache-Status are the caller's to add.

    Source: RFC 9110 section 15.4.5.
    """
    pairs = list(pairs)
    kept = _IN_A_304.union(also)
    if not any(name.lower() == "etag" for name, _ in pairs):
        kept |= {"last-modified"}
    return [pair for pair in pairs if pair[0].lower() in kept]
