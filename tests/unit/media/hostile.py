"""Files made to do harm, by name: what each is to end in, or None where it only has to end well."""

import random
import struct
from io import BytesIO

from PIL import Image

from tests.unit.media import files


def _damaged(data, seed):
    """Some bytes behind the first ones changed."""
    changed = bytearray(data)
    chance = random.Random(seed)
    for _ in range(12):
        changed[chance.randrange(min(24, len(data) // 2), len(data))] = chance.randrange(256)
    return bytes(changed)


def _tiff(width, height, *fields):
    entries = sorted(
        [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
         (273, 4, 1, 200), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 100), *fields]
    )  # fmt: skip
    table = b"".join(
        struct.pack("<HHI", tag, kind, count) + struct.pack("<I" if kind == 4 else "<HH", *value)
        for tag, kind, count, value in (
            (tag, kind, count, (value,) if kind == 4 else (value, 0)) for tag, kind, count, value in entries
        )
    )
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4)
    return data.ljust(200, b"\0") + files.bomb(100_000)[:100].ljust(100, b"\0")


def _many_frames(count, size):
    """A GIF whose pictures are a pixel each, on a large screen."""
    control = b"\x21\xf9\x04\x00\x01\x00\x00\x00"
    picture = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    head = b"GIF89a" + struct.pack("<HHBBB", size, size, 0x80, 0, 0) + bytes(6)
    return head + (control + picture) * count + b";"


def cases():
    """Name, bytes, and the reason of the error or None."""
    found = {
        "empty": (b"", "empty"),
        "one byte": (b"\xff", "not_an_image"),
        "text": (b"BMI and other words, " * 50, "not_an_image"),
        "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n", "not_an_image"),
        "dos postscript": (b"\xc5\xd0\xd3\xc6" + bytes(60), "not_an_image"),
        "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "not_an_image"),
        "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "not_an_image"),
        "icon": (b"\0\0\x01\0\x01\0" + bytes(60), "not_an_image"),
        "random": (random.Random(5).randbytes(10_000), "not_an_image"),
        "jpeg start": (b"\xff\xd8\xff\xe0", "truncated"),
        "png start": (b"\x89PNG\r\n\x1a\n", "truncated"),
        "one bit, 13300 square": (files.png(13_300, 13_300), "too_many_pixels"),
        "one bit, 9900 square": (files.png(9_900, 9_900), "too_many_pixels"),
        "told 60000 square": (files.png(60_000, 60_000, rows=1), "too_many_pixels"),
        "told two billion": (files.png(2**31 - 1, 2**31 - 1, rows=1), "too_many_pixels"),
        "sixteen bits, 6000 square": (files.png(6_000, 6_000, 16, 6, rows=2), "too_many_pixels"),
        "compressed text": (files.png(9, 9, before=[(b"zTXt", b"a\0\0" + files.bomb())]), None),
        "compressed text behind": (files.png(9, 9, after=[(b"zTXt", b"a\0\0" + files.bomb())]), None),
        "international text": (files.png(9, 9, before=[(b"iTXt", b"a\0\1\0\0\0" + files.bomb())]), None),
        "profile": (files.png(9, 9, before=[(b"iCCP", b"a\0\0" + files.bomb())]), None),
        "endless pixels": (files.png(50, 50, rows=5_000_000 // 7), None),
        "million frames told": (files.png(9, 9, before=[(b"acTL", struct.pack(">II", 10**6, 0))]), None),
        "gif of 65535 square": (_many_frames(1, 65_535), "too_many_pixels"),
        "gif of 9999 frames": (_many_frames(9_999, 100), "too_many_frames"),
        "gif of 900 large frames": (_many_frames(900, 2_000), "too_many_pixels"),
        "tiff of 40000 square": (_tiff(40_000, 40_000), "too_many_pixels"),
        "tiff with a tile": (_tiff(10, 10, (322, 4, 1, 60_000), (323, 4, 1, 60_000)), "too_many_pixels"),
        "bmp of 60000 square": (
            b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 60_000, 60_000, 1, 8, 1) + bytes(60),
            "too_many_pixels",
        ),
    }
    jpeg = files.encoded(Image.new("RGB", (4_000, 3_000), "navy"), "JPEG", progressive=True)
    found["scans"] = (files.many_scans(jpeg, 300), "too_slow")
    start = jpeg.rindex(b"\xff\xda") + 10
    found["fill"] = (jpeg[:start] + b"\xff" * 3_000_000 + bytes(3) + b"\xff" * 3_000_000, None)
    found["starts"] = (jpeg[:start] + b"\xff\xd8" * 2_000_000 + b"\xff\xd9", None)
    frame = jpeg.index(b"\xff\xc2")
    told = jpeg[: frame + 5] + struct.pack(">HH", 65_500, 65_500) + jpeg[frame + 9 :]
    found["jpeg told 65500 square"] = (told, "too_many_pixels")
    webp = files.encoded(Image.new("RGB", (16_000, 6_200)), "WEBP", lossless=True, quality=0, method=0)
    found["webp of 99 million pixels"] = (webp, "too_many_pixels")
    avif = files.encoded(Image.new("RGB", (64, 64)), "AVIF", speed=10)
    large = files.patched(avif, struct.pack(">II", 64, 64), struct.pack(">II", 30_000, 30_000))
    found["avif told 30000 square"] = (large, "too_many_pixels")
    for name, data in files.samples().items():
        for share in (0.1, 0.5, 0.9):
            found[f"{name} cut at {share}"] = (data[: int(len(data) * share)], None)
        for seed in range(4):
            found[f"{name} damaged {seed}"] = (_damaged(data, seed), None)
    return found


def small_avif_header_over_large_pixels():
    """Boxes that tell 64 pixels square, over a stream of 6,000."""
    data = BytesIO()
    Image.new("L", (6_000, 6_000)).save(data, "AVIF", speed=10, quality=1)
    size = struct.pack(">II", 6_000, 6_000)
    return files.patched(data.getvalue(), size, struct.pack(">II", 64, 64))
