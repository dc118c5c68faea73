"""Run-time settings, which an admin can change without a deployment."""
