"""Creates the stack's secrets in Parameter Store: at each deployment, as a custom resource."""

from typing import Any

from medianest.core.startup import init_done
from medianest.secret_store import deployment

init_done()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Create missing secrets, or delete all; return the response for CloudFormation."""
    # Lambda provides boto3. Its import takes 0.1 s, which delays no caller of this function.
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 3})
    return deployment.respond(
        event,
        context.get_remaining_time_in_millis() / 1000,
        ssm=boto3.client("ssm", config=config),
        cloudformation=boto3.client("cloudformation", config=config),
    )
