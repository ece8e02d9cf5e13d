"""Pictures made for the tests: known pixels, and files made to do harm."""

import random
import struct
import zlib
from io import BytesIO

from PIL import Image


def encoded(image, name, **options):
    sink = BytesIO()
    image.save(sink, name, **options)
    return sink.getvalue()


def decoded(data, mode=None):
    image = Image.open(BytesIO(data))
    image.load()
    return image.convert(mode) if mode else image


def quadrants(width=80, height=60, mode="RGB"):
    """Red, green, blue and white, from the upper left by rows: no two turns look the same."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("red", (0, 0, width // 2, height // 2))
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    return image.convert(mode)


def photo(width=640, height=480, seed=1):
    """Soft shapes with grain, as cameras see: JPEG's own kind of picture, the same every time."""
    noise = random.Random(seed)
    small = Image.frombytes("RGB", (16, 12), noise.randbytes(16 * 12 * 3))
    image = small.resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.frombytes("L", (width, height), noise.randbytes(width * height))
    return Image.blend(image, Image.merge("RGB", (grain, grain, grain)), 0.06)


def exif(orientation=1, notice=None, gps=True):
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = "SecretCamera"
    if notice:
        block[0x8298] = notice
    if gps:
        block[0x8825] = {1: "N", 2: (48.0, 8.0, 14.0)}
    return block.tobytes()


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, depth=1, colour=0, rows=None, before=(), after=(), interlaced=0):
    """By hand, for what no encoder would write."""
    packer = zlib.compressobj(9)
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = bytes(1 + (width * depth * samples + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    parts = [png_chunk(b"IHDR", head)]
    parts += [png_chunk(kind, content) for kind, content in before]
    parts.append(png_chunk(b"IDAT", pixels))
    parts += [png_chunk(kind, content) for kind, content in after]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + png_chunk(b"IEND", b"")


def bomb(size=300_000_000):
    """Many zero bytes in few."""
    packer = zlib.compressobj(9)
    block = bytes(1_000_000)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


def with_segment(jpeg, marker, content):
    """Put behind a JPEG's first two bytes."""
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def many_scans(jpeg, count):
    """A progressive JPEG whose last scan is told again and again."""
    start = jpeg.rindex(b"\xff\xda")
    return jpeg[:start] + jpeg[start:-2] * count + b"\xff\xd9"


def patched(data, old, new):
    assert old in data
    return data.replace(old, new)


def samples():
    """A small sound picture of each format that is read."""
    picture, glass = photo(160, 120), photo(160, 120).convert("RGBA")
    glass.putalpha(Image.linear_gradient("L").resize((160, 120)))
    frames = [photo(60, 40, seed) for seed in range(4)]
    moving = {"save_all": True, "append_images": frames[1:], "duration": 50, "loop": 0}
    return {
        "baseline.jpg": encoded(picture, "JPEG", quality=95),
        "progressive.jpg": encoded(picture, "JPEG", quality=95, progressive=True),
        "grey.jpg": encoded(picture.convert("L"), "JPEG"),
        "cmyk.jpg": encoded(picture.convert("CMYK"), "JPEG"),
        "colours.png": encoded(picture, "PNG"),
        "glass.png": encoded(glass, "PNG"),
        "palette.png": encoded(picture.quantize(64), "PNG"),
        "moving.png": encoded(frames[0], "PNG", **moving),
        "still.gif": encoded(picture, "GIF"),
        "moving.gif": encoded(frames[0], "GIF", **moving),
        "lossy.webp": encoded(glass, "WEBP"),
        "lossless.webp": encoded(picture, "WEBP", lossless=True),
        "moving.webp": encoded(frames[0], "WEBP", **moving),
        "still.avif": encoded(glass, "AVIF", speed=10),
        "moving.avif": encoded(frames[0], "AVIF", speed=10, **moving),
        "packed.tif": encoded(picture, "TIFF", compression="tiff_lzw"),
        "plain.bmp": encoded(picture, "BMP"),
    }
