"""Clients of Radarr and Sonarr: they read first, and change only what differs from the request."""
