"""Fulfilment: what becomes of an approved request on Radarr and Sonarr."""
