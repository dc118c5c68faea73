"""Generators for the documentation pages that are derived from the code."""
