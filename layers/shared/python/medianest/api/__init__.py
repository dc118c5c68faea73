"""The HTTP edge: events of API Gateway in, envelopes and headers out, around the rules."""
