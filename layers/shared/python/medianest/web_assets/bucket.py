"""The bucket of the page: publish a release, delete old ones, empty it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from medianest.web_assets.release import ASSETS, INDEX, Release

# Tabs that were open during a deployment still load files of their release.
KEPT_RELEASES = 3
_MAX_DELETED = 1000  # by one call


class NotDeletedError(Exception):
    """S3 did not delete an object; the message has its error code."""


class PageBucket:
    """A bucket without versions of objects; `s3` is boto3's client."""

    def __init__(self, s3: Any, name: str) -> None:
        self._s3 = s3
        self._name = name

    def publish(self, release: Release) -> None:
        """Store a release; index.html comes last, so it never names a missing file.

        Files that exist are written again: their time says which releases are the latest.
        """
        for key in sorted(release.files, key=lambda each: each == INDEX):
            file = release.files[key]
            self._s3.put_object(
                Bucket=self._name,
                Key=key,
                Body=file.content,
                ContentType=file.content_type,
                CacheControl=file.cache_control,
            )

    def delete_old_releases(self, current: Release) -> None:
        """Delete every release but the current one and the latest others."""
        published: dict[str, datetime] = {}
        keys: dict[str, list[str]] = {}
        for item in self._objects(ASSETS):
            folder = ASSETS + item["Key"].removeprefix(ASSETS).partition("/")[0] + "/"
            keys.setdefault(folder, []).append(item["Key"])
            written = item["LastModified"]
            published[folder] = max(written, published.get(folder, written))
        others = sorted(published.keys() - {current.folder}, key=lambda each: published[each])
        for folder in others[: 1 - KEPT_RELEASES]:
            self._delete(keys[folder])

    def empty(self) -> None:
        """Delete all objects, so that CloudFormation can delete the bucket."""
        self._delete([item["Key"] for item in self._objects("")])

    def _objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._name, Prefix=prefix):
            yield from page.get("Contents", [])

    def _delete(self, keys: list[str]) -> None:
        for start in range(0, len(keys), _MAX_DELETED):
            objects = [{"Key": key} for key in keys[start : start + _MAX_DELETED]]
            response = self._s3.delete_objects(
                Bucket=self._name, Delete={"Objects": objects, "Quiet": True}
            )
            for error in response.get("Errors", []):
                raise NotDeletedError(f"S3 did not delete {error['Key']}: {error['Code']}")
