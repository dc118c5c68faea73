"""Runs the embedded PostgreSQL and Valkey, and checks external ones."""
