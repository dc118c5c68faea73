"""Rotates the key that signs sessions, in the steps of Secrets Manager."""

from typing import Any

from medianest.core.startup import init_done
from medianest.rotation import service

init_done()


def handler(event: dict[str, str], context: Any) -> None:
    """Run the rotation step that the event names."""
    # Lambda provides boto3. Its import takes 0.1 s, which delays no caller of this function.
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 3})
    service.rotate(
        boto3.client("secretsmanager", config=config),
        step=event["Step"],
        secret=event["SecretId"],
        version=event["ClientRequestToken"],
    )
