"""The pytest plugin: a fixture for those who want one test, a marker to choose the contract by.

Nothing else is needed: the checks raise on their own account and do not depend on rewritten assertions. The
plugin is loaded into every run of pytest where this library is installed, so it imports the suite only for
those who use it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, for ``--strict-markers``."""
    config.addinivalue_line("markers", "wsgi_contract: a test that WSGIContract brought")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test of the contract."""
    cls, suite = getattr(item, "cls", None), sys.modules.get("wsgiperf.testing.suite")
    if suite is not None and isinstance(cls, type) and issubclass(cls, suite.WSGIContract):
        item.add_marker("wsgi_contract")


@pytest.fixture
def wsgi_contract() -> Callable[..., None]:
    """`wsgiperf.testing.check`: ``def test_mine(wsgi_contract): wsgi_contract(MyMiddleware)``."""
    from wsgiperf.testing.suite import check

    return check
