"""The cache's wall clock, in one place so that time can be passed in.

Wall time and not a monotonic one, because entries outlive processes and travel between machines. Callers
write `clock.now()`, so that putting another function here moves them all.
"""

from __future__ import annotations

from time import time

__all__ = ["now"]

now = time  #: seconds since the epoch
