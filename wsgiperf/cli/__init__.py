"""The command `wsgiperf`. Its parser, click, is optional and imported when the command runs."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    try:
        from wsgiperf.cli.commands import wsgiperf
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit('wsgiperf: the command line needs click: pip install "wsgiperf[cli]"')
    wsgiperf()
