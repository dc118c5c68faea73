"""Sign-in with Plex or with the password of a local account."""
