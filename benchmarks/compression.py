"""What compression through the middleware costs over the codec alone, what it saves, and what others take.

The codec is called as the middleware calls it: the same function of the same package at the same level, each
candidate with a state of its own. In a loop it finds memory and caches as it left them, between requests it
does not: so an application that calls it by hand is measured, too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import brotli

from benchmarks import frameworks, site
from benchmarks.measure import Batch, Measured, calls, measure, options, own_code, print_table, requests
from wsgiperf import CompressionMiddleware
from wsgiperf.compression.codecs import gzip

SIZES = {"1 KB": 1024, "15 KB": 15 * 1024, "100 KB": 100 * 1024}

#: Long enough that what the candidate before left in the caches doesn't count.
BATCH_SECONDS = 0.02

#: From what the brief asks: a page of so many bytes in so many.
PAGE_BYTES, PAGE_ENCODED_BYTES = 15_240, 3_120


def raw_codecs() -> dict[str, Callable[[bytes], bytes]]:
    """By coding the codec's function, as `wsgiperf.compression.codecs` calls it."""
    codecs: dict[str, Callable[[bytes], bytes]] = {
        "br": lambda body: brotli.compress(body, brotli.MODE_GENERIC, 5, 22),
        "gzip": lambda body: gzip.zlib.compress(body, 6, 31),
    }
    if not frameworks.missing("zstandard"):
        from zstandard import ZstdCompressor

        codecs["zstd"] = ZstdCompressor(3).compress
    return codecs


def limit_of(size: int, raw: float) -> float:
    """How many microseconds a body may take through the middleware."""
    return raw + 6 if size <= 1024 else 1.02 * raw + 4


def over_the_codec(rounds: int) -> bool:
    """Print time and size by body and coding; whether every limit holds."""
    codecs = raw_codecs()
    batches: dict[str, Batch] = {"loop": calls(lambda body: body, b"")}
    for label, size in SIZES.items():
        body = site.noticeboard(size)
        app = site.application_of(body)
        batches[f"bare {label}"] = requests(own_code(app), site.ENVIRON)
        for coding in codecs:
            environ = site.ENVIRON | {"HTTP_ACCEPT_ENCODING": coding}
            batches[f"raw {label} {coding}"] = calls(raw_codecs()[coding], body)
            by_hand = own_code(site.encoding(body, raw_codecs()[coding]))
            batches[f"by hand {label} {coding}"] = requests(by_hand, environ)
            batches[f"ours {label} {coding}"] = requests(CompressionMiddleware(own_code(app)), environ)
    measured = measure(batches, rounds, BATCH_SECONDS)
    head = ("microseconds", "codec", "by hand", "middleware", "over codec", "limit", "", "bytes", "saved %")
    rows: list[Sequence[object]] = [head]
    for label, size in SIZES.items():
        for coding, encode in codecs.items():
            raw = measured[f"raw {label} {coding}"].least - measured["loop"].least
            bare = measured[f"bare {label}"].least
            hand = measured[f"by hand {label} {coding}"].least - bare
            ours = measured[f"ours {label} {coding}"].least - bare
            limit = limit_of(size, raw)
            encoded = len(encode(site.noticeboard(size)))
            verdict = "ok" if ours <= limit else "OVER"
            saved = f"{100 - 100 * encoded / size:.1f}"
            times = (raw, hand, ours, ours - raw, limit - raw)
            rows.append((f"{label} {coding}", *times, verdict, encoded, saved))
    print_table(rows)
    return all(row[6] != "OVER" for row in rows)


def pages() -> bool:
    """Print what becomes of whole pages; whether one as large as the brief's is as small as asked for."""
    made = {"made of the posts' words": site.noticeboard(PAGE_BYTES)}
    if not frameworks.missing("flask", "sqlalchemy"):
        made["front page of the Flask example"] = frameworks.example_page()
    rows: list[Sequence[object]] = [("page", "bytes", *raw_codecs(), "least saved %")]
    for name, page in made.items():
        sizes = [len(encode(page)) for encode in raw_codecs().values()]
        rows.append((name, len(page), *sizes, f"{100 - 100 * max(sizes) / len(page):.1f}"))
    met = len(raw_codecs()["br"](made["made of the posts' words"])) <= PAGE_ENCODED_BYTES
    print()
    print_table(rows)
    verdict = "ok" if met else "OVER"
    print(f"Asked for: {PAGE_BYTES} bytes in {PAGE_ENCODED_BYTES} (79.5% saved), by br: {verdict}.")
    return met


def against_peers(rounds: int) -> None:
    """Print what compression adds to a framework's own time: ours, and its usual package's."""
    apps: dict[str, tuple[str, Any]] = {}  # name -> (the bare application's name, application)
    if not frameworks.missing("flask"):
        apps["Flask"] = ("Flask", frameworks.flask())
        apps["Flask, ours"] = ("Flask", CompressionMiddleware(frameworks.flask()))
        if not frameworks.missing("flask_compress"):
            apps["Flask-Compress"] = ("Flask", frameworks.flask(frameworks.flask_compress))
    if not frameworks.missing("django"):
        apps["Django"] = ("Django", frameworks.django())
        apps["Django, ours"] = ("Django", CompressionMiddleware(frameworks.django()))
        apps["Django GZip"] = ("Django", frameworks.django(frameworks.DJANGO_GZIP))
    for module in frameworks.missing("flask", "flask_compress", "django"):
        print(f"{module} is not installed: not compared")
    cases = [(label, coding) for label in SIZES for coding in ("identity", "gzip", "br")]
    batches = {}
    for label, coding in cases:
        environ = site.ENVIRON | {"PATH_INFO": f"/posts/{SIZES[label]}", "HTTP_ACCEPT_ENCODING": coding}
        for name, (_, app) in apps.items():
            batches[f"{name} {label} {coding}"] = requests(app, environ)
    measured = measure(batches, rounds)
    others = [name for name, (bare, _) in apps.items() if name != bare]
    rows: list[Sequence[object]] = [("microseconds added", *others)]
    for label, coding in cases:
        row = [_added(measured, name, apps[name][0], f" {label} {coding}") for name in others]
        rows.append((f"{label} {coding}", *row))
    print()
    print_table(rows)


def _added(measured: dict[str, Measured], name: str, bare: str, case: str) -> object:
    if "GZip" in name and case.endswith("br"):
        return "-"
    return f"{measured[name + case].least - measured[bare + case].least:,.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = options(__doc__, arguments)
    held = over_the_codec(20 if chosen.quick else 100)
    held = pages() and held
    against_peers(40 if chosen.quick else 400)
    return 1 if chosen.check and not held else 0


if __name__ == "__main__":
    sys.exit(main())
