"""Holding callers to their shares."""
