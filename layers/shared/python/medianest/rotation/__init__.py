"""Rotating the key that signs sessions."""
