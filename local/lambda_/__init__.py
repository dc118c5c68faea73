"""Emulates AWS Lambda: a pool of worker processes per function, behind the Runtime API."""
