"""The contract of WSGI middleware, for anyone's middleware.

::

    from wsgiperf.testing import check

    check(MyMiddleware)                                   # what PEP 3333 and HTTP ask
    check(MyMiddleware, levels=("pep3333", "wsgiperf"))   # and what wsgiperf promises beyond

With pytest, one test a rule and random applications beside them::

    from wsgiperf.testing import WSGIContract

    class TestMyMiddleware(WSGIContract):
        def wrap(self, application):
            return MyMiddleware(application)

It works by running awkward applications (`applications`) bare and wrapped in a server that forgives
nothing (`server`) and comparing what the client, the server and the application saw (`trial`). The rules
are in `contract`; nothing here imports the rest of wsgiperf, and only the random applications need
hypothesis.
"""

from wsgiperf.testing.applications import Application, Shape
from wsgiperf.testing.contract import RULES
from wsgiperf.testing.rules import BrokenRuleError, Level, Rule, Wrap
from wsgiperf.testing.server import Delivery, Request, deliver
from wsgiperf.testing.suite import WSGIContract, check, rules_table
from wsgiperf.testing.trial import assert_transparent

__all__ = [
    "RULES",
    "Application",
    "BrokenRuleError",
    "Delivery",
    "Level",
    "Request",
    "Rule",
    "Shape",
    "WSGIContract",
    "Wrap",
    "assert_transparent",
    "check",
    "deliver",
    "rules_table",
]
