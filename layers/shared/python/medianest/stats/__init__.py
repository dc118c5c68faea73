"""Statistics for the dashboard."""
