"""Cache-Status, how a cache came by its answer: RFC 9211, a structured field (RFC 9651)."""

from __future__ import annotations

__all__ = ["appended", "member", "template"]

#: Characters of a key or detail beyond which it is cut: keys are the client's.
LONGEST_STRING = 512

# RFC 9651 sections 3.3.1 and 3.3.4.
_GREATEST_INTEGER = 999_999_999_999_999
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_TOKEN = _LETTERS | frozenset("0123456789!#$%&'*+-.^_`|~:/")


def member(
    name: str,
    *,
    hit: bool = False,
    fwd: str | None = None,
    fwd_status: int | None = None,
    ttl: float | None = None,
    stored: bool = False,
    collapsed: bool = False,
    key: str | None = None,
    detail: str | None = None,
) -> str:
    """What one cache has to say.

    :param name: of the cache, in printable ASCII.
    :param hit: the answer came from the cache, the application wasn't asked.
    :param fwd: why it was: ``bypass``, ``method``, ``uri-miss``, ``vary-miss``, ``miss``, ``request``,
        ``stale`` or ``partial``.
    :param fwd_status: the status code of its response, where another one is sent.
    :param ttl: seconds that the answer stays fresh; negative for a stale one.
    :param stored: the application's response was stored.
    :param collapsed: the request waited for another one's response.
    :param key: the cache key; cut at `LONGEST_STRING`, what isn't printable ASCII is percent-encoded.
    :param detail: anything else, likewise.
    :raises ValueError: for a name, or a reason, that can't be sent, or a hit that was forwarded.

    Source: RFC 9211 section 2.
    """
    text = _first(name, hit, fwd)
    if fwd_status is not None:
        text += f"; fwd-status={_integer(fwd_status)}"
    if ttl is not None:
        text += f"; ttl={_integer(ttl)}"
    return text + _last(stored, collapsed, key, detail)


def template(
    name: str,
    *,
    hit: bool = False,
    fwd: str | None = None,
    stored: bool = False,
    collapsed: bool = False,
    detail: str | None = None,
) -> str:
    """A `member` with its ttl still to come, for answers without number: ``template(...) % seconds``.

    The seconds are within the range of a structured field's integer (15 digits).
    """
    first, last = _first(name, hit, fwd), _last(stored, collapsed, None, detail)
    return f"{_escaped(first)}; ttl=%d{_escaped(last)}"


def appended(existing: str | None, member: str) -> str:
    """The field with our member after those of the caches that are nearer to the application.

    :param existing: the field as it is, whatever is in it.

    Source: RFC 9211 section 2.
    """
    before = existing.strip(" \t,") if existing else ""
    return f"{before}, {member}" if before else member


def _first(name: str, hit: bool, fwd: str | None) -> str:
    if not (name and name.isascii() and name.isprintable()):
        raise ValueError(f"not a name for a cache, printable ASCII: {name!r:.200}")
    text = _token_or_string(name)
    if hit:
        if fwd is not None:
            raise ValueError("an answer is a hit or it was forwarded, not both: RFC 9211 section 2.1")
        text += "; hit"
    if fwd is not None:
        if not _is_token(fwd):
            raise ValueError(f"not a token: {fwd!r:.200}")
        text += f"; fwd={fwd}"
    return text


def _last(stored: bool, collapsed: bool, key: str | None, detail: str | None) -> str:
    text = "; stored" if stored else ""
    if collapsed:
        text += "; collapsed"
    if key is not None:
        text += f"; key={_string(key)}"
    if detail is not None:
        text += f"; detail={_token_or_string(detail)}"
    return text


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _integer(number: float) -> int:
    return int(max(-_GREATEST_INTEGER, min(_GREATEST_INTEGER, number)))


def _is_token(text: str) -> bool:
    return text != "" and (text[0] in _LETTERS or text[0] == "*") and _TOKEN.issuperset(text)


def _token_or_string(text: str) -> str:
    return text if len(text) <= LONGEST_STRING and _is_token(text) else _string(text)


def _string(text: str) -> str:
    text = text[:LONGEST_STRING]
    if not (text.isascii() and text.isprintable()):
        text = "".join(c if " " <= c <= "~" else _percent_encoded(c) for c in text)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _percent_encoded(character: str) -> str:
    # Keys hold latin-1 as servers decode it: the byte that came is the one to show.
    code = ord(character)
    octets = bytes((code,)) if code < 0x100 else character.encode("utf-8", "replace")
    return "".join(f"%{octet:02X}" for octet in octets)
