"""MediaNest: media requests for Plex communities."""

import gc

# Before a function imports anything else: nearly all objects that imports create stay, and the
# collector would search them again and again. No init creates as many objects as this, and
# `core.startup` ends it (docs/adr/0021).
gc.set_threshold(200_000)

# The one place of the version: pyproject.toml, template.yaml and the API document read it.
VERSION = "0.1.0"
