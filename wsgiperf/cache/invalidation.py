"""What an unsafe method makes obsolete: RFC 9111 section 4.4."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from wsgiperf.cache.key import LONGEST_KEY, canonical_origin, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsgiperf.wsgi import Response

__all__ = ["changed_urls"]


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
            other = _on_same_origin(named, url)
            if other is not None and other != url:
                yield other


def _on_same_origin(named: str, url: str) -> str | None:
    try:
        parts = urlsplit(urljoin(url, named))
    except ValueError:
        return None
    origin = canonical_origin(f"{parts.scheme}://{parts.netloc}")
    if origin is None or not url.startswith(f"{origin}/"):
        return None
    from urllib.parse import unquote_to_bytes

    path = path_of(unquote_to_bytes(parts.path or "/").decode("latin-1"))
    return f"{origin}{path}?{parts.query}" if parts.query else f"{origin}{path}"
