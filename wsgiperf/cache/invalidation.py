"""What an unsafe method makes obsolete: RFC 9111 section 4.4."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from wsgiperf.cache.key import FORWARDING, LONGEST_KEY, canonical_origin, forwarded, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIEnvironment

    from wsgiperf.wsgi import Response

__all__ = ["Change"]


class Change:
    """One request by an unsafe method, as it came: the application may change environ.

    :param url: its canonical URL.
    :param sent: a copy of environ.
    """

    __slots__ = ("_suffix", "_url", "sent")

    def __init__(self, url: str, sent: WSGIEnvironment) -> None:
        self._url, self.sent = url, sent
        names = [name for name in FORWARDING if name in sent]
        self._suffix = f"\n{forwarded(sent, names)}" if names else ""

    @property
    def key(self) -> str:
        """What a GET for the same URL is stored under."""
        return self._url + self._suffix

    def keys(self, response: Response) -> Iterator[str]:
        """The primary keys of what a successful response to it speaks of.

        The target, and what Location and Content-Location name on the same origin: another's is none of
        our business, and could be used to empty it.
        """
        if response.status[:1] not in ("2", "3"):
            return
        yield self.key
        for name in ("Location", "Content-Location"):
            named = response.headers.get(name)
            if named is not None and len(named) <= LONGEST_KEY:
                other = _located_at(named, self._url)
                if other is not None and other != self._url:
                    yield other + self._suffix

    def names_itself(self, response: Response) -> bool:
        """Whether Content-Location says that the response is what the URL stands for."""
        location = response.headers.fields.get("content-location")
        return location is not None and _located_at(location, self._url) == self._url


def _located_at(named: str, url: str) -> str | None:
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
