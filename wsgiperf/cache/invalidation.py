"""What an unsafe method makes obsolete: RFC 9111 section 4.4."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from wsgiperf.cache.key import LONGEST_KEY, canonical_origin, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsgiperf.wsgi import Response

__all__ = ["changed_urls", "located_at"]


def changed_urls(url: str, response: Response) -> Iterator[str]:
    """The canonical URLs that a successful response to an unsafe method speaks of.

    :param url: the canonical target URL.

    The target, and what Location and Content-Location name on the same origin: another's is none of our
    business, and could be used to empty it.
    """
    if response.status[:1] not in ("2", "3"):
        return
    yield url
    for name in ("Location", "Content-Location"):
        named = response.headers.get(name)
        if named is not None and len(named) <= LONGEST_KEY:
            other = located_at(named, url)
            if other is not None and other != url:
                yield other


def located_at(named: str, url: str) -> str | None:
    """The canonical URL that a field names, seen from a target URL; None where it isn't of its origin."""
    try:
        parts = urlsplit(urljoin(url, named))
    except ValueError:
        return None
    origin = canonical_origin(f"{parts.scheme}://{parts.netloc}")
    if origin is None or not url.startswith(f"{origin}/"):
        return None
    try:
        path = path_of(unquote_to_bytes((parts.path or "/").encode("latin-1")).decode("latin-1"))
    except UnicodeEncodeError:
        return None
    return f"{origin}{path}?{parts.query}" if parts.query else f"{origin}{path}"
