"""One application, one request, run bare and wrapped; and what can be said of the difference.

Each ``..._faults`` function looks at one aspect and yields a sentence for everything that is wrong. The
named rules ask for one aspect over a table of applications; `assert_transparent` asks for all of them, and
is what the property tests use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from wsgiperf.testing import fields
from wsgiperf.testing.applications import Application
from wsgiperf.testing.decoding import DECODABLE, Decoder
from wsgiperf.testing.probe import Journal, Probe
from wsgiperf.testing.rules import Wrap
from wsgiperf.testing.server import Delivery, Request

PLAIN = Request()
ENCODED = Request(fields=(("Accept-Encoding", ", ".join(DECODABLE)),))
ONE_CODING = tuple(Request(fields=(("Accept-Encoding", coding),)) for coding in DECODABLE)
HEAD = Request("HEAD")
HEAD_ENCODED = Request("HEAD", fields=ENCODED.fields)

GETS = (PLAIN, ENCODED, *ONE_CODING)
REQUESTS = (*GETS, HEAD, HEAD_ENCODED)


@dataclass(frozen=True)
class Trial:
    """What came of one request, with the same application's bare answer to the same request beside it."""

    application: Application
    request: Request
    take: int | None
    """After how many blocks the client left; None is never."""
    delivery: Delivery
    journals: list[Journal]
    bare: Delivery
    """Always read to its end."""

    @property
    def journal(self) -> Journal:
        """What happened to the application."""
        if len(self.journals) != 1:
            raise AssertionError(f"the application was called {len(self.journals)} times")
        return self.journals[0]

    @property
    def has_content(self) -> bool:
        """Whether the response is of a kind that has content (RFC 9110, section 6.4.1)."""
        return self.request.method != "HEAD" and self.bare.status[:3] not in ("101", "204", "304")

    @cached_property
    def codings(self) -> list[str]:
        """The codings the middleware applied."""
        return fields.added_codings(self.bare.fields, self.delivery.fields)

    @cached_property
    def decoded(self) -> Decoded:
        """What the client reads."""
        return Decoded(self.delivery.sent, self.codings if self.has_content else [])


class Decoded:
    """The plain content, how much of it could be read when, and whether its coding came to an end."""

    def __init__(self, sent: Iterable[bytes], codings: list[str]) -> None:
        if len(codings) > 1:
            raise AssertionError(f"the body was encoded more than once: {codings}")
        decoder = Decoder(codings[0]) if codings else None
        self.content = b""
        self.readable = {0: 0}
        """How many bytes of content can be read of so many bytes on the wire."""
        wire = 0
        for chunk in sent:
            self.content += decoder.feed(chunk) if decoder else chunk
            wire += len(chunk)
            self.readable[wire] = len(self.content)
        self.finished = decoder.finished if decoder else None
        """Whether the coding's own end was seen; None where there is no coding."""


def run(wrap: Wrap, application: Application, request: Request = PLAIN, take: int | None = None) -> Trial:
    """Run an application bare and wrapped."""
    delivery, journals = _serve(wrap, application, request, take)
    return Trial(application, request, take, delivery, journals, _bare(application, request))


@lru_cache(maxsize=1000)
def _bare(application: Application, request: Request) -> Delivery:
    return _serve(lambda inner: inner, application, request, None)[0]


def _serve(
    wrap: Wrap, application: Application, request: Request, take: int | None
) -> tuple[Delivery, list[Journal]]:
    probe = Probe(application, lambda: len(delivery.content))
    delivery = Delivery(wrap(probe), request.environ())
    delivery.run(take)
    return delivery, probe.journals


def protocol_faults(trial: Trial) -> Iterator[str]:
    """What the server complained of."""
    yield from trial.delivery.complaints
    if len(trial.journals) != 1:
        yield f"the application was called {len(trial.journals)} times"


def response_faults(trial: Trial) -> Iterator[str]:
    """Where the client sees another response: status, fields, content after decoding."""
    bare, got = trial.bare, trial.delivery
    if not bare.committed:
        if got.sent:
            yield f"{len(got.content)} bytes were sent of a response that failed before its first"
        return
    if not got.committed:
        if trial.take is None:
            yield "the client got no response"
        return
    if got.status != bare.status:
        yield f"the status was {bare.status!r} and became {got.status!r}"
    yield from fields.field_faults(
        bare.fields,
        got.fields,
        encoded=bool(trial.codings),
        head=trial.request.method == "HEAD",
    )
    if trial.has_content:
        yield from _content_faults(trial)
    elif not bare.content.startswith(got.content):
        yield f"content was added where there is none: {got.content[:40]!r}"


