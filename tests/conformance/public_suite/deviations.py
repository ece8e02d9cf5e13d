"""Where the public suite wants something else than we do, and the sentence that we go by.

The package on npm is an old edition: some of its expectations were withdrawn since, or speak of connections
that a cache behind a proxy never sees. Names may end in a star. What is not in this table has to pass.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

AGE = (
    "RFC 9111 section 5.1: 'If the field value (after discarding additional members, as per above) is "
    "invalid "
    "(e.g., it contains something other than a non-negative integer), a cache SHOULD ignore the field.' The "
    "test takes such a response for stale; the current edition only asks what caches do."
)
CLOSE = (
    "RFC 9110 section 15.6.3: a gateway that 'received an invalid response from an inbound server' "
    "answers 502. "
    "So does the proxy here, the cache passes it on, and the test takes any response of a server that "
    "hung up "
    "for one from the store. Nothing stale is served."
)
CONTENT = (
    "RFC 9111 section 3.2: 'Note that the Content-* prefix is not a signal that a header field is omitted "
    "from "
    "update; it is a convention for MIME header fields, not HTTP.'"
)
SURROGATE = (
    "No RFC defines Surrogate-Control (a W3C note of 2001). RFC 9213 section 3.1 took its place with "
    "CDN-Cache-Control, which is followed."
)
COOKIES = (
    "RFC 9111 section 7.3: 'Servers that wish to control caching of these responses are encouraged to emit "
    "appropriate Cache-Control response header fields'. Most applications don't, and one visitor's cookie "
    "is not "
    "to reach another: stored only by option (--set-cookie)."
)
PART = (
    "The test's response says that it has bytes 4 to 9, which are six, and has five. RFC 9111 section "
    "3.3: 'A cache "
    "MUST NOT use an incomplete response to answer requests unless the response has been made complete'."
)

DEVIATIONS: dict[str, str] = {
    "age-parse-*": AGE,
    "stale-close-*": CLOSE,
    "304-etag-update-response-Content-MD5": CONTENT,
    "304-etag-update-response-ETag": (
        "RFC 9111 section 4.3.4 has a 304 with a strong validator freshen the stored responses with 'the "
        "same "
        "strong validator', and no others. The test validates one entity tag, is answered with another, and "
        "wants the stored response used with the old one."
    ),
    "conditional-lm-fresh-no-lm": (
        "RFC 9111 section 4.3.2: without Last-Modified it is the Date that is compared, and here it is "
        "later than "
        "the date asked for: that is modified, a 200. The test wants a 304."
    ),
    "vary-normalise-lang-select": (
        "RFC 9111 section 4.1 lets a cache match by what a field means; to choose a language in place of the "
        "application takes more than it has said."
    ),
    "partial-store-partial-reuse-partial*": PART,
    "partial-store-partial-complete": (
        "RFC 9111 section 3.4: parts may be combined 'if they all share the same strong validator'. The "
        "test's "
        "response has none, so the rest alone would be of no use."
    ),
    "surrogate-*": SURROGATE,
}

#: What the table explains only while the option is off.
SET_COOKIE: dict[str, str] = {
    "other-set-cookie": COOKIES,
    "headers-store-Set-Cookie": COOKIES,
    "304-etag-update-response-Set-Cookie": COOKIES,
}


#: What lies with the server in front.
GUNICORN: dict[str, str] = {
    "other-date-update": (
        "gunicorn sends its own Date in place of the application's. By RFC 9111 section 4.2.3 the response "
        "is no younger for it: Age says how old it is."
    ),
}


def table(*, set_cookie: bool, server: str) -> dict[str, str]:
    """What holds for such a run."""
    return DEVIATIONS | ({} if set_cookie else SET_COOKIE) | (GUNICORN if server == "gunicorn" else {})


def explanation(test: str, known: dict[str, str]) -> str | None:
    """Why a test does not pass, if the table says so."""
    return next((reason for name, reason in known.items() if fnmatchcase(test, name)), None)
