"""Threads share the work of several sizes: the same files come out, and the first thing that is wrong."""

import os
import threading

import pytest

from wsgiperf.media import thumbnails
from wsgiperf.media.errors import TooLargeMediaError
from wsgiperf.media.limits import Limits
from wsgiperf.media.pictures import parallel, thumbnailing

from . import files

SIZES = (40, 300, (100, 50), 150)


@pytest.fixture
def data():
    return files.encoded(files.photo(1_600, 1_200), "JPEG", quality=92)


@pytest.fixture
def two_processors(monkeypatch):
    monkeypatch.setattr(parallel, "processors", lambda: 2)


def test_the_same_files_whoever_makes_them(monkeypatch, data):
    made = []
    for count in (1, 2, 16):
        monkeypatch.setattr(parallel, "processors", lambda count=count: count)
        made.append(thumbnails(data, SIZES))
        assert list(made[-1]) == list(SIZES)
    assert made[0] == made[1] == made[2]


def test_without_further_threads(monkeypatch, data, two_processors):
    """As where a control group or the system limits them."""
    expected = thumbnails(data, SIZES)

    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert thumbnails(data, SIZES) == expected


def test_what_one_raises_is_raised(monkeypatch, data, two_processors):
    real = thumbnailing.encoded

    def fail(image, *rest):
        if image.width == 150:
            raise TooLargeMediaError("too_large")
        return real(image, *rest)

    monkeypatch.setattr(thumbnailing, "encoded", fail)
    before = threading.enumerate()
    with pytest.raises(TooLargeMediaError):
        thumbnails(data, SIZES)
    assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_sizes_larger_than_the_picture_are_made_once(monkeypatch):
    """It is never made larger, so they are all the same."""
    made = []
    real = thumbnailing.encoded
    monkeypatch.setattr(thumbnailing, "encoded", lambda *given: made.append(1) or real(*given))
    found = thumbnails(files.encoded(files.photo(64, 48), "JPEG"), (64, 500, (900, 700), 32))
    assert [(each.width, each.height) for each in found.values()] == [(64, 48)] * 3 + [(32, 24)]
    assert len(made) == 2


def test_many_large_sizes_are_made_one_after_the_other(monkeypatch, two_processors):
    """Together they would hold more than the picture itself, whose memory is limited."""
    threads = set()
    real = thumbnailing.encoded
    monkeypatch.setattr(
        thumbnailing, "encoded", lambda *given: threads.add(threading.get_ident()) or real(*given)
    )
    data = files.encoded(files.photo(200, 150), "PNG")
    thumbnails(data, range(160, 200, 5), limits=Limits(max_bytes=len(data)))
    assert threads == {threading.get_ident()}
    threads.clear()
    thumbnails(data, (20, 30, 40))
    assert threading.get_ident() not in threads


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no process")
def test_processors_are_those_that_may_be_used():
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert parallel.processors() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert parallel.processors() == len(allowed)
