"""No random application can tell the whole stack from none."""

from __future__ import annotations

import wsgiperf
from wsgiperf.testing.strategies import check_random_applications


def test_the_whole_stack_is_transparent():
    """500 random applications, requests and clients that leave early; late and empty first blocks too."""
    check_random_applications(wsgiperf.wrap, 500, within_pep3333=False)


def test_a_stack_around_a_stack_is_transparent():
    """An application that wraps itself under a server that wraps it again, with somebody else's between."""

    def wrap(application):
        return wsgiperf.wrap(between(wsgiperf.wrap(application)))

    def between(application):
        return lambda environ, start_response: application(environ, start_response)

    check_random_applications(wrap, 200, within_pep3333=False)
