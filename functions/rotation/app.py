"""Rotates the key that signs sessions, step by step as Secrets Manager asks for it."""

from typing import Any

from medianest.rotation import service


def handler(event: dict[str, str], context: Any) -> None:
    """Take the step that the event names."""
    # It is there on AWS, and costs a tenth of a second that nobody waits for here.
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 3})
    service.rotate(
        boto3.client("secretsmanager", config=config),
        step=event["Step"],
        secret=event["SecretId"],
        version=event["ClientRequestToken"],
    )
