"""Where variants and records are found, and how a variant comes to be: once, whoever asks."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from wsgiperf.media.serving.flights import Flight, Flights
from wsgiperf.media.serving.memory import Memory
from wsgiperf.media.serving.pool import Pool
from wsgiperf.media.serving.store import Store, default_directory
from wsgiperf.media.serving.variants import Record, Variant

if TYPE_CHECKING:
    from wsgiperf.settings import MediaSettings

__all__ = ["Encode", "Library"]

#: Of a record in memory, beside its fields.
_RECORD_SIZE = 1500
#: Seconds between looks for what another process makes.
_PAUSE = 0.02
#: Begins what is kept of a variant that isn't one, before the moment when that is to be doubted.
_NONE = b"none\n"

_log = logging.getLogger("wsgiperf.media")


class Encode(Protocol):
    """What makes the bytes of a variant; see `encoding.encode`."""

    def __call__(
        self, data: bytes, target: str, width: int | None, quality: int, *, most_pixels: int, seconds: float
    ) -> bytes | None: ...


class Library:
    """The variants of one middleware.

    :param settings: those of the part.
    :param encode: makes the bytes.
    :param clock: the time in seconds since the epoch.
    """

    def __init__(self, settings: MediaSettings, encode: Encode, *, clock: Callable[[], float] = time) -> None:
        self._settings, self._encode, self._clock = settings, encode, clock
        self._store = Store(settings.directory or default_directory, settings.disk_size, clock=clock)
        self._variants: Memory[Variant] = Memory(settings.memory_size)
        # As many records as the variants' memory might stand for, and some where there is none.
        self._records: Memory[Record] = Memory(max(settings.memory_size // 8, 2**20))
        self._pool = Pool(settings.threads, settings.queue_size)
        self.flights = Flights()
        self._told = False
        _all.add(self)

    # -- what is there

    def record(self, name: str) -> Record | None:
        """What is known of a URL's picture."""
        record = self._records.get(name)
        if record is None:
            data = self._store.get(name)
            record = None if data is None else Record.from_bytes(data)
            if record is not None and data is not None:
                self._records.put(name, record, len(data) + _RECORD_SIZE)
        return record

    def remember(self, name: str, record: Record) -> None:
        """Keep what is known, unless it is too long or known already."""
        known = self.record(name)
        same = known is not None and known._replace(read=record.read) == record
        if known is not None and same and known.is_trusted >= record.is_trusted:
            return
        data = record.to_bytes()
        if data is not None:
            self._records.put(name, record, len(data) + _RECORD_SIZE)
            if record.is_trusted:  # else each request reads the picture itself
                self._kept(self._store.put(name, data))

    def variant(self, name: str) -> Variant | None:
        """A variant, or the word that there is none and will be none for now; None where it can be made."""
        variant = self._variants.get(name)
        if variant is None:
            data = self._store.get(name)
            variant = None if data is None else _read(data)
            if variant is not None:
                self._put(name, variant)
        if variant is not None and variant.until and self._clock() >= variant.until:
            return None
        return variant

    # -- how it comes to be

    def making(
        self, flight: Flight, name: str, source: bytes, target: str, width: int | None
    ) -> Callable[[], None]:
        """What makes a variant and lands its flight. To be called once, by whoever has time."""

        def work() -> None:
            try:
                self._make(flight, name, source, target, width)
            finally:
                flight.land()  # come what may

        return work

    def submit(self, flight: Flight, work: Callable[[], None], size: int) -> None:
        """Have it made by a thread of the pool; where too much waits, by nobody."""
        handed = False
        try:
            handed = self._pool.submit(work, size)
        finally:
            if not handed:
                flight.land()

    def awaited(self, name: str | None, flight: Flight | None, seconds: float) -> Variant | None:
        """A variant, if it comes within this time: of a flight, or from another process."""
        until = monotonic() + seconds
        if flight is not None:
            flight.wait(seconds)
            if flight.variant is not None:
                return flight.variant
        elsewhere = False
        while name is not None and monotonic() < until:
            flight = self.flights.under_way(name)
            if flight is not None:
                flight.wait(until - monotonic())
            if (variant := self.variant(name)) is not None:
                return variant
            elsewhere = elsewhere or self.flights.is_elsewhere(name)
            if not elsewhere:
                return None
            sleep(_PAUSE)
        return None

    def _make(self, flight: Flight, name: str, source: bytes, target: str, width: int | None) -> None:
        variant = self.variant(name)
        if variant is not None:
            flight.land(variant)
            return
        lease = self._store.lease(name)
        if lease is None:
            self.flights.note_elsewhere(name)
            return
        try:
            # Who had the lease before may have finished between the look and this.
            variant = self.variant(name)
            if variant is None:
                variant = self._encoded(source, target, width)
                self._put(name, variant)
                self._kept(self._store.put(name, _written(variant)))
        finally:
            lease.release()
        flight.land(variant)
        self._store.make_room()

    def _encoded(self, source: bytes, target: str, width: int | None) -> Variant:
        settings = self._settings
        try:
            data = self._encode(
                source,
                target,
                width,
                settings.quality,
                most_pixels=settings.maximum_pixels,
                seconds=settings.encode_seconds,
            )
            if data is None:
                return Variant.none()
            variant = Variant.of(data)
            if variant is not None:
                return variant
            raise ValueError("the encoder made no picture of a known type")
        except Exception as error:
            # What is wrong with the file is its owner's affair; it goes out as it is stored.
            _log.info("a picture of %d bytes could not be converted: %s", len(source), error)
            return Variant.none(self._clock() + settings.retry_seconds)

    def _put(self, name: str, variant: Variant) -> None:
        self._variants.put(name, variant, len(variant.data) + 500)

    def _kept(self, written: bool) -> None:
        if not written and self._store.failure is not None and not self._told:
            self._told = True
            _log.warning("variants of images are kept in memory only: %s", self._store.failure)

    def forget_threads(self) -> None:
        """In a child process, which has none of its parent's."""
        self.flights.forget()
        self._variants.forget()
        self._records.forget()


def _written(variant: Variant) -> bytes:
    if variant.media_type:
        return variant.data
    return _NONE + repr(variant.until).encode()


def _read(data: bytes) -> Variant | None:
    """A variant as it is kept; its type and its tag are told by the bytes themselves."""
    if data.startswith(_NONE):
        try:
            return Variant.none(float(data[len(_NONE) :]))
        except ValueError:
            return None
    return Variant.of(data)


_all: WeakSet[Library] = WeakSet()


def _after_fork() -> None:
    for library in list(_all):
        library.forget_threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
