"""Signing in with Plex."""
