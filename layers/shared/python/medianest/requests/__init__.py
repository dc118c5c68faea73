"""Asking for titles, and deciding."""
