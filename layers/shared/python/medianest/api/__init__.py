"""The HTTP layer: parses events of API Gateway, calls the domains, and builds the responses."""
