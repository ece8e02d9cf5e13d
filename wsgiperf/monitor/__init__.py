"""Figures of all workers: counted in shared memory, told at one endpoint."""
