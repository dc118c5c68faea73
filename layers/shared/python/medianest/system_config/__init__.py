"""What an admin can change while the service runs."""
