"""Content-Security-Policy: the preset's, extended, only reported; and the nonce in it."""

from __future__ import annotations

import re

import pytest

from unit.client import HTML, Exchanged, answering, ask, environ_of
from unit.logs import own
from unit.parts import Seen
from wsgiperf import SecurityHeadersMiddleware, SettingsError, Stack
from wsgiperf.exchange import EXCHANGE

CSP, REPORT = "Content-Security-Policy", "Content-Security-Policy-Report-Only"
NONCE = re.compile(r"'nonce-([0-9a-f]{32})'")


def directives(policy):
    """A policy by directive; none is there twice."""
    parsed = [directive.split() for directive in policy.split(";")]
    assert len({words[0] for words in parsed}) == len(parsed)
    return {words[0]: words[1:] for words in parsed}


EXTENDED = {
    "one source more": ({"img-src": ["data:"]}, {"img-src": ["'self'", "data:"]}),
    "words in a string": (
        {"img-src": "data: https://a.example"},
        {"img-src": ["'self'", "data:", "https://a.example"]},
    ),
    "a source that is there": ({"img-src": "'self'"}, {"img-src": ["'self'"]}),
    "instead of 'none'": ({"default-src": "'self'"}, {"default-src": ["'self'"]}),
    "'none' instead": ({"img-src": "'none'"}, {"img-src": ["'none'"]}),
    "a new directive": ({"report-to": "csp"}, {"report-to": ["csp"]}),
    "without sources": ({"upgrade-insecure-requests": ""}, {"upgrade-insecure-requests": []}),
    "dropped": ({"form-action": None}, {"form-action": None}),
    "upper case": ({"Img-Src": "data:"}, {"img-src": ["'self'", "data:"]}),
    "dropped, upper case": ({"Form-Action": None}, {"form-action": None}),
    "dropped, not there": ({"frame-src": None}, {}),
}


@pytest.mark.parametrize(("csp", "changes"), EXTENDED.values(), ids=EXTENDED)
def test_a_policy_is_extended_directive_by_directive(csp, changes):
    """The others stay the preset's."""
    preset = directives(ask(SecurityHeadersMiddleware(answering(), preset="strict"))[CSP])
    got = ask(SecurityHeadersMiddleware(answering(), preset="strict", csp=csp))
    expected = {name: words for name, words in {**preset, **changes}.items() if words is not None}
    assert directives(got[CSP]) == expected


def test_a_policy_of_nothing_is_no_header():
    """All of it dropped."""
    got = ask(SecurityHeadersMiddleware(answering(), preset="api", csp={"default-src": None}, frame="any"))
    assert got[CSP] is None


@pytest.mark.parametrize("value", ["'self'; script-src *", "'self', *", ["a b"], "a\r\nb"])
def test_a_source_cannot_end_the_directive(value):
    """It is refused at the start."""
    if isinstance(value, str) and "\r" in value:
        value = [value]
    with pytest.raises(SettingsError):
        SecurityHeadersMiddleware(answering(), csp={"img-src": value})


def test_report_only_is_the_same_policy_under_another_name():
    """Nothing is enforced."""
    strict = ask(SecurityHeadersMiddleware(answering(), preset="strict"))
    reported = ask(SecurityHeadersMiddleware(answering(), preset="strict", csp_report_only=True))
    assert (reported[CSP], reported[REPORT]) == (None, strict[CSP])


def test_an_enforced_policy_of_the_applications_stays_beside_our_report():
    """They are two headers."""
    got = ask(SecurityHeadersMiddleware(answering((CSP, "img-src *")), csp_report_only=True))
    assert got[CSP] == "img-src *"
    assert got[REPORT]


def reading(*, late=False, status="200 OK", fields=(HTML,), read=str):
    """A page with the nonce in it, in its first block or in its second."""

    def app(environ, start_response):
        start_response(status, list(fields))
        if late:
            yield b"head "
        yield read(environ["wsgiperf.csp_nonce"]).encode()

    return app


