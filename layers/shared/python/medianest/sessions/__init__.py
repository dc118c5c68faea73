"""Sessions: rows, tokens and CSRF tokens."""
