"""The page's files as a custom resource of a CloudFormation stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medianest.core import custom_resource
from medianest.core.observability import logger
from medianest.web_assets.bucket import NotDeletedError, PageBucket
from medianest.web_assets.release import Release, ReleaseError, read_release

_INVALIDATED = ("/", "/index.html")


def respond(
    event: Mapping[str, Any], seconds: float, *, s3: Any, cloudfront: Any, folder: Path
) -> dict[str, Any]:
    """Publish the page in `folder`, or empty the bucket; send the result to CloudFormation.

    `s3` and `cloudfront` are boto3's clients. Repeating an event has the same result. Raises only
    ResponseNotSentError; the event then goes to the dead-letter queue.
    """
    properties = event["ResourceProperties"]

    def work() -> dict[str, str]:
        if event["RequestType"] == "Delete":
            _empty(s3, properties["Bucket"])
            return {}
        release = read_release(folder)
        _publish(event["RequestId"], s3, cloudfront, properties, release)
        return {"Version": release.version}

    failure, data = custom_resource.attempt(work, seconds, ReleaseError, NotDeletedError)
    # The bucket's name as id: CloudFormation has a previous bucket emptied before it deletes it.
    return custom_resource.respond(
        event, failure=failure, resource_id=properties["Bucket"], data=data
    )


def _publish(
    request_id: str, s3: Any, cloudfront: Any, properties: Mapping[str, str], release: Release
) -> None:
    bucket = PageBucket(s3, properties["Bucket"])
    bucket.publish(release)
    cloudfront.create_invalidation(
        DistributionId=properties["Distribution"],
        InvalidationBatch={
            "Paths": {"Quantity": len(_INVALIDATED), "Items": list(_INVALIDATED)},
            "CallerReference": request_id,  # a repeated event creates no second one
        },
    )
    bucket.delete_old_releases(release)
    logger.info("page_published", extra={"version": release.version, "files": len(release.files)})


def _empty(s3: Any, bucket: str) -> None:
    try:
        PageBucket(s3, bucket).empty()
    except s3.exceptions.NoSuchBucket:
        logger.info("page_bucket_missing", extra={"bucket": bucket})
