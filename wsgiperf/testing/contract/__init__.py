"""The contract itself: every rule, as a function whose docstring states it.

One module a concern, in the order the documentation lists them. A new rule is a new function in one of
these; a new module joins the tuple below.
"""

from __future__ import annotations

from wsgiperf.testing.contract import (
    blocks,
    bodies,
    closing,
    environ,
    errors,
    fields,
    files,
    heads,
    running,
)
from wsgiperf.testing.rules import Rule

_MODULES = (heads, blocks, bodies, fields, closing, errors, files, environ, running)

RULES: tuple[Rule, ...] = tuple(
    value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)
)
"""Every rule of the contract."""
