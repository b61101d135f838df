"""Bundled demo series with their licences, a finished run on each, and the script that makes them."""
