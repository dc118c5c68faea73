"""Publishes the page into its bucket: at each deployment, as a custom resource."""

from pathlib import Path
from typing import Any

from medianest.core.startup import init_done
from medianest.web_assets import deployment

# In the project a link to the folder `web`; a build copies what it refers to.
_FOLDER = Path(__file__).parent / "web"
init_done()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publish the page, or empty the bucket; return the response for CloudFormation."""
    # Lambda provides boto3. Its import takes 0.1 s, which delays no caller of this function.
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 3})
    return deployment.respond(
        event,
        context.get_remaining_time_in_millis() / 1000,
        s3=boto3.client("s3", config=config),
        cloudfront=boto3.client("cloudfront", config=config),
        folder=_FOLDER,
    )
