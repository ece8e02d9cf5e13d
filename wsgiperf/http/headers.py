"""Response header fields: an ordered, case-insensitive list that refuses what would split the head.

The fields stay one plain list of tuples, because that is what PEP 3333 hands to the server; beside it stands
an index of lower-case names, built once, so that all parts of a stack share one pass over them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from wsgiperf.errors import HeaderError

__all__ = ["Fields", "Headers", "check_field"]

Field = tuple[str, str]

# RFC 9110 section 5.6.2: tchar, what a field name is made of.
_TCHAR = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
# Every spelling of a name seen so far, with its lower case: a look-up is half of a call of lower(). Names
# come from code, not from clients, yet the memo is bounded all the same.
_lower: dict[str, str] = {}
_MOST_SPELLINGS = 1024


def lower_name(name: str) -> str:
    """The name in lower case, remembered where it is well-formed."""
    key = _lower.get(name)
    if key is None:
        key = name.lower()
        if len(_lower) < _MOST_SPELLINGS and name and _TCHAR.issuperset(name):
            _lower[name] = key
    return key


def check_field(name: str, value: str) -> None:
    """Raise `HeaderError` unless the field can be sent as it is.

    A name is a token; a value has no control character but the tab and only latin-1 characters
    (RFC 9110 sections 5.1 and 5.5).
    """
    if name not in _lower:
        if not name or not _TCHAR.issuperset(name):
            raise HeaderError(f"not a header field name: {name!r:.200}")
        lower_name(name)
    if not isinstance(value, str):
        raise HeaderError(f"header {name}: the value is a string, not {value!r:.200}")
    if value.isascii() and value.isprintable():
        return
    for character in value:
        code = ord(character)
        if (code < 0x20 and character != "\t") or code == 0x7F or code > 0xFF:
            raise HeaderError(f"header {name}: the value may not contain {character!r}: {value!r:.200}")


class Fields:
    """Constant fields, checked and indexed once at start-up, for `Headers.add_all`.

    :param fields: (name, value) pairs, each name at most once.
    :raises HeaderError: where a field could not be sent.
    """

    __slots__ = ("names", "pairs", "spellings", "values")

    def __init__(self, fields: Iterable[Field]) -> None:
        self.pairs = tuple(fields)
        for name, value in self.pairs:
            check_field(name, value)
        self.values = {name.lower(): value for name, value in self.pairs}
        self.names = frozenset(self.values)
        self.spellings = {name.lower(): name for name, _ in self.pairs}


class Headers:
    """The fields of one response, in order.

    :param fields: (name, value) pairs; copied, so the caller's list never changes.

    `pairs` is the live list as the server gets it, `fields` the values by lower-case name. Both are there to
    be read; changes go by the methods.
    """

    __slots__ = ("fields", "pairs")

    fields: dict[str, str]

    def __init__(self, fields: Iterable[Field] = ()) -> None:
        self.pairs = pairs = list(fields)
        lower, values = _lower, {}
        try:
            for name, value in pairs:
                values[lower[name]] = value
        except KeyError:
            values = {lower_name(name): value for name, value in pairs}
        if len(values) != len(pairs):
            # RFC 9110 section 5.3: fields of one name mean the same as one field, joined by commas.
            values.clear()
            for name, value in pairs:
                key = lower_name(name)
                values[key] = f"{values[key]}, {value}" if key in values else value
        self.fields = values

    @classmethod
    def of(cls, pairs: list[Field], fields: dict[str, str]) -> Headers:
        """Headers from both their forms, which are theirs from now on and must agree."""
        headers = cls.__new__(cls)
        headers.pairs, headers.fields = pairs, fields
        return headers

    def copy(self) -> Headers:
        """The same fields, to be changed by themselves."""
        return Headers.of(self.pairs.copy(), self.fields.copy())

    def get(self, name: str, default: str | None = None) -> str | None:
        """The field's value, or `default`; fields of one name are joined by ``", "``."""
        return self.fields.get(_lower.get(name) or name.lower(), default)

    def getlist(self, name: str) -> list[str]:
        """The values of every field of that name, in order: for Set-Cookie, which can't be joined."""
        key = lower_name(name)
        return [value for name, value in self.pairs if lower_name(name) == key]

    def lacks(self, fields: Fields) -> bool:
        """Whether none of these constant fields is there under any spelling."""
        return fields.names.isdisjoint(self.fields)

    def add(self, name: str, value: str) -> None:
        """Append a field beside any of the same name.

        :raises HeaderError: where the field could not be sent.
        """
        if not (name in _lower and type(value) is str and value.isascii() and value.isprintable()):
            check_field(name, value)
        self.pairs.append((name, value))
        key, values = lower_name(name), self.fields
        values[key] = f"{values[key]}, {value}" if key in values else value

    def put(self, name: str, key: str, value: str) -> None:
        """Append a field that is not there yet (`key`, its lower-case name, is not in `fields`), unchecked.

        For a value that our own code has composed of what can't break a head.
        """
        self.pairs.append((name, value))
        self.fields[key] = value

    def add_all(self, fields: Fields) -> None:
        """Append constant fields of which none is there yet (ask `lacks` first)."""
        self.pairs += fields.pairs
        self.fields |= fields.values

    def __setitem__(self, name: str, value: str) -> None:
        """Put one field in the place of all of that name.

        :raises HeaderError: where the field could not be sent.
        """
        if not (name in _lower and type(value) is str and value.isascii() and value.isprintable()):
            check_field(name, value)
        key = _lower.get(name) or name.lower()
        own = self.fields.get(key)
        if own is not None:
            try:
                self.pairs.remove((name, own))  # as it is nearly always: one, and spelt alike
            except ValueError:
                self._remove((key,))
        self.pairs.append((name, value))
        self.fields[key] = value

    def __delitem__(self, name: str) -> None:
        """Remove all fields of that name; none being there is no error."""
        key = _lower.get(name) or name.lower()
        if key in self.fields:
            del self.fields[key]
            self._remove((key,))

    def drop(self, fields: Fields) -> None:
        """Remove whatever is there of these fields."""
        values = self.fields
        for key in fields.names.intersection(values):
            try:
                # A field spelt as usual is found without asking each for its name. The values of several
                # of one name are joined in the index: none of them is found.
                self.pairs.remove((fields.spellings[key], values.pop(key)))
            except ValueError:
                self._remove((key,))

    def _remove(self, keys: Collection[str]) -> None:
        lower = _lower
        self.pairs[:] = [pair for pair in self.pairs if (lower.get(pair[0]) or pair[0].lower()) not in keys]

    def __getitem__(self, name: str) -> str:
        return self.fields[lower_name(name)]

    def __contains__(self, name: str) -> bool:
        return (_lower.get(name) or name.lower()) in self.fields

    def __iter__(self) -> Iterator[Field]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return f"Headers({self.pairs!r})"
