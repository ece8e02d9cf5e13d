"""Which image types a client wants: Accept, RFC 9110 section 12.5.1.

Browsers announce AVIF and WebP by name, and only those who can show them do. A range says nothing: curl and
browsers without either send ``*/*``, and ``image/*`` is older than both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wsgiperf.http.memo import memoised

__all__ = ["NO_WISH", "PLAIN", "Wish", "is_needed", "negotiate", "negotiator"]

#: The target of a picture for clients that know neither: PNG where anything is transparent, else JPEG.
PLAIN = "plain"

_MODERN = ("image/avif", "image/webp")
_CERTAIN = 1000


def is_needed(stored: str, target: str) -> bool:
    """Whether who is given the target can't show the picture as it is stored."""
    return target == PLAIN or (stored in _MODERN and target != stored)


class Wish:
    """What one Accept field says about images.

    :param weights: of each media range in the field, in thousandths; 0 refuses.
    :param formats: the media types that are offered, the preferred one first.
    """

    __slots__ = ("_named", "_weights", "targets")

    def __init__(self, weights: dict[str, int], formats: Iterable[str]) -> None:
        self._weights = weights
        self._named = {name for name, weight in weights.items() if weight and _is_image_type(name)}
        offered = [name for name in formats if name in self._named]
        #: Offered types that the field names, the best one first.
        self.targets = tuple(sorted(offered, key=weights.__getitem__, reverse=True))

    @property
    def says_nothing(self) -> bool:
        """Whether every picture goes out as it is stored."""
        return not self.targets and not self._named and not any(map(self._refuses, _MODERN))

    def target(self, stored: str) -> str | None:
        """The media type, or `PLAIN`, to convert a picture to; None for as it is stored.

        :param stored: its media type.
        """
        if stored in _MODERN:
            if stored in self._named or not (self._named or self._refuses(stored)):
                return None
            return next((name for name in self.targets if name != stored), PLAIN)
        if not self.targets:
            return None
        best = self.targets[0]
        return best if self._weights[best] >= self._weight(stored) else None

    def _weight(self, name: str) -> int:
        """Of a type, by the most specific range that holds it."""
        for one in (name, "image/*", "*/*"):
            if one in self._weights:
                return self._weights[one]
        return 0

    def _refuses(self, name: str) -> bool:
        return self._weights.get(name) == 0


NO_WISH = Wish({}, ())


def negotiate(accept: str | None, formats: tuple[str, ...]) -> Wish:
    """What a client wants of the media types that are offered.

    :param accept: the field; None where there is none.
    :param formats: the preferred type first, for use at equal weight.
    """
    return Wish(_weights(accept), formats) if accept else NO_WISH


def negotiator(formats: tuple[str, ...]) -> Callable[[str | None], Wish]:
    """`negotiate` for these formats, remembering its answers."""
    return memoised(lambda accept: negotiate(accept, formats))


def _is_image_type(name: str) -> bool:
    return name.startswith("image/") and not name.endswith("*")


def _weights(accept: str) -> dict[str, int]:
    """The weight of each range in thousandths; members that break the grammar are passed over."""
    weights: dict[str, int] = {}
    for member in accept.lower().split(","):
        name, *parameters = [part.strip(" \t") for part in member.split(";")]
        weight = _CERTAIN
        for parameter in parameters:
            if parameter[:2] == "q=":
                weight = _thousandths(parameter[2:])
                break
        if weight >= 0 and "/" in name:
            # Named twice, the lower weight counts: a refusal is never overruled.
            weights[name] = min(weight, weights.get(name, weight))
    return weights


def _thousandths(value: str) -> int:
    """``0.25`` as 250; -1 where it is no weight: RFC 9110 section 12.4.2."""
    whole, _, decimals = value.partition(".")
    digits = whole + decimals.ljust(3, "0")
    if whole not in ("0", "1") or len(digits) != 4 or not (digits.isascii() and digits.isdecimal()):
        return -1
    return int(digits) if int(digits) <= _CERTAIN else -1
