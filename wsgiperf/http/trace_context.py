"""The place of a request in a distributed trace: W3C Trace Context level 2.

The caller's ``traceparent`` names the trace and the caller's own span; we add a span of ours and pass both on
to whom we call. Without a valid ``traceparent`` a new trace starts here, and the ``tracestate`` of the old
one is dropped (section 3.4, "Restart trace"). Sections are those of https://www.w3.org/TR/trace-context-2/.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

__all__ = ["TraceContext", "parse_traceparent", "parse_tracestate"]

#: Section 3.2.2.5: the caller may have recorded this request; the trace ID is random in its last 7 bytes.
SAMPLED = 0x01
RANDOM = 0x02

# Section 3.2.2, version "-" trace-id "-" parent-id "-" trace-flags; what a version above 00 may have after
# that starts with a dash (section 3.2.4).
_traceparent = re.compile(
    "(?!ff)([0-9a-f]{2})"
    "-(?!0{32})([0-9a-f]{32})"
    "-(?!0{16})([0-9a-f]{16})"
    "-([0-9a-f]{2})(-.*)?"
).fullmatch  # fmt: skip

# Section 3.3.1.3, key "=" value; spaces may lead a value, never end it.
_list_member = re.compile(r"[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]").fullmatch

# Section 3.3.1.1: more members make the list invalid. Section 3.3.1.5: at least so many characters are passed
# on; of a list that is longer, the long members go first.
_MOST_MEMBERS = 32
_MOST_CHARACTERS = 512
_LONG_MEMBER = 128


def parse_traceparent(value: str) -> tuple[str, str, int] | None:
    """Trace ID, the caller's span ID, and the flags known today; None where the value is invalid."""
    match = _traceparent(value.strip(" \t"))
    if match is None:
        return None
    version, trace_id, parent_id, flags, more = match.groups()
    if version == "00" and more is not None:
        return None
    return trace_id, parent_id, int(flags, 16) & (SAMPLED | RANDOM)


def parse_tracestate(value: str) -> str:
    """The list as it may be passed on; empty where it is invalid, as it then means nothing to anyone."""
    members = [stripped for member in value.split(",") if (stripped := member.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    if len(members) > _MOST_MEMBERS or len(keys) < len(members) or not all(map(_list_member, members)):
        return ""
    return ",".join(_shortened(members))


def _shortened(members: list[str]) -> list[str]:
    """Whole members are given up, from the end, the long ones first."""
    excess = sum(map(len, members)) + len(members) - 1 - _MOST_CHARACTERS
    for least in (_LONG_MEMBER + 1, 0):
        for index in reversed(range(len(members))):
            if excess <= 0:
                return members
            if len(members[index]) >= least:
                excess -= len(members.pop(index)) + 1
    return members


class TraceContext:
    """The trace that a request continues, or starts. Nothing is parsed or drawn until it is asked for.

    :param traceparent: the caller's field, None for none.
    :param tracestate: the caller's field; several are joined by commas.
    :param random: gives that many random bytes.
    """

    __slots__ = ("_fields", "_random", "_traceparent", "_tracestate")

    def __init__(
        self,
        traceparent: str | None,
        tracestate: str | None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._traceparent = traceparent
        self._tracestate = tracestate
        self._random = random
        # Only the first entry counts: threads that ask at once get one answer, for append is atomic.
        self._fields: list[tuple[str, str | None, str, int, str]] = []

    def _resolved(self) -> tuple[str, str | None, str, int, str]:
        if not self._fields:
            self._fields.append(self._continued() or self._restarted())
        return self._fields[0]

    def _continued(self) -> tuple[str, str | None, str, int, str] | None:
        caller = parse_traceparent(self._traceparent or "")
        if caller is None:
            return None
        trace_id, parent_id, flags = caller
        tracestate = parse_tracestate(self._tracestate or "")
        return trace_id, parent_id, self._random(8).hex(), flags, tracestate

    def _restarted(self) -> tuple[str, str | None, str, int, str]:
        # Whether to record is for a tracer to decide, and none has been asked.
        ids = self._random(24).hex()
        return ids[:32], None, ids[32:], RANDOM, ""

    @property
    def trace_id(self) -> str:
        """32 hex digits, the same for all requests of the trace."""
        return self._resolved()[0]

    @property
    def parent_id(self) -> str | None:
        """The caller's span ID, None where the trace starts here."""
        return self._resolved()[1]

    @property
    def span_id(self) -> str:
        """Our span ID, 16 hex digits: the parent of what we call."""
        return self._resolved()[2]

    @property
    def flags(self) -> int:
        """`SAMPLED` and `RANDOM`."""
        return self._resolved()[3]

    @property
    def sampled(self) -> bool:
        """Whether the caller may have recorded this request."""
        return bool(self.flags & SAMPLED)

    @property
    def tracestate(self) -> str:
        """The caller's list, to pass on; empty for none."""
        return self._resolved()[4]

    @property
    def traceparent(self) -> str:
        """The field for an outgoing request."""
        trace_id, _, span_id, flags, _ = self._resolved()
        return f"00-{trace_id}-{span_id}-{flags:02x}"

    def headers(self) -> dict[str, str]:
        """The fields for an outgoing request."""
        fields = {"traceparent": self.traceparent}
        if self.tracestate:
            fields["tracestate"] = self.tracestate
        return fields

    def __repr__(self) -> str:
        return f"TraceContext({self._traceparent!r}, {self._tracestate!r})"
