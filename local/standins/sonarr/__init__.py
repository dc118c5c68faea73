"""A stand-in for Sonarr."""
