"""Emulates API Gateway REST: routes, throttles, mocks and gateway responses."""
