"""Idempotency keys: a retry of a creation returns the request of the first call."""
