"""One response before and after: the front page of the Flask example, as the README shows it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from benchmarks import frameworks, site
from benchmarks.measure import options
from wsgiperf import wrap


def response(app: Any) -> tuple[str, int]:
    """The head as text, and the size of the body."""
    lines: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        lines.extend([f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)])

    body = app(dict(site.ENVIRON), start_response)
    size = sum(map(len, body))
    if hasattr(body, "close"):
        body.close()
    return "\n".join(lines), size


def main(arguments: Sequence[str] | None = None) -> int:
    options(__doc__, arguments)
    if absent := frameworks.missing("flask", "sqlalchemy"):
        print(f"not shown, for these are not installed: {', '.join(absent)}")
        return 0
    bare = site.application_of(frameworks.example_page())
    (head, size), (wrapped_head, wrapped_size) = response(bare), response(wrap(bare))
    print(f"Accept-Encoding: {site.ENVIRON['HTTP_ACCEPT_ENCODING']}\n\n{head}\n\n{size:,} bytes\n")
    print(f"{wrapped_head}\n\n{wrapped_size:,} bytes, {100 - 100 * wrapped_size / size:.1f}% saved")
    return 0


if __name__ == "__main__":
    sys.exit(main())
