"""Programs for contributors; never deployed."""
