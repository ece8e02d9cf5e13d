"""The errors this library raises: one base, and a child for each thing a caller can do about it."""

from __future__ import annotations

__all__ = ["HeaderError", "SettingsError", "WSGIPerfError"]


#: For an error that is about a name, not about its value.
NOT_GIVEN = object()


class WSGIPerfError(Exception):
    """Base of every error this library raises on purpose."""


class SettingsError(WSGIPerfError, ValueError):
    """An unknown option, or a value that an option does not take.

    :param name: the option's full name, spelled as where it was given.
    :param expected: what would have been right, in words.
    :param value: what was given; left out where the name itself is wrong.
    :param suggestion: the nearest right name, if one is near.
    :param secret: the message doesn't quote the value.
    """

    def __init__(
        self,
        name: str,
        expected: str,
        *,
        value: object = NOT_GIVEN,
        suggestion: str | None = None,
        secret: bool = False,
    ) -> None:
        self.name, self.expected, self.value, self.suggestion = name, expected, value, suggestion
        message = f"{name}: expected {expected}"
        if value is not NOT_GIVEN and not secret:
            message += f", got {value!r}"
        if suggestion is not None:
            message += f"; did you mean {suggestion}?"
        super().__init__(message)


class HeaderError(WSGIPerfError, ValueError):
    """A header field that must not be sent: it would split the head, or has no latin-1 form.

    Source: RFC 9110 section 5.5, PEP 3333 ("Unicode Issues").
    """
