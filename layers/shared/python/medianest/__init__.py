"""MediaNest: media requests for Plex communities."""

VERSION = "0.1.0"
