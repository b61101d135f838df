"""How fast AMAD is beside the Anomaly Transformer, on one machine in one process: `python -m benchmarks.speed --help`."""
