"""Two headers say who may frame a page; they never say two things."""

from __future__ import annotations

import pytest

from unit.client import answering, ask
from wsgiperf import SecurityHeadersMiddleware
from wsgiperf.security.csp import frame_by_policy

XFO, CSP, REPORT = "X-Frame-Options", "Content-Security-Policy", "Content-Security-Policy-Report-Only"


def framing(got):
    """X-Frame-Options, and frame-ancestors of the enforced policy."""
    ancestors = [
        directive.strip().removeprefix("frame-ancestors ")
        for directive in (got[CSP] or "").split(";")
        if directive.strip().startswith("frame-ancestors")
    ]
    return got[XFO], *ancestors


OPTIONS = {
    "deny": ({}, ("DENY", "'none'")),
    "self": ({"frame": "self"}, ("SAMEORIGIN", "'self'")),
    "any": ({"frame": "any"}, (None,)),
    "strict, self": ({"preset": "strict", "frame": "self"}, ("SAMEORIGIN", "'self'")),
    "the policy's own": ({"csp": {"frame-ancestors": ["'self'"]}}, ("SAMEORIGIN", "'self'")),
    "a partner": ({"csp": {"frame-ancestors": ["https://a.example"]}}, (None, "https://a.example")),
    "itself and a partner": (
        {"csp": {"frame-ancestors": "'self' https://a.example"}},
        (None, "'self' https://a.example"),
    ),
    "by header": ({"headers": {"x-frame-options": "SAMEORIGIN"}}, ("SAMEORIGIN", "'self'")),
    "by a whole policy": ({"headers": {CSP: "frame-ancestors 'self'"}}, ("SAMEORIGIN", "'self'")),
    "by a whole policy, a partner": (
        {"headers": {CSP: "frame-ancestors https://a.example"}},
        (None, "https://a.example"),
    ),
    "without the header": ({"headers": {"X-Frame-Options": None}}, (None, "'none'")),
}


@pytest.mark.parametrize(("options", "expected"), OPTIONS.values(), ids=OPTIONS)
def test_the_options_set_both(options, expected):
    """Where X-Frame-Options has no word for it, it is left out."""
    assert framing(ask(SecurityHeadersMiddleware(answering(), **options))) == expected


# The application's X-Frame-Options -> what frame-ancestors then says.
OWN_HEADER = {
    "DENY": "'none'",
    "deny": "'none'",
    " SameOrigin ": "'self'",
    "ALLOW-FROM https://a.example": None,
    "ALLOWALL": None,
    "": None,
    "DENY, DENY": "'none'",
    "SAMEORIGIN, SAMEORIGIN": "'self'",
    "SAMEORIGIN, DENY": "'none'",
    "DENY, ALLOWALL": "'none'",
}
EVERY = [
    {},
    {"frame": "self"},
    {"frame": "any"},
    {"preset": "strict"},
    {"csp": {"frame-ancestors": "'self'"}},
]


@pytest.mark.parametrize("options", EVERY, ids=repr)
@pytest.mark.parametrize("name", [XFO, XFO.lower()])
@pytest.mark.parametrize(("own", "ancestors"), OWN_HEADER.items(), ids=OWN_HEADER)
def test_frame_ancestors_follows_the_applications_header(own, ancestors, name, options):
    """Whatever is configured; of the rest of the policy nothing is lost."""
    got = ask(SecurityHeadersMiddleware(answering((name, own)), **options))
    assert framing(got) == ((own, ancestors) if ancestors else (own,))
    assert "object-src 'none'" in got[CSP] or "default-src 'none'" in got[CSP]


def test_the_header_sent_twice():
    """Browsers take both for one."""
    got = ask(SecurityHeadersMiddleware(answering((XFO, "DENY"), (XFO.lower(), "DENY"))))
    assert "frame-ancestors 'none'" in got[CSP]


# The application's policy -> what X-Frame-Options then says.
OWN_POLICY = {
    "frame-ancestors 'none'": "DENY",
    "frame-ancestors 'self'": "SAMEORIGIN",
    "FRAME-ANCESTORS 'SELF'": "SAMEORIGIN",
    "default-src 'self';frame-ancestors 'self' ; img-src *": "SAMEORIGIN",
    "frame-ancestors": "DENY",
    "frame-ancestors https://a.example": None,
    "frame-ancestors 'self' https://a.example": None,
    "frame-ancestors *": None,
    "img-src *, frame-ancestors 'self'": "SAMEORIGIN",
}


