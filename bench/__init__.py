"""Measures the backend against the plain way: `python -m bench`."""
