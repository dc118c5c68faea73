"""Rotation of the key that signs sessions."""
