"""What the dashboard counts."""
