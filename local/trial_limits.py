"""Raise the sign-in limits of an embedded database, so that a developer can try things out."""

from collections.abc import Mapping

import psycopg
from psycopg.types.json import Jsonb

from medianest.rate_limits.policies import PolicyName
from medianest.system_config import registry

TRIAL_LIMITS: Mapping[PolicyName, Mapping[str, int]] = {
    "auth": {"limit": 600, "window": 60},
    "plex-pin": {"limit": 600, "window": 300},
}


def set_trial_limits(database_url: str) -> None:
    """Set the higher limits, but keep limits that the database already has."""
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        for policy, value in TRIAL_LIMITS.items():
            connection.execute(
                "INSERT INTO system_config (key, value) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (registry.RATE_LIMITS[policy].key, Jsonb(value)),
            )
