"""Entity tags, and one of its own for each content coding: RFC 9110 section 8.8.3.

A strong tag promises the same bytes, so a body and its compressed forms may not share one. Weakening the tag
would keep the promise, but a weak tag fails every If-Match. So the tag of an encoded body is the
application's with a suffix, ``"abc"`` -> ``"abc-br-fa24"``, and the suffix is taken off again before the
application sees the tag. Its four digits are computed from what stands before them: a tag that merely looks
alike isn't touched.

Tags are handled in the form they are sent in, quotes and ``W/`` included.
"""

from __future__ import annotations

import re
from zlib import crc32

__all__ = [
    "etags",
    "is_weak",
    "parse_etag",
    "strip_codings",
    "strong_match",
    "weak_match",
    "with_coding",
]

# entity-tag = [ weak ] opaque-tag; weak = %s"W/"; opaque-tag = DQUOTE *etagc DQUOTE
# The grammar has no space; some applications do, and clients return their tags faithfully.
_OPAQUE_TAG = r'"[ !#-~\x80-\xff]*"'
_ETAG = f"(?:W/)?{_OPAQUE_TAG}"
_is_tag = re.compile(_ETAG).fullmatch
_is_strong = re.compile(_OPAQUE_TAG).fullmatch
# A member stands between commas, of which the tag itself may hold some.
_member = re.compile(rf"(?:^|,)[ \t]*({_ETAG})[ \t]*(?=,|\Z)")


def parse_etag(value: str) -> str | None:
    """The tag of an ETag field, or None where it isn't one."""
    tag = value.strip(" \t")
    return tag if _is_tag(tag) else None


def etags(field_value: str) -> list[str]:
    """The tags in an If-Match or If-None-Match field, ``["*"]`` for any; what isn't a tag is passed over."""
    if field_value.strip(" \t") == "*":
        return ["*"]
    return [match[1] for match in _member.finditer(field_value)]


def is_weak(tag: str) -> bool:
    """Whether the tag promises an equivalent body only, not the same bytes."""
    return tag.startswith("W/")


def strong_match(one: str, other: str) -> bool:
    """Section 8.8.3.2, for If-Match and If-Range: the same tag, and strong."""
    return one == other and not is_weak(one)


def weak_match(one: str, other: str) -> bool:
    """Section 8.8.3.2, for If-None-Match: the same tag, weak or strong."""
    return one.removeprefix("W/") == other.removeprefix("W/")


def with_coding(etag: str, coding: str) -> str:
    """The tag of the body in that coding; weak tags, which may be shared, and malformed ones stay."""
    if not _is_strong(etag):
        return etag
    opaque = etag[1:-1]
    return f'"{opaque}-{coding}-{_proof(opaque, coding)}"'


def strip_codings(
    field_value: str, codings: tuple[str, ...], keep_both: bool = False
) -> tuple[str, dict[str, str]]:
    """Put the application's tags in the place of ours in an If-None-Match or If-Match field.

    All else stays as it was sent. Also returns the application's tags with the ones the client sent for them,
    for the way back in a 304.

    :param codings: whose suffixes count, the client's favourite first: where it sent several for one tag of
        the application, the first coding's is returned. For If-None-Match name those it accepts now, so that
        no cache is told to use a body in another; for If-Match, which is about what it once got, name all.
    :param keep_both: add the application's form rather than replace ours: for an application whose own tags
        end so, for instance because it passes on those of another server that runs this library.
    """
    # Most tags aren't ours, and this says so without taking the field apart.
    for coding in codings:
        if f"-{coding}-" in field_value:
            break
    else:
        return field_value, {}
    found: list[tuple[int, str, str]] = []

    def restore(member: re.Match[str]) -> str:
        tag = member[1]
        for rank, coding in enumerate(codings):
            own = _without_coding(tag, coding)
            if own is not None:
                found.append((rank, own, tag))
                return member[0].replace(tag, f"{tag}, {own}" if keep_both else own, 1)
        return member[0]

    stripped = _member.sub(restore, field_value)
    # A proxy may have weakened our tag; the application's own is strong all the same.
    found.sort(reverse=True)
    return stripped, {own.removeprefix("W/"): tag for _, own, tag in found}


def _without_coding(tag: str, coding: str) -> str | None:
    """The tag that `with_coding` made this one from, or None where it didn't."""
    suffixed, _, proof = tag[:-1].rpartition("-")
    own = suffixed.removesuffix(f"-{coding}")
    if own == suffixed or proof != _proof(own.partition('"')[2], coding):
        return None
    return f'{own}"'


def _proof(opaque: str, coding: str) -> str:
    return f"{crc32(f'{opaque}{coding}'.encode('latin-1')) & 0xFFFF:04x}"
