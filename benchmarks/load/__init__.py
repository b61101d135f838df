"""The app under load: see `python -m benchmarks.load --help`."""
