"""A stand-in for Radarr."""
