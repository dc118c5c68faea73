"""Measures cold starts, warm calls, round trips and growth of the functions: `make bench`."""
