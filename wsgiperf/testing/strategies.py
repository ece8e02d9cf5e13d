"""Random applications for hypothesis. The only module here that needs it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsgiperf.testing.applications import NOISE, TEXT, Application, Shape
from wsgiperf.testing.rules import Wrap
from wsgiperf.testing.server import Fields, Request
from wsgiperf.testing.trial import REQUESTS, assert_transparent

_BLOCKS = st.lists(
    st.one_of(
        st.just(b""),
        st.binary(max_size=30),
        st.integers(1, len(TEXT)).map(lambda size: TEXT[:size]),
        st.integers(1, len(NOISE)).map(lambda size: NOISE[:size]),
    ),
    max_size=6,
).map(tuple)

_TYPES = st.sampled_from(
    ["text/html; charset=utf-8", "application/json", "TEXT/Plain", "image/png", "text/event-stream", "x/y"]
)

_FIELDS = st.lists(
    st.sampled_from(
        [
            ("ETag", '"v1"'),
            ("etag", 'W/"v2"'),
            ("Vary", "Cookie"),
            ("vary", "*"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Cache-Control", "no-transform"),
            ("Cache-Control", "public, max-age=60"),
            ("Content-Encoding", "gzip"),
            ("Accept-Ranges", "bytes"),
            ("Server-Timing", "db;dur=1.5"),
            ("Content-Digest", "sha-256=:AAAA:"),
            ("X-Request-ID", "the-application-s-own"),
            ("Content-Security-Policy", "default-src 'self'"),
            ("X-Frame-Options", "SAMEORIGIN"),
            ("X-Latin", "caf\xe9"),
        ]
    ),
    max_size=5,
    unique_by=lambda field: field if field[0] == "Set-Cookie" else field[0].lower(),
).map(tuple)

_STATUSES = st.sampled_from(["200 OK", "200 OK", "404 Not Found", "302 Found", "500 Oops", "206 Partial Content"])
_BODILESS = st.sampled_from(["204 No Content", "304 Not Modified"])

requests: st.SearchStrategy[Request] = st.sampled_from(REQUESTS)
takes: st.SearchStrategy[int | None] = st.none() | st.integers(0, 4)


@st.composite
def applications(draw: st.DrawFn, *, within_pep3333: bool = True) -> Application:
    """Any application; those PEP 3333 does not quite allow only on demand."""
    if draw(st.integers(0, 9)) == 0:
        shape = draw(st.sampled_from([shape for shape in Shape if shape is not Shape.FILE]))
        return Application((), shape, draw(_BODILESS), fields=())
    application = Application(
        blocks=draw(_BLOCKS),
        shape=draw(st.sampled_from(Shape)),
        status=draw(_STATUSES),
        fields=(("Content-Type", draw(_TYPES)), *draw(_FIELDS)),
    )
    application = draw(_started(application, within_pep3333))
    application = draw(_failing(application))
    return draw(_sized(application))


def _started(application: Application, within_pep3333: bool) -> st.SearchStrategy[Application]:
    """With the head in the call, and then perhaps some content written; or later."""
    in_the_call = _BLOCKS.map(lambda written: replace(application, written=written[:3]))
    if not application.streams:
        return st.just(application) | in_the_call
    latest = 0 if within_pep3333 else application.empty_first
    late = st.integers(0, latest).map(lambda number: replace(application, late=number))
    return st.just(application) | in_the_call | late


def _failing(application: Application) -> st.SearchStrategy[Application]:
    places: list[Any] = ["call"]
    if application.streams:
        places += range(len(application.blocks) + 1)
    if application.shape not in (Shape.LIST, Shape.TUPLE, Shape.FILE, Shape.GENERATOR):
        places.append("close")
    if application.shape is Shape.ITERABLE:
        places.append("iter")
    failing = st.builds(
        lambda place, recovers: replace(application, fails=place, recovers=recovers),
        st.sampled_from(places),
        st.booleans(),
    )
    return st.just(application) | failing


def _sized(application: Application) -> st.SearchStrategy[Application]:
    """Perhaps with its true Content-Length."""
    size = sum(map(len, (*application.written, *application.blocks)))
    fields: Fields = (*application.fields, ("Content-Length", str(size)))
    return st.just(application) | st.just(replace(application, fields=fields))


def check_random_applications(wrap: Wrap, examples: int = 100, *, within_pep3333: bool = True) -> None:
    """Assert that a middleware is transparent for that many random applications, the same ones every time."""

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(applications(within_pep3333=within_pep3333), requests, takes)
    def transparent(application: Application, request: Request, take: int | None) -> None:
        assert_transparent(wrap, application, request, take)

    transparent()
