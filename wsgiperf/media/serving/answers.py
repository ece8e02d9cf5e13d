"""The answer that a variant makes: whole, confirmed, a part, or a head alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wsgiperf.http.conditional import if_range_holds, not_modified, not_modified_fields
from wsgiperf.http.headers import Headers
from wsgiperf.http.ranges import parse_range, partial
from wsgiperf.http.vary import varies_by

if TYPE_CHECKING:
    from wsgiperf.exchange import Response
    from wsgiperf.media.serving.request import Asked
    from wsgiperf.media.serving.variants import Variant

__all__ = ["answer", "forbid_storing", "vary_by_accept"]

#: What tells of the source's bytes. A file name goes too: its extension is another type's.
_OF_THE_SOURCE = frozenset(
    (
        "accept-ranges", "content-disposition", "content-digest", "content-length", "content-md5",
        "content-range", "content-type", "digest", "etag", "repr-digest", "transfer-encoding",
    )
)  # fmt: skip
_STORING = ("expires", "pragma", "surrogate-control")

_merged = varies_by("Accept")


def answer(response: Response, asked: Asked, pairs: Iterable[tuple[str, str]], variant: Variant) -> None:
    """Make the response that of a variant.

    :param pairs: the fields of the source's 200.

    Dates play no part: Last-Modified is the source's, and whoever has one of its other variants knows it too.
    """
    fields = [pair for pair in pairs if pair[0].lower() not in _OF_THE_SOURCE]
    fields += [
        ("Content-Type", variant.media_type),
        ("Content-Length", str(len(variant.data))),
        ("ETag", variant.etag),
        ("Accept-Ranges", "bytes"),
    ]
    headers = Headers(fields)
    vary_by_accept(headers)
    status, body = "200 OK", [variant.data]
    if not_modified(asked.if_none_match, None, variant.etag, None, None):
        status, body = "304 Not Modified", []
        headers = Headers(not_modified_fields(headers.pairs, also=_speaking_to_caches(headers)))
    elif asked.is_head:
        body = []
    elif asked.range is not None and if_range_holds(asked.if_range, variant.etag, None, None):
        ranges = parse_range(asked.range, len(variant.data))
        if ranges is not None:
            status, cut, body = partial(headers.pairs, variant.data, ranges, if_range=bool(asked.if_range))
            headers = Headers(cut)
    response.status, response.headers, response.body = status, headers, body


def vary_by_accept(headers: Headers) -> None:
    """Say that the answer depends on Accept."""
    own = headers.fields.get("vary")
    if (merged := _merged(own)) != own:
        headers["Vary"] = merged


def forbid_storing(headers: Headers) -> None:
    """Say that nobody may keep the response, in the place of all that was said about it."""
    for name in (*_STORING, *_speaking_to_caches(headers)):
        del headers[name]
    headers["Cache-Control"] = "no-store"


def _speaking_to_caches(headers: Headers) -> list[str]:
    """Fields for one kind of cache: RFC 9213."""
    return [name for name in headers.fields if name.endswith("-cache-control")]