def _content_faults(trial: Trial) -> Iterator[str]:
    plain, whole = trial.decoded.content, trial.bare.content
    if trial.take is None and plain != whole:
        yield f"the content was {len(whole)} bytes and became {len(plain)}, from {_parting(whole, plain)}"
    elif not whole.startswith(plain):
        yield f"the content differs, from {_parting(whole, plain)}"
    if trial.delivery.complete:
        length = trial.delivery.values("content-length")
        if length and length != [str(len(trial.delivery.content))]:
            yield f"Content-Length is {length} and {len(trial.delivery.content)} bytes were sent"
        if trial.decoded.finished is False:
            yield "the encoded stream has no end"


def _parting(whole: bytes, plain: bytes) -> str:
    at = next((n for n, pair in enumerate(zip(whole, plain, strict=False)) if len(set(pair)) > 1), None)
    at = min(len(whole), len(plain)) if at is None else at
    return f"byte {at}: {whole[at : at + 20]!r} / {plain[at : at + 20]!r}"


def encoding_faults(trial: Trial) -> Iterator[str]:
    """What an encoded response says wrongly about itself."""
    if trial.codings and trial.delivery.committed:
        yield from fields.encoding_faults(
            trial.bare.fields,
            trial.delivery.fields,
            trial.request.field("Accept-Encoding"),
            head=trial.request.method == "HEAD",
        )


def hop_by_hop_faults(trial: Trial) -> Iterator[str]:
    """Which hop-by-hop fields the middleware added."""
    return fields.hop_by_hop_faults(trial.bare.fields, trial.delivery.fields)


def closing_faults(trial: Trial) -> Iterator[str]:
    """Where the application's body was not closed exactly once."""
    if trial.journal.closable and trial.journal.closings != 1:
        yield f"close was called {trial.journal.closings} times"


def error_faults(trial: Trial) -> Iterator[str]:
    """Where what the server caught is not what the application raised."""
    raised, caught = trial.journal.error, trial.delivery.error
    if caught is not raised:
        yield f"the application raised {raised!r} and the server caught {caught!r}"
    if raised and not trial.delivery.complete and trial.decoded.finished:
        yield "the encoded stream came to its regular end though the application failed"


def delay_faults(trial: Trial) -> Iterator[str]:
    """Where the application was asked for more before the client could read what it had given."""
    if not trial.has_content:
        return
    for mark in trial.journal.marks:
        readable = trial.decoded.readable[mark.sent]
        if readable < mark.given:
            yield f"the application had given {mark.given} bytes and the client could read {readable}"


def asking_faults(trial: Trial) -> Iterator[str]:
    """Where the server asked for one block and the application for more than one."""
    asked, pulls = trial.journal.asked, trial.delivery.pulls
    # Empty blocks before the first real one may be skipped in the call: the head does not go out with them.
    if trial.application.streams and asked > max(pulls, 1) + trial.application.empty_first:
        yield f"the server asked for {pulls} blocks and the application was asked for {asked}"


Aspect = Callable[[Trial], Iterator[str]]

ASPECTS: tuple[Aspect, ...] = (
    protocol_faults,
    error_faults,
    response_faults,
    encoding_faults,
    hop_by_hop_faults,
    closing_faults,
    delay_faults,
    asking_faults,
)


def assert_transparent(
    wrap: Wrap, application: Application, request: Request = PLAIN, take: int | None = None
) -> None:
    """Assert that a client, the server and the application can tell no difference but the allowed ones."""
    trial = run(wrap, application, request, take)
    faults = [fault for aspect in ASPECTS for fault in aspect(trial)]
    if faults:
        raise AssertionError("; ".join(faults) + f"\n{application}\n{request}, take={take}")


def assert_without_faults(
    aspect: Aspect,
    wrap: Wrap,
    applications: Mapping[str, Application],
    requests: Iterable[Request] = GETS,
    takes: Iterable[int | None] = (None,),
) -> None:
    """Assert one aspect over a table of applications."""
    for take in takes:
        for request in requests:
            for name, application in applications.items():
                for fault in aspect(run(wrap, application, request, take)):
                    raise AssertionError(f"{request}, application {name!r}: {fault}")
