"""AWS on a developer's machine: for `make run`, tests and benchmarks, never deployed."""
