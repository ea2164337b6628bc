"""A completion model that counts what followed the same context elsewhere: no server, no weights, usable on its own.

`model.py` is where to begin; docs/local-model.md has the method, its sources and measurements.
"""