READS = {
    "str": str,
    "format": "{}".format,
    "format with a width": "{:>32}".format,
    "f-string": lambda nonce: f"{nonce}",
    "a template's __html__": lambda nonce: nonce.__html__(),
    "percent": lambda nonce: "%s" % nonce,  # noqa: UP031 - that is the point
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_nonce_that_is_read_is_in_the_policy(read):
    """The same one, in scripts and styles and nowhere else."""
    got = ask(SecurityHeadersMiddleware(reading(read=read), preset="strict"))
    policy = directives(got[CSP])
    nonce = got.body.decode()
    assert re.fullmatch("[0-9a-f]{32}", nonce)
    assert policy["script-src"] == policy["style-src"] == ["'self'", f"'nonce-{nonce}'"]
    assert got[CSP].count("nonce-") == 2


def test_a_nonce_that_is_not_read_is_not_made():
    """The policy goes out as it stands."""
    seen = Seen(lambda exchange: (exchange.nonce.used, repr(exchange.nonce)))
    got = ask(Stack(answering(HTML), seen, SecurityHeadersMiddleware(preset="strict")))
    assert "nonce" not in got[CSP]
    assert seen.found == [(False, "<Nonce unread>")]


def test_whether_it_was_read_is_visible_on_the_exchange():
    """For whoever stores or logs responses; to look doesn't read it."""
    seen = Seen(lambda exchange: (exchange.nonce.used, repr(exchange.nonce)))
    ask(Stack(reading(), seen, SecurityHeadersMiddleware(preset="strict")))
    assert seen.found == [(True, "<Nonce read>")]


def test_every_response_has_its_own():
    """128 random bits each."""
    app = SecurityHeadersMiddleware(reading(), preset="strict")
    nonces = {ask(app).body for _ in range(200)}
    assert len(nonces) == 200


def test_it_is_one_object_in_one_response():
    """However often it is read."""
    found = []

    def app(environ, start_response):
        found.extend([environ["wsgiperf.csp_nonce"], environ[EXCHANGE].nonce])
        start_response("200 OK", [])
        return [f"{found[0]} {found[1]}".encode()]

    got = ask(SecurityHeadersMiddleware(app))
    assert found[0] is found[1]
    assert len(set(got.body.split())) == 1


def test_read_too_late_it_is_the_same_value_and_one_logged_error(caplog):
    """The head is out: browsers will refuse what carries it, and the log says why."""

    def app(environ, start_response):
        start_response("200 OK", [HTML])
        yield b"head "
        yield f"{environ['wsgiperf.csp_nonce']} {environ['wsgiperf.csp_nonce']}".encode()

    got = ask(SecurityHeadersMiddleware(app, preset="strict"))
    _, one, other = got.body.split()
    assert one == other
    assert "nonce" not in got[CSP]
    (record,) = own(caplog)
    assert record.levelname == "ERROR"
    assert "after the response's head was sent" in record.getMessage()


def test_read_early_and_again_later_is_no_error(caplog):
    """The policy names it."""

    def app(environ, start_response):
        start_response("200 OK", [HTML])
        yield str(environ["wsgiperf.csp_nonce"]).encode()
        yield str(environ["wsgiperf.csp_nonce"]).encode()

    got = Exchanged(SecurityHeadersMiddleware(app, preset="strict"), environ_of()).whole()
    assert len(set(got.sent)) == 1
    assert own(caplog) == []


def test_on_a_304_there_is_no_policy_that_would_replace_the_stored_one():
    """Read or not: the stored page carries the nonce of its own response (RFC 9111 section 4.3.4)."""
    for app in (
        answering(status="304 Not Modified", body=b""),
        reading(status="304 Not Modified", fields=()),
    ):
        got = ask(SecurityHeadersMiddleware(app, preset="strict"))
        assert got[CSP] is None
        assert got["X-Content-Type-Options"] == "nosniff"


def test_a_policy_without_scripts_takes_no_nonce():
    """It is added only to what the policy has: `balanced` restricts no scripts."""
    for options in (
        {},
        {"preset": "api"},
        {"preset": "strict", "csp": {"script-src": None, "style-src": None}},
    ):
        got = ask(SecurityHeadersMiddleware(reading(), **options))
        assert "nonce" not in got[CSP]


def test_such_a_policy_may_go_with_a_304():
    """It is the same for every response."""
    got = ask(SecurityHeadersMiddleware(answering(status="304 Not Modified", body=b"")))
    assert got[CSP] == ask(SecurityHeadersMiddleware(answering()))[CSP]


PLACES = {
    "scripts only": ({"style-src": None}, ["script-src"]),
    "styles only": ({"script-src": None}, ["style-src"]),
    "unsafe-inline": ({"style-src": "'unsafe-inline'"}, ["script-src"]),
    "none": ({"script-src": "'none'"}, ["style-src"]),
    "extended": ({"script-src": "https://a.example"}, ["script-src", "style-src"]),
    "elements have none": ({"script-src-elem": "'self'"}, ["script-src", "style-src"]),
}


@pytest.mark.parametrize(("csp", "names"), PLACES.values(), ids=PLACES)
def test_where_the_nonce_goes(csp, names):
    """Beside 'unsafe-inline' it would take that back, beside 'none' it means nothing."""
    policy = directives(ask(SecurityHeadersMiddleware(reading(), preset="strict", csp=csp))[CSP])
    assert [name for name, words in policy.items() if any(map(NONCE.fullmatch, words))] == names


def test_the_nonce_is_reported_too():
    """Else every inline script would be."""
    got = ask(SecurityHeadersMiddleware(reading(), preset="strict", csp_report_only=True))
    assert NONCE.search(got[REPORT])[1] == got.body.decode()


def test_a_policy_of_the_applications_own_has_no_nonce_added():
    """It wins as it is."""
    got = ask(SecurityHeadersMiddleware(reading(fields=[(CSP, "script-src 'self'")]), preset="strict"))
    assert got[CSP] == "script-src 'self'"


def test_a_whole_policy_of_the_sites_own_has_no_nonce_added():
    """It goes out as it is configured."""
    app = SecurityHeadersMiddleware(reading(), preset="strict", headers={CSP: "script-src 'self'"})
    assert ask(app)[CSP] == "script-src 'self'"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("frame", ["deny", "self", "any"])
def test_a_nonce_changes_nothing_else(scheme, frame):
    """All other headers are there, once."""
    plain = ask(SecurityHeadersMiddleware(answering(HTML), preset="strict", frame=frame), scheme=scheme)
    got = ask(SecurityHeadersMiddleware(reading(), preset="strict", frame=frame), scheme=scheme)
    without = {name: NONCE.sub("", value).replace(" ;", ";") for name, value in got.fields}
    assert without == {name: value for name, value in plain.fields if name != "Content-Length"}
