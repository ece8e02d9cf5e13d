"""The dashboard's document and the files it loads.

The files' addresses hold a digest of all of them, in a folder's place: the scripts import each other by
relative names, so one folder for all keeps a page's files together across an upgrade, and each may be kept by
the browser for ever.

The document holds the first figures as a block of data, which a browser doesn't execute and the policy
doesn't forbid: the page shows them without asking again.
"""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import quote

__all__ = ["POLICY", "Asset", "asset", "page"]

#: The Content-Security-Policy that the page is written for, and is to be sent with.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_DOCUMENT = "index.html"


class Asset(NamedTuple):
    """A file that the page loads. Its address changes with its content: a browser may keep it for ever."""

    body: bytes
    content_type: str
    etag: str  #: strong, quotes included, of `body`
    gzipped: bytes  #: the same, for those who accept gzip; needs a tag of its own


def page(base: str, payload: bytes) -> bytes:
    """The dashboard as an HTML document in UTF-8.

    :param base: the path the monitor answers at, SCRIPT_NAME included, decoded as PEP 3333 has it in environ.
        The page asks for ``{base}/json`` and ``{base}/assets/...``.
    :param payload: the JSON that ``{base}/json`` would answer now, in UTF-8.
    """
    folder, _ = _assets()
    # One slash at its beginning: with two it would name another host.
    address = quote("/" + base.strip("/"), safe="/:@!$&'()*+,;=~", encoding="latin-1", errors="replace")
    address = escape(address.rstrip("/"))
    text = _document().replace("{base}", address).replace("{assets}", f"{address}/assets/{folder}")
    before, after = text.split("{payload}")
    # In JSON these stand inside strings only. Escaped, nothing there ends the block or begins a comment.
    for character in (b"<", b">", b"&"):
        payload = payload.replace(character, b"\\u%04x" % ord(character))
    return before.encode() + payload + after.encode()


def asset(name: str) -> Asset | None:
    """A file that the page loads, or None where there is none of that name, or no longer.

    :param name: what follows ``{base}/assets/`` in its address.
    """
    folder, found = _assets()
    given, _, file = name.partition("/")
    return found.get(file) if given == folder else None


@cache
def _assets() -> tuple[str, dict[str, Asset]]:
    """The folder's name, and all files in it."""
    found = {}
    for file in sorted(files(__package__).joinpath("static").iterdir(), key=lambda file: file.name):
        if (content_type := _TYPES.get(file.name.rpartition(".")[2])) is not None:
            body = file.read_bytes()
            etag = f'"{sha256(body).hexdigest()[:20]}"'
            found[file.name] = Asset(body, content_type, etag, gzip.compress(body, 9, mtime=0))
    digest = sha256()
    for name, one in found.items():
        digest.update(f"{name} {one.etag}\n".encode())
    return digest.hexdigest()[:16], found


@cache
def _document() -> str:
    """The document; its scripts are named in its head, so that the browser asks for all of them at once."""
    text = files(__package__).joinpath("static", _DOCUMENT).read_text(encoding="utf-8")
    modules = [name for name in _assets()[1] if name.endswith(".js") and name != "theme.js"]
    links = "\n".join(f'<link rel="modulepreload" href="{{assets}}/{name}">' for name in modules)
    return text.replace("<!-- modules -->", links)
