"""Search and details of the catalogue, each title with the state of its request."""
