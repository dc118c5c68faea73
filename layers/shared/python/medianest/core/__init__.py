"""Infrastructure that all functions share, without domain logic."""
