"""What every function needs and no domain owns."""
