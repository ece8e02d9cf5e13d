"""The nonce of a response: a promise to templates that the policy will name it."""

from __future__ import annotations

import logging
from os import urandom

__all__ = ["Nonce"]

_log = logging.getLogger("wsgiperf")


class Nonce:
    """128 random bits, made when they are first read; `str()`, `format()` and `__html__()` give them.

    The alphabet is a subset of CSP's (level 3, section 2.3.1) that no template escapes.
    """

    __slots__ = ("_sealed", "_value")

    def __init__(self) -> None:
        self._value: str | None = None
        self._sealed = False

    @property
    def used(self) -> bool:
        """Whether anybody read it."""
        return self._value is not None

    def seal(self) -> str | None:
        """The head is being made: the nonce, if it was read by now."""
        self._sealed = True
        return self._value

    def __str__(self) -> str:
        if self._value is None:
            self._value = urandom(16).hex()
            if self._sealed:
                _log.error(
                    "the CSP nonce was first read after the response's head was sent: browsers will refuse "
                    "what carries it, for the policy does not name it; read it before the first block is sent"
                )
        return self._value

    __html__ = __str__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __repr__(self) -> str:
        return f"<Nonce {'read' if self.used else 'unread'}>"
