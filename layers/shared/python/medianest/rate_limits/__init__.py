"""Rate limits: policies, sliding windows, and their storage in the cache or the database."""
