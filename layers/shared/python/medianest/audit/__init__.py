"""The audit log: actor, action, target, time and IP address of security-relevant events."""
