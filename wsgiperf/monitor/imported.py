"""Whether a library is in use, without importing it."""

from __future__ import annotations

import sys

__all__ = ["imported"]


def imported(name: str) -> bool:
    """Whether a module was imported to its end.

    One that another thread is still importing is in `sys.modules` already. To import from it then makes two
    threads wait for each other, which Python ends by showing both of them a module half made: the
    application's own import would fail.
    """
    module = sys.modules.get(name)
    return module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False)
