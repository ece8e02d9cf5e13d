"""Figures of all workers: counted in shared memory, told at one endpoint."""

from wsgiperf.monitor.middleware import MonitorMiddleware

__all__ = ["MonitorMiddleware"]
