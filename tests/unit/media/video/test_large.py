"""Files of gigabytes: no more is read of them than has to be."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from time import thread_time

import pytest

from tests.unit.media.video.patching import block, box, cluster, described, element, full, track, word
from wsgiperf.media.errors import MediaError
from wsgiperf.media.video import Video, validate_video

GIGABYTE = 1 << 30


class Counting(io.FileIO):
    """Counts what is read."""

    bytes_read = 0
    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size) or b""
        self.bytes_read += len(data)
        self.reads += 1
        return data


def validated(path: Path, *, most: int, reads: int, seconds: float = 0.1) -> Video:
    with Counting(path) as file:
        found = validate_video(file)
        assert file.bytes_read <= most
        assert file.reads <= reads
    took = []
    for _ in range(3):  # others work on the machine as well: what they take isn't counted, but they slow it
        began = thread_time()
        assert validate_video(path) == found
        took.append(thread_time() - began)
    assert min(took) < seconds
    return found


@pytest.fixture
def sparse(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "large"
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("first", [True, False], ids=["header first", "header last"])
def test_an_mp4_of_two_gigabytes(sparse: Path, first: bool) -> None:
    """Two hours of 25 pictures a second, a chunk for each second."""
    chunks, size = 7200, 2 * GIGABYTE
    step = (size - 100) // chunks

    def header(start: int) -> bytes:
        return box(
            b"moov",
            full(b"mvhd", bytes(8), word(1000), word(7_200_000), bytes(80)),
            track(
                times=[(25 * chunks, 40)], sizes=[step // 25] * 25 * chunks, long_offsets=True,
                offsets=[start + step * chunk for chunk in range(chunks)], chunks=[(1, 25)],
            ),
        )  # fmt: skip

    kind = box(b"ftyp", b"isom", bytes(4))
    with sparse.open("wb") as file:
        if first:
            moov = header(32 + len(header(0)))
            file.write(kind + moov)
        else:
            file.write(kind)
        file.write(struct.pack(">I4sQ", 1, b"mdat", size))
        file.seek(size - 16, 1)
        if not first:
            file.write(header(32))
        file.truncate()
    found = validated(sparse, most=1_000_000, reads=6)
    assert found.duration == pytest.approx(7200)
    assert found.frames == 180_000


def test_a_fragmented_mp4_of_two_gigabytes(sparse: Path) -> None:
    """An hour, a fragment for each five seconds."""
    fragments = 720
    size = 2 * GIGABYTE // fragments
    defaults = box(b"mvex", full(b"trex", word(1), word(1), word(40), word(size // 125), word(0)))
    empty = track(times=[], sizes=[], offsets=[], chunks=[])
    start = box(b"ftyp", b"isom", bytes(4)) + box(
        b"moov", full(b"mvhd", bytes(8), word(1000), word(1000), bytes(80)), empty, defaults
    )
    with sparse.open("wb") as file:
        file.write(start)
        for number in range(fragments):
            head = box(b"tfhd", word(0x20000), word(1))
            time = full(b"tfdt", word(5000 * number))
            file.write(box(b"moof", box(b"traf", head, time, box(b"trun", word(1), word(125), word(120)))))
            file.write(struct.pack(">I4s", size + 100, b"mdat"))
            file.seek(size + 92, 1)
        file.truncate()
    found = validated(sparse, most=720 * 5000, reads=800)
    assert (found.duration, found.frames) == (3600.0, 90_000)


def test_a_webm_of_two_gigabytes_whose_clusters_tell_their_lengths(sparse: Path) -> None:
    """Cut into clusters of 5 MB and 5 s, as FFmpeg does."""
    clusters, size = 400, 5_000_000
    head = element(0x1A45DFA3, element(0x4282, b"webm"))
    tracks = element(0x1654AE6B, described())
    blocks = [block(40 * number, content=1000) for number in range(125)]
    with sparse.open("wb") as file:
        file.write(head + element(0x18538067, tracks, known=False))
        for number in range(clusters):
            inside = element(0xE7, (5000 * number).to_bytes(8, "big")) + b"".join(blocks)
            void = size - len(inside) - 9
            file.write(b"\x1f\x43\xb6\x75" + (size | 1 << 56).to_bytes(8, "big") + inside)
            file.write(b"\xec" + (void | 1 << 56).to_bytes(8, "big"))
            file.seek(void, 1)
        file.truncate()
    found = validated(sparse, most=500_000, reads=450)
    assert found.duration == pytest.approx(2000)


def test_a_recording_is_passed_in_less_than_a_second_for_each_gigabyte(tmp_path: Path) -> None:
    """Blocks of 4 KB, as of pictures and sound at 2.5 Mbit/s."""
    path = tmp_path / "live.webm"
    tracks = element(0x1654AE6B, described())
    blocks = b"".join(block(10 * number, content=4000) for number in range(3000))
    with path.open("wb") as file:
        file.write(element(0x1A45DFA3, element(0x4282, b"webm")) + element(0x18538067, tracks, known=False))
        for number in range(8):
            file.write(cluster(30_000 * number, blocks, known=False))
    size = path.stat().st_size
    found = validated(path, most=2 * size, reads=size // 20_000, seconds=size / GIGABYTE)
    assert (found.duration, found.frames) == (pytest.approx(240), 24_000)


def test_memory_is_bounded_by_the_header(sparse: Path) -> None:
    """Two million samples, each with a time of its own: nine hours of 60 pictures a second."""
    count = 1_900_000
    tables = track(times=[], sizes=[], offsets=[50], chunks=[(1, count)])
    assert tables
    times = struct.pack(">II", 1, 16) * count
    sizes = struct.pack(">I", 1) * count
    moov = box(
        b"moov",
        full(b"mvhd", bytes(8), word(1000), word(1000), bytes(80)),
        _with_tables(full(b"stts", word(count), times), full(b"stsz", word(0), word(count), sizes)),
    )
    with sparse.open("wb") as file:
        file.write(box(b"ftyp", b"isom", bytes(4)) + moov + struct.pack(">I4s", count + 8, b"mdat"))
        file.truncate(file.tell() + count)
    del times, sizes
    tracemalloc.start()
    try:
        assert validate_video(sparse).frames == count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(moov)


def _with_tables(times: bytes, sizes: bytes) -> bytes:
    described = full(b"stsd", word(1), box(b"avc1", struct.pack(">6xH16xHH46x", 1, 640, 360)))
    count = struct.unpack_from(">I", sizes, 16)[0]
    places = full(b"stsc", word(1), struct.pack(">III", 1, count, 1)) + full(b"stco", word(1), word(24))
    return box(
        b"trak",
        full(b"tkhd", bytes(8), word(1), bytes(24), struct.pack(">9i", 65536, *[0] * 8), bytes(8)),
        box(
            b"mdia",
            full(b"mdhd", bytes(8), word(1000), word(1), bytes(4)),
            full(b"hdlr", bytes(4), b"vide", bytes(13)),
            box(b"minf", box(b"stbl", described, times, sizes, places)),
        ),
    )


def test_a_limit_is_noticed_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "long.webm"
    tracks = element(0x1654AE6B, described())
    blocks = b"".join(block(10 * number, content=4000) for number in range(3000))
    with path.open("wb") as file:
        file.write(element(0x1A45DFA3, element(0x4282, b"webm")) + element(0x18538067, tracks, known=False))
        for number in range(4):
            file.write(cluster(30_000 * number, blocks, known=False))
    with Counting(path) as file:
        with pytest.raises(MediaError) as raised:
            validate_video(file, max_seconds=10)
        assert raised.value.reason == "too_long"
        assert file.bytes_read < path.stat().st_size / 4
