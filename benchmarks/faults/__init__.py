"""What the world does to AMAD while it works, done on purpose, and what was lost by it: `python -m benchmarks.faults`."""
