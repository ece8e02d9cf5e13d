"""Bodies with holes in their encoded forms: encoded once, then filled without a codec.

What an encoder makes of a text depends on all that it saw before, so a nonce can't just be replaced in its
output. It can where three things hold, for each hole:

1. The hole is a block of its own that is not compressed, so that its bytes are the nonce's own.
2. Nothing later is a copy of bytes in a hole.
3. Nothing later is decoded in a way that depends on them.

So the encoder is given a placeholder for each nonce, random bytes that occur nowhere else in the body, and is
flushed before and after it. It finds nothing to compress there, which gives the first; what does not occur in
the text can't be copied into it, which gives the second. Brotli alone needs care for the third. Since the
encoder goes on rather than starting anew, later text may refer to all the text before.

All three are what encoders do, not what they promise. So each result is checked: by where the placeholders
stand in it, and by decoding it with two nonces.
"""

from __future__ import annotations

from os import urandom

from wsgiperf.cache.nonces import Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .protocol import Coding, Encoder, SplicedTemplate

__all__ = ["splice"]

# Two nonces that differ in each byte, and in the kind of character that it is.
_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_OTHERS = bytes.maketrans(_CHARACTERS, _CHARACTERS[32:] + _CHARACTERS[:32])


def splice(template: Template, coding: str, level: int) -> SplicedTemplate | None:
    """The body in a content coding, to be filled with a nonce like the template itself.

    Takes as long as encoding the body once and decoding it twice.

    :param coding: ``"gzip"``, ``"br"`` or ``"zstd"``.
    :param level: the coding's own.
    :returns: None where it isn't certain that every nonce gives what encoding the filled body would give,
        where the coding's package isn't installed, and for any other coding.
    """
    codec = _codec(coding)
    if codec is None:
        return None
    for values in _placeholder_values(template):
        pieces = _encode(template, codec.encoder(level, template.length), codec.CONTEXT, values)
        if pieces is not None:
            spliced = codec.assemble(pieces, template)
            return spliced if _proven(spliced, template, codec) else None
    return None


def _codec(coding: str) -> Coding | None:
    try:
        match coding:
            case "gzip":
                from . import gzip

                return gzip
            case "br":
                from . import brotli

                return brotli
            case "zstd":
                from . import zstd

                return zstd
    except ImportError:
        pass
    return None


def _placeholder_values(template: Template) -> list[bytes]:
    """What to make placeholders of, in the order in which to try it: byte values that the body lacks."""
    lacking = bytes(range(256))
    for piece in template.pieces:
        lacking = lacking.translate(None, piece)
    # Deflate's fixed code has 9 bits for the values from 144 up, so that it can't gain by using it, and most
    # bodies lack most of them. Where one doesn't, those left may be so few that a code of their own gains.
    high = lacking.translate(None, bytes(range(144)))
    # With 60 holes one in a hundred bodies has two placeholders with three bytes in common, by which deflate
    # may gain a bit. Nothing but luck is needed, and it takes time only then.
    return [values for values in (high, high, high, lacking) if values]


def _encode(template: Template, encoder: Encoder, context: int, values: bytes) -> tuple[bytes, ...] | None:
    """What stands around the holes in the encoded body, or None where a hole is not as it was put in."""
    pieces = []
    encoded = encoder.encode(template.pieces[0])
    for piece in template.pieces[1:]:
        placeholder = bytes(values[number % len(values)] for number in urandom(template.width))
        before, raw, after = encoder.encode(placeholder + piece[:context]).partition(placeholder)
        if not raw:
            return None
        pieces.append(encoded + before)
        encoded = after + encoder.encode(piece[context:])
    pieces.append(encoded + encoder.finish())
    return tuple(pieces)


def _proven(spliced: SplicedTemplate, template: Template, codec: Coding) -> bool:
    nonce = bytes(_CHARACTERS[number % 64] for number in urandom(template.width))
    for one in (nonce, nonce.translate(_OTHERS)):
        encoded = spliced.fill(one)
        try:
            decoded = codec.decode(encoded)
        except Exception:  # each package has errors of its own, and whichever it is, this can't be sent
            return False
        if decoded != template.fill(one) or len(encoded) != spliced.length:
            return False
    return True
