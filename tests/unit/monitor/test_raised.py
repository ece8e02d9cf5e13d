"""Exceptions as records."""

import errno
import sqlite3

import pytest

from unit.client import environ_of
from wsgiperf.events import Raised
from wsgiperf.exchange import Exchange
from wsgiperf.monitor.raised import MOST_RAISED, note_raised, record_of


class OperationalError(Exception):
    """As every driver calls it."""


class LostConnectionError(OperationalError):
    pass


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "kind", "severity"),
    [
        (ValueError("x"), "ValueError", "error"),
        (sqlite3.IntegrityError("x"), "sqlite3.IntegrityError", "error"),
        (sqlite3.OperationalError("x"), "sqlite3.OperationalError", "critical"),
        (LostConnectionError("x"), f"{__name__}.LostConnectionError", "critical"),
        (MemoryError("x"), "MemoryError", "critical"),
        (RecursionError("x"), "RecursionError", "critical"),
        (OSError(errno.ENOSPC, "x"), "OSError", "critical"),
        (OSError(errno.EMFILE, "x"), "OSError", "critical"),
        (FileNotFoundError(errno.ENOENT, "x"), "FileNotFoundError", "error"),
        (OSError("x"), "OSError", "error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_kind_and_severity(error, kind, severity):
    record = record_of(error)
    assert (record.kind, record.severity) == (kind, severity)
    assert "x" in record.message or isinstance(error, FileNotFoundError)


def test_the_message_is_redacted():
    assert record_of(ValueError("password=hunter2")) == Raised("ValueError", "password=[redacted]", "error")


def test_an_exception_that_cannot_be_spelled_has_no_message():
    assert record_of(UnspeakableError()) == Raised(f"{__name__}.UnspeakableError", "", "error")


def test_a_made_up_type_has_a_short_printable_name():
    kind = type("Dynamic\n" + "x" * 500, (Exception,), {})
    record = record_of(kind())
    assert len(record.kind) == 100
    assert record.kind.isprintable()


def test_an_exception_that_is_told_again_on_its_way_out_is_one():
    exchange, error = Exchange(environ_of(), frozenset()), ValueError("once")
    for _ in range(3):
        note_raised(exchange, error)
    assert exchange.events == [Raised("ValueError", "once", "error")]


def test_an_exchange_has_a_bounded_number():
    exchange = Exchange(environ_of(), frozenset())
    for number in range(100):
        note_raised(exchange, ValueError(number))
    assert [event.message for event in exchange.events] == [str(number) for number in range(MOST_RAISED)]
