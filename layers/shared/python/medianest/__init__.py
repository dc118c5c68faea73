"""MediaNest: media requests for Plex communities."""

import gc

# Before a function imports anything else: nearly all objects that imports create stay, and by
# default (2000 new objects) the collector searches them again and again (docs/adr/0021).
gc.set_threshold(10_000)

# The one place of the version: pyproject.toml, template.yaml and the API document read it.
VERSION = "0.1.0"
