"""Every case, with every store, through every server."""

from __future__ import annotations

import pytest

from .cases import CASES
from .running import Run


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_case(case, site):
    Run(case, site).run()