@pytest.mark.parametrize("options", [*EVERY, {"csp_report_only": True}], ids=repr)
@pytest.mark.parametrize(("own", "header"), OWN_POLICY.items(), ids=OWN_POLICY)
def test_the_header_follows_the_applications_policy(own, header, options):
    """And the policy stays as it is."""
    got = ask(SecurityHeadersMiddleware(answering((CSP.lower(), own)), **options))
    assert (got[XFO], got[CSP]) == (header, own)


@pytest.mark.parametrize("own", ["default-src 'self'", "", ";;", "x-frame-ancestors 'self'"])
def test_a_policy_that_says_nothing_of_frames_changes_nothing(own):
    """The configured header is sent."""
    for option, header in (("deny", "DENY"), ("self", "SAMEORIGIN"), ("any", None)):
        got = ask(SecurityHeadersMiddleware(answering((CSP, own)), frame=option))
        assert (got[XFO], got[CSP]) == (header, own)


def test_where_the_application_sends_both_both_stay():
    """Its own affair."""
    own = [(XFO, "DENY"), (CSP, "frame-ancestors 'self'")]
    got = ask(SecurityHeadersMiddleware(answering(*own)))
    assert framing(got) == ("DENY", "'self'")


def test_a_dropped_header_is_not_brought_back():
    """Not even to follow a policy."""
    app = SecurityHeadersMiddleware(answering((CSP, "frame-ancestors 'self'")), headers={XFO: None})
    assert ask(app)[XFO] is None


def choosing(frame, *fields):
    def app(environ, start_response):
        environ.setdefault("wsgiperf.options", {})["security"] = {"frame": frame}
        start_response("200 OK", list(fields))
        return [b"x"]

    return app


CHOICES = {"any": (None,), "self": ("SAMEORIGIN", "'self'"), "deny": ("DENY", "'none'")}


@pytest.mark.parametrize("options", [*EVERY, {"headers": {XFO: "SAMEORIGIN"}}], ids=repr)
@pytest.mark.parametrize(("frame", "expected"), CHOICES.items(), ids=CHOICES)
def test_a_response_may_say_how_it_may_be_framed(frame, expected, options):
    """As Django's exempt views do; whatever is configured."""
    assert framing(ask(SecurityHeadersMiddleware(choosing(frame), **options))) == expected


@pytest.mark.parametrize("frame", ["nobody", None, 5, [], {}], ids=repr)
def test_a_choice_that_is_none_is_none(frame):
    """It is no reason to fail a request, nor to let anybody frame it."""
    assert framing(ask(SecurityHeadersMiddleware(choosing(frame)))) == ("DENY", "'none'")


def test_the_applications_header_is_stronger_than_its_choice():
    """It is what browsers get."""
    assert framing(ask(SecurityHeadersMiddleware(choosing("any", (XFO, "SAMEORIGIN"))))) == (
        "SAMEORIGIN",
        "'self'",
    )
    got = ask(SecurityHeadersMiddleware(choosing("any", (CSP, "frame-ancestors 'none'"))))
    assert framing(got) == ("DENY", "'none'")


def test_report_only_says_what_would_be_enforced():
    """The header is enforced all the same."""
    got = ask(SecurityHeadersMiddleware(answering(), csp_report_only=True, frame="self"))
    assert (got[XFO], got[CSP]) == ("SAMEORIGIN", None)
    assert "frame-ancestors 'self'" in got[REPORT]


def test_an_own_report_changes_nothing():
    """Nobody enforces it."""
    got = ask(SecurityHeadersMiddleware(answering((REPORT, "frame-ancestors *"))))
    assert framing(got) == ("DENY", "'none'")


def test_a_megabyte_of_policy():
    """Looked through once."""
    assert frame_by_policy("img-src *;" * 100_000) is None
    assert frame_by_policy("," * 100_000 + "frame-ancestors 'self'") == "self"
