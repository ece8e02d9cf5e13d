"""What a request asks of the cache: read once, on the way in, and remembered until its response is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsgiperf.http.reuse import NO_DIRECTIVES, RequestDirectives

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from wsgiperf.cache.coalescing import Flight
    from wsgiperf.cache.entry import Entry, Held
    from wsgiperf.caching_rules import Rule

__all__ = ["Lookup"]


class Lookup:
    """One GET or HEAD that goes on to the application, with what is to be done with its response."""

    __slots__ = (
        "alone", "authorized", "cookie", "directives", "entry", "flight", "forward", "held",
        "if_modified_since", "if_none_match", "key", "method", "names", "position", "primary", "refresh",
        "requested", "rules", "sent", "storable", "validating",
    )  # fmt: skip

    def __init__(self, primary: str, requested: float, position: int) -> None:
        self.primary = self.key = primary
        self.method = "GET"
        self.requested = requested  #: wall clock
        self.position = position  #: of the journal: what is purged from now on isn't stored
        self.directives: RequestDirectives = NO_DIRECTIVES
        self.rules: tuple[Rule, ...] = ()
        self.names: tuple[str, ...] = ()  #: request fields that the rules put into the key
        self.held: Held | None = None  #: what stands under the primary key
        self.entry: Entry | None = None  #: what is stored, and may not be used as it is
        self.forward = "uri-miss"  #: why, in the words of RFC 9211 section 2.2
        self.flight: Flight | None = None  #: led by this request
        self.authorized = self.cookie = False
        self.storable = True
        self.alone = False  #: it doesn't wait for others, nor they for it
        self.validating = False  #: the application is asked with the entry's validators
        self.refresh = False
        #: The request as it came: what the application changes in environ is not what others will ask with.
        self.sent: WSGIEnvironment = {}
        # The client's conditions, where the application isn't asked with them.
        self.if_none_match: str | None = None
        self.if_modified_since: str | None = None

    def fields(self, environ: WSGIEnvironment) -> WSGIEnvironment:
        """The request's fields as the client sent them."""
        return self.sent or environ
