"""The pytest plugin: a fixture for those who want one test, a marker to choose the contract by.

Nothing else is needed: the checks raise on their own account and do not depend on rewritten assertions.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wsgiperf.testing.suite import WSGIContract, check


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, for ``--strict-markers``."""
    config.addinivalue_line("markers", "wsgi_contract: a test that WSGIContract brought")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test of the contract."""
    cls = getattr(item, "cls", None)
    if isinstance(cls, type) and issubclass(cls, WSGIContract):
        item.add_marker("wsgi_contract")


@pytest.fixture
def wsgi_contract() -> Callable[..., None]:
    """`wsgiperf.testing.check`: ``def test_mine(wsgi_contract): wsgi_contract(MyMiddleware)``."""
    return check
