"""What wsgiperf costs, as programs that print ratios. `python -m benchmarks` runs them all.

One idea a file: `measure` takes the time, `site` and `frameworks` are what is measured, the others are programs.
"""
