"""Scheduled cleaning."""
