"""What a section of options is, and what several of them use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from wsgiperf.errors import SettingsError
from wsgiperf.http.headers import check_field
from wsgiperf.options import names, options_of

__all__ = ["YEAR", "Section", "field_name", "nearest", "trusted_proxies_option"]

YEAR = 31_536_000  # seconds


def nearest(name: object, right: Mapping[str, object] | list[str]) -> str | None:
    """The right name that looks most like this one, if any does."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(str(name), list(right), 1, 0.6)), None)


@dataclass(frozen=True, kw_only=True)
class Section:
    """The options of one part, checked.

    :raises SettingsError: for a value an option does not take.
    """

    section: ClassVar[str]
    #: Whether the part is in the stack when nobody says anything about it.
    on_by_default: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name, option in options_of(type(self)).items():
            value = getattr(self, name)
            try:
                object.__setattr__(self, name, option.check(value))
            except (ValueError, TypeError) as error:
                cause = None if option.secret else error
                raise option.refusal(f"{self.section}.{name}", value) from cause

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Make the section from keywords.

        :raises SettingsError: for an unknown name or a bad value.
        """
        known = options_of(cls)
        for name in given:
            if name not in known:
                suggestion = nearest(name, known)
                raise SettingsError(
                    f"{cls.section}.{name}",
                    f"an option of {cls.section}: {', '.join(known)}",
                    suggestion=suggestion and f"{cls.section}.{suggestion}",
                )
        return cls(**given)

    def as_dict(self) -> dict[str, Any]:
        """All options with their values."""
        return {declared.name: getattr(self, declared.name) for declared in fields(self)}


#: Fields that frame the message or the connection: the server's and the application's, never ours to add.
_FRAMING = frozenset(
    (
        "connection", "content-length", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
        "trailer", "trailers", "transfer-encoding", "upgrade",
    )
)  # fmt: skip


def field_name(value: str) -> bool:
    """Whether it names a header field that parts may set or read.

    :raises ValueError: where it is no field name at all.
    """
    check_field(value, "")
    return value.lower() not in _FRAMING


def trusted_proxies_option() -> Any:
    """An option of two sections, in one wording."""
    return names(
        (),
        "Proxies whose forwarding headers are believed: addresses, networks, or `unix` for a unix socket.",
        expected="a list of IP addresses, networks such as 10.0.0.0/8, or 'unix'",
        accepts=_address,
    )


def _address(value: str) -> bool:
    from ipaddress import ip_network

    return value == "unix" or bool(ip_network(value))
