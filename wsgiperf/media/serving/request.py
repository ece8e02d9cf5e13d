"""What a request asks, and what of it the application isn't shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from wsgiperf.media.serving.negotiation import Wish
    from wsgiperf.media.serving.variants import Record, Variant

__all__ = ["CONDITIONS", "Asked"]

#: What is between the client and the variant.
CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_IF_RANGE")


class Asked:
    """One request for what may be a picture.

    :param environ: as the request came.
    :param wish: by its Accept.
    :param width: the one asked for, if it is allowed.
    :param name: of the URL's record; None for a URL that has none.
    """

    __slots__ = (
        "_environ", "_hidden", "_removed", "if_none_match", "if_range", "is_head", "name", "range", "record",
        "sent", "variant", "width", "wish",
    )  # fmt: skip

    def __init__(self, environ: WSGIEnvironment, wish: Wish, width: int | None, name: str | None) -> None:
        self._environ, self.wish, self.width, self.name = environ, wish, width, name
        self.if_none_match: str | None = environ.get("HTTP_IF_NONE_MATCH")
        self.range: str | None = environ.get("HTTP_RANGE")
        self.if_range: str | None = environ.get("HTTP_IF_RANGE")
        self.is_head = environ.get("REQUEST_METHOD") == "HEAD"
        self.record: Record | None = None  #: of the URL, where it is for this request
        self.variant: Variant | None = None  #: to be served if the application confirms the record
        self.sent: WSGIEnvironment | None = None  #: the request without any condition, where ours are put
        self._removed: dict[str, str] | None = None
        self._hidden: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the application was asked in our words."""
        return self._removed is not None

    def ask(self, record: Record | None = None) -> None:
        """Put a plain GET in the request's place.

        :param record: whose validators make it conditional.
        """
        environ = self._environ
        names = [name for name in CONDITIONS if name in environ]
        self._removed = {name: environ.pop(name) for name in names}
        environ["REQUEST_METHOD"] = "GET"
        if record is not None:
            self.sent = environ.copy()
            if record.etag:
                environ["HTTP_IF_NONE_MATCH"] = record.etag
            if record.last_modified:
                environ["HTTP_IF_MODIFIED_SINCE"] = record.last_modified

    def hide_date(self) -> None:
        """The client has a variant: an application that heeds its If-Modified-Since would mean the source."""
        self._hidden = self._environ.pop("HTTP_IF_MODIFIED_SINCE", None)

    def restore(self) -> None:
        """Put the client's words back: whoever looks at the request later finds it as it came."""
        environ = self._environ
        if self._hidden is not None:
            environ["HTTP_IF_MODIFIED_SINCE"] = self._hidden
        if self._removed is None:
            return
        for name in CONDITIONS:
            environ.pop(name, None)
        environ.update(self._removed)
        if self.is_head:
            environ["REQUEST_METHOD"] = "HEAD"
