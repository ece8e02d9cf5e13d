"""Which header fields a middleware may change, and why."""

from __future__ import annotations

from collections.abc import Iterator
from wsgiref.util import is_hop_by_hop

from wsgiperf.testing.server import Fields

APPENDABLE = frozenset({"vary", "server-timing", "set-cookie", "link", "via"})
"""Lists to which a middleware may add; what the application said stays, in its order."""

OF_THE_ENCODING = frozenset(
    {
        "content-encoding",
        "content-length",
        "etag",
        "accept-ranges",
        "content-md5",
        "digest",
        "content-digest",
        "repr-digest",
    }
)
"""What describes the bytes of one representation, and changes or goes when they are encoded (RFC 9110, 8)."""

DIGESTS = frozenset({"content-md5", "digest", "content-digest", "repr-digest"})


def names(fields: Fields) -> list[str]:
    """The names in order, each once, in lower case."""
    return list(dict.fromkeys(name.lower() for name, _ in fields))


def values(fields: Fields, name: str) -> list[str]:
    """Every value of one field, in order."""
    return [value for key, value in fields if key.lower() == name]


def elements(fields: Fields, name: str) -> list[str]:
    """The members of a list field (RFC 9110, section 5.6.1); a Set-Cookie is one member."""
    found = values(fields, name)
    if name == "set-cookie":
        return found
    return [part.strip().lower() for value in found for part in value.split(",") if part.strip()]


def added_codings(bare: Fields, wrapped: Fields) -> list[str]:
    """The content codings the middleware applied over the application's own."""
    own = elements(bare, "content-encoding")
    return elements(wrapped, "content-encoding")[len(own) :]


def field_faults(bare: Fields, wrapped: Fields, *, encoded: bool, head: bool) -> Iterator[str]:
    """Which of the application's fields were lost or changed though nothing allows it."""
    for name in names(bare):
        before, after = values(bare, name), values(wrapped, name)
        if name in APPENDABLE:
            if not _in_order(elements(bare, name), elements(wrapped, name)):
                yield f"{name} was {before} and became {after}"
        elif encoded and name in OF_THE_ENCODING:
            continue
        elif head and name == "content-length" and not after:
            continue  # RFC 9110, section 9.3.2: HEAD may leave out what only the content would tell
        elif before != after:
            yield f"{name} was {before} and became {after}"


def hop_by_hop_faults(bare: Fields, wrapped: Fields) -> Iterator[str]:
    """Which hop-by-hop fields were added: they are the server's alone."""
    for name in names(wrapped):
        if is_hop_by_hop(name) and name not in names(bare):
            yield f"{name}: {values(wrapped, name)} was added"


def encoding_faults(bare: Fields, wrapped: Fields, accepted: str, *, head: bool) -> Iterator[str]:
    """What an encoded response says wrongly about itself, as far as its fields tell."""
    offered = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    for coding in added_codings(bare, wrapped):
        if coding not in offered:
            yield f"encoded as {coding} for a client that accepts {accepted or 'nothing of the kind'}"
    if not {"accept-encoding", "*"} & set(elements(wrapped, "vary")):
        yield "encoded, but Vary does not name Accept-Encoding (RFC 9110, section 12.5.5)"
    for tag in values(wrapped, "etag"):
        if not tag.startswith("W/") and tag in values(bare, "etag"):
            yield f"encoded under the strong entity tag {tag} of other bytes (RFC 9110, section 8.8.3)"
    for name in DIGESTS & set(names(wrapped)):
        if values(wrapped, name) == values(bare, name):
            yield f"encoded, but {name} is that of other bytes (RFC 9530, section 2)"
    length = values(wrapped, "content-length")
    if head and length and length == values(bare, "content-length"):
        yield "HEAD gives the length of the plain bytes for an encoded response (RFC 9110, 8.6)"


def _in_order(wanted: list[str], found: list[str]) -> bool:
    rest = iter(found)
    return all(element in rest for element in wanted)
