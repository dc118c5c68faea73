"""MediaNest: media requests for Plex communities."""

# The one place of the version: pyproject.toml, template.yaml and the API document read it.
VERSION = "0.1.0"
