"""Many pictures at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Unpack

from wsgiperf.media.errors import MediaError
from wsgiperf.media.limits import DEFAULT_LIMITS, Limits
from wsgiperf.media.pictures.choices import Choices, Options
from wsgiperf.media.pictures.optimising import optimized
from wsgiperf.media.pictures.parallel import processors
from wsgiperf.media.pictures.results import Optimized
from wsgiperf.media.sources import Source, read

__all__ = ["optimize_many"]


def optimize_many(
    sources: Iterable[Source],
    *,
    workers: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
    **options: Unpack[Options],
) -> Iterator[tuple[Source, Optimized | MediaError]]:
    """Each source with its result or its error, in their order, as they are done.

    Threads do it, for codecs let others run; no more than twice as many sources as threads are held.

    :param workers: threads; as many as the process has processors by default.
    :param options: of `optimize`.
    :raises SettingsError: as `optimize`, at once.
    """
    choices = Choices.of(options)
    return _each(iter(sources), workers or processors(), choices, limits)


def _each(
    sources: Iterator[Source], count: int, choices: Choices, limits: Limits
) -> Iterator[tuple[Source, Optimized | MediaError]]:
    waiting: deque[tuple[Source, Future[Optimized | MediaError]]] = deque()
    pool = ThreadPoolExecutor(count, "wsgiperf-media")
    try:
        for source in sources:
            waiting.append((source, pool.submit(_one, source, choices, limits)))
            if len(waiting) >= 2 * count:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _one(source: Source, choices: Choices, limits: Limits) -> Optimized | MediaError:
    try:
        return optimized(read(source, limits.max_bytes), choices, limits)
    except MediaError as error:
        return error
