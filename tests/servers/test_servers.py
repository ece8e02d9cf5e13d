"""Every check on every server: first on the bare application, then on the wrapped one.

`WRAPPER=module:callable` in the environment puts another wrapper under test. A server which is not
installed is skipped, or fails the run where REQUIRE_ALL_PROGRAMS is set.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest

from . import (
    checks_answers,
    checks_connections,
    checks_failures,
    checks_files,
    checks_streams,
    checks_takeovers,
    checks_uploads,
)
from .client import CODINGS, Answer
from .comparison import compare
from .not_applicable import GAINED, GAINED_BY_ENCODING, NOT_APPLICABLE
from .registry import CHECKS, Check
from .server import SERVERS, Server, Site

CHECKED = (  # importing these is what fills CHECKS
    checks_answers, checks_connections, checks_failures, checks_files, checks_streams,
    checks_takeovers, checks_uploads,
)  # fmt: skip
WHOLE_STACK = "wsgiperf:wrap"
WRAPPER = os.environ.get("WRAPPER", WHOLE_STACK)
SOON = 0.05  # how much later than from the bare server the first event may come, in seconds

COMBINATIONS = [
    pytest.param(check, accept, id=f"{check.name}-{accept.partition(',')[0]}")
    for check in CHECKS.values()
    for accept in check.accepts
]


@dataclass
class Pair:
    bare: Site
    wrapped: Site


@pytest.fixture(scope="module", params=SERVERS.values(), ids=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    if missing := request.param.missing():
        says = pytest.fail if os.environ.get("REQUIRE_ALL_PROGRAMS") == "1" else pytest.skip
        says(f"{request.param.name} needs {', '.join(missing)}")
    return request.param


@pytest.fixture(scope="module")
def pair(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with ExitStack() as stack:
        pair = Pair(*(start(stack, server, app, tmp_path_factory) for app in ("bare", WRAPPER)))
        pair.bare.wait_until_ready()
        pair.wrapped.wait_until_ready()
        yield pair
        for site in (pair.bare, pair.wrapped):
            site.process.terminate()  # both now, since each may take a second


def start(stack: ExitStack, server: Server, app: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(server, app, tmp_path_factory.mktemp(server.name))
    stack.callback(site.stop)
    return site


def ask(check: Check, site: Site, accept: str) -> list[Answer]:
    try:
        return check.run(site, accept)
    except (AssertionError, OSError) as error:
        error.add_note("\n".join(["the end of its log:", *site.log().splitlines()[-15:]]))
        raise


@pytest.mark.parametrize(("check", "accept"), COMBINATIONS)
def test_check(server: Server, pair: Pair, check: Check, accept: str) -> None:
    combination = (server.name, check.name)
    if combination in NOT_APPLICABLE:
        expect_failure(check, pair.bare, accept)
        if not is_gained(combination, accept):
            pytest.skip(f"n/a on {server.name}: {NOT_APPLICABLE[combination]}")
        ask(check, pair.wrapped, accept)
        return
    bare = ask(check, pair.bare, accept)
    wrapped = ask(check, pair.wrapped, accept)
    compare(bare, wrapped)
    if check.name == "first_event":
        assert wrapped[0].seconds <= bare[0].seconds + SOON


def expect_failure(check: Check, site: Site, accept: str) -> None:
    with suppress(AssertionError, OSError), site.patience(1):
        check.run(site, accept)
        pytest.fail(f"{site.server.name} can do {check.name} now: take it out of the table")


def is_gained(combination: tuple[str, str], accept: str) -> bool:
    by_encoding = combination in GAINED_BY_ENCODING and accept == CODINGS
    return combination in GAINED or (by_encoding and WRAPPER == WHOLE_STACK)


def test_wrapper_is_at_work(pair: Pair) -> None:
    if WRAPPER != WHOLE_STACK:
        pytest.skip(f"{WRAPPER} need not compress")
    assert pair.wrapped.ask("single", CODINGS).get("Content-Encoding") == "br"
    assert pair.wrapped.ask("single", "identity").get("Content-Encoding") is None


def test_log_is_clean(pair: Pair) -> None:
    """What goes wrong behind the client's back: collected without close, refused by a validator."""
    pair.wrapped.ask("single", "identity")
    log = pair.wrapped.log()
    for trace in ("AssertionError", "Exception ignored", "ResourceWarning", "without being closed"):
        assert trace not in log


def test_nothing_was_closed_again(pair: Pair) -> None:
    """Looked at once more when every request has been over for some time."""
    pair.wrapped.ask("generator", "identity")
    for path in pair.wrapped.state.glob("request-*[0-9]"):
        assert path.read_text() == "opened\nclosed\n"


def test_stops_when_asked(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing in the wrapper holds a SIGTERM up."""
    with ExitStack() as stack:
        site = start(stack, server, WRAPPER, tmp_path_factory)
        site.wait_until_ready()
        site.ask("single", "identity")
        assert site.stop()


def test_table_names_what_exists() -> None:
    for server, check in NOT_APPLICABLE:
        assert server in SERVERS
        assert check in CHECKS


def test_table_did_not_grow() -> None:
    assert len(NOT_APPLICABLE) == 147
