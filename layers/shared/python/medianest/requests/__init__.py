"""Requests for titles, and decisions on them."""
