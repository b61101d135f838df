"""Detection quality on labelled series: `python -m benchmarks.quality --help`."""
