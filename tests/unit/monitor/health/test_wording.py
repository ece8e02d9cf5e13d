"""Errors as they are told: short, in one line, without secrets."""

from __future__ import annotations

import time

import pytest

from wsgiperf.monitor.health.wording import LONGEST, bounded, described


class MuteError(Exception):
    """Whose words can't be had."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("connection refused", "connection refused"),
        ("two\r\nlines\x00\x1b[31m\u202ered\ud800", "two lines [31m red"),
        ("at redis://user:hunter2@host:6379/0 now", "at redis://***@host:6379/0 now"),
        ("at postgresql://u:hunter2/@x@host/db", "at postgresql://***@host/db"),
        ("dsn password=hunter2 host=db", "dsn password=*** host=db"),
        ("PASSWORD='hunter2 and more' host=db", "PASSWORD=*** host=db"),
        ('{"api_key": "hunter2", "a": 1}', '{"api_key": ***, "a": 1}'),
        ("GET /?access_token=hunter2&x=1", "GET /?access_token=***&x=1"),
        ("Authorization: Bearer hunter2 sent", "Authorization: *** sent"),
        ("the word open sesame", "the word ***"),
        ('password authentication failed for user "x"', 'password authentication failed for user "x"'),
        ("see http://host/path, or mail a@b.example", "see http://host/path, or mail a@b.example"),
    ],
)
def test_what_is_told(text: str, told: str) -> None:
    """Secrets known and secrets guessed."""
    assert bounded(text, ["open sesame"]) == told


@pytest.mark.parametrize(
    "text", ["x" * 10**6, "://" * 10**6, "password=" * 10**6, "token'" * 10**6, " \n" * 10**6]
)
def test_it_is_short_and_found_fast(text: str) -> None:
    """Whatever is in it."""
    began = time.thread_time()  # other threads' is not its own
    assert len(bounded(text)) <= LONGEST
    assert time.thread_time() - began < 1.0


@pytest.mark.parametrize(
    ("error", "told"),
    [(ValueError("no"), "ValueError: no"), (KeyError(), "KeyError"), (MuteError(), "MuteError")],
    ids=["words", "none", "mute"],
)
def test_an_exception_is_told_by_its_type_and_words(error: BaseException, told: str) -> None:
    """As far as it has any."""
    assert described(error) == told
