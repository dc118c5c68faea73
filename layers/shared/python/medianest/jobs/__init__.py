"""Jobs: work that is committed with its cause, and done by the worker."""
