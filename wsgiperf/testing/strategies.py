"""Random applications for hypothesis. The only module here that needs it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsgiperf.testing.applications import LINES, NOISE, TEXT, Application, Shape
from wsgiperf.testing.rules import Wrap
from wsgiperf.testing.server import Fields, Request
from wsgiperf.testing.trial import ENCODED, REQUESTS, assert_transparent

# hypothesis prefers what stands first in a choice: here that is the case with most to go wrong in it.

# Sizes on both sides of any minimum a compressor may have, of what compresses and what does not.
_BLOCK = st.sampled_from([LINES[0], b"", TEXT, b"data: 1\n\n", NOISE, NOISE[:500]]) | st.binary(max_size=30)
_BLOCKS = st.lists(_BLOCK, min_size=1, max_size=6).map(tuple)
_SHAPES = st.sampled_from(sorted(Shape, key=lambda shape: shape in (Shape.LIST, Shape.TUPLE, Shape.FILE)))
_SOMETIMES = st.sampled_from([False, False, True])
_RARELY = st.sampled_from([False] * 15 + [True])

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

_STATUSES = st.sampled_from(["200 OK", "404 Not Found", "302 Found", "500 Oops", "206 Partial Content"])
_BODILESS = st.sampled_from(["204 No Content", "304 Not Modified"])

requests: st.SearchStrategy[Request] = st.sampled_from((ENCODED, *REQUESTS))
takes: st.SearchStrategy[int | None] = st.sampled_from((None, None, None, 0, 1, 2, 4))


@st.composite
def applications(draw: st.DrawFn, *, within_pep3333: bool = True) -> Application:
    """Any application; those PEP 3333 does not quite allow only on demand."""
    shape = draw(_SHAPES)
    if draw(_RARELY):
        return Application((), shape, draw(_BODILESS), fields=())
    application = Application(
        blocks=() if draw(_RARELY) else draw(_BLOCKS),
        shape=shape,
        status=draw(_STATUSES),
        fields=(("Content-Type", draw(_TYPES)), *draw(_FIELDS)),
        written=draw(_BLOCKS)[:3] if draw(_SOMETIMES) else (),
    )
    if application.streams and not application.written and draw(_SOMETIMES):
        latest = 0 if within_pep3333 else application.empty_first
        application = replace(application, late=draw(st.integers(0, latest)))
    if draw(_SOMETIMES):
        place = draw(st.sampled_from(_places_to_fail(application)))
        application = replace(application, fails=place, recovers=draw(st.booleans()))
    if draw(_SOMETIMES):
        size = sum(map(len, (*application.written, *application.blocks)))
        fields: Fields = (*application.fields, ("Content-Length", str(size)))
        application = replace(application, fields=fields)
    return application


def _places_to_fail(application: Application) -> list[Any]:
    places: list[Any] = ["call"]
    if application.streams:
        places = [*range(len(application.blocks) + 1), "call"]
    if application.shape in (Shape.ITERABLE, Shape.ITERATOR, Shape.SEQUENCE):
        places.append("close")
    if application.shape is Shape.ITERABLE:
        places.append("iter")
    return places


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
