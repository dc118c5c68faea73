"""A function that only `make run` has: it registers the stand-ins as download servers."""
