"""Exceptions as records: their type, what they say, and how bad that is."""

from __future__ import annotations

import errno

from wsgiperf.events import Raised
from wsgiperf.exchange import Exchange
from wsgiperf.monitor.redaction import redacted

__all__ = ["MOST_RAISED", "note_raised", "record_of"]

#: Records of one exchange: a request may call another application, which fails, in a loop.
MOST_RAISED = 8
LONGEST_KIND = 100

# Not about this one request: the machine, the interpreter or the database is in trouble.
_CRITICAL = (MemoryError, RecursionError, SystemError)
_CRITICAL_ERRNO = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}
#: PEP 249's name for a database out of reach or out of means; drivers and ORMs each have a class of it.
_CRITICAL_NAME = "OperationalError"


def record_of(error: BaseException) -> Raised:
    """The record of an exception. Never raises.

    :param error: the exception; nothing of it is kept.
    """
    try:
        message = redacted(str(error))
    except Exception:  # its __str__ is the application's
        message = ""
    return Raised(_kind_of(type(error)), message, _severity_of(error))


def note_raised(exchange: Exchange, error: BaseException) -> None:
    """Append the exception's record to the exchange's events, up to `MOST_RAISED`, and each once.

    Under DEBUG_PROPAGATE_EXCEPTIONS Django tells of one exception at each of its middlewares.
    """
    noted: list[tuple[int, Raised]] = exchange.notes.setdefault(Raised, [])
    if len(noted) < MOST_RAISED:
        found = id(error), record_of(error)  # both: a new exception may have the place of one that is gone
        if found not in noted:
            noted.append(found)
            exchange.events.append(found[1])


def _kind_of(kind: type[BaseException]) -> str:
    module, name = kind.__module__, kind.__qualname__
    qualified = name if module == "builtins" else f"{module}.{name}"
    return "".join(filter(str.isprintable, qualified))[-LONGEST_KIND:]


def _severity_of(error: BaseException) -> str:
    critical = (
        isinstance(error, _CRITICAL)
        or (isinstance(error, OSError) and error.errno in _CRITICAL_ERRNO)
        or any(kind.__name__ == _CRITICAL_NAME for kind in type(error).__mro__)
    )
    return "critical" if critical else "error"
