"""Scheduled cleanup of expired rows."""
