"""What wsgiperf costs, as programs that print ratios. `python -m benchmarks` runs them all.

`measure` takes the time; `site` and `frameworks` are what is measured; each of the others is a program.
"""
