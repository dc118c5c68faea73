"""The function that publishes the page; moto emulates S3 and CloudFront."""

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from functions.web_assets import app
from medianest.core import custom_resource
from medianest.web_assets import bucket as bucket_module
from medianest.web_assets.release import Release, read_release
from tests.support.api import ROOT
from tests.support.custom_resource import STACK, CloudFormation, cloud_formation

REGION = "eu-west-1"
BUCKET = "medianest-page"
START = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # as moto has times
DISTRIBUTION = {
    "CallerReference": "1",
    "Comment": "",
    "Enabled": True,
    "Origins": {
        "Quantity": 1,
        "Items": [
            {
                "Id": "page",
                "DomainName": "a.s3.amazonaws.com",
                "S3OriginConfig": {"OriginAccessIdentity": ""},
            }
        ],
    },
    "DefaultCacheBehavior": {
        "TargetOriginId": "page",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    },
}


@dataclass
class Page:
    """A folder with a page, its bucket and its distribution."""

    folder: Path
    s3: Any
    cloudfront: Any
    distribution: str
    stack: CloudFormation
    requests: int = 0

    def write(self, script: str) -> Release:
        (self.folder / "app.js").write_text(script)
        return read_release(self.folder)

    def call(self, kind: str, **properties: Any) -> dict[str, Any]:
        self.requests += 1
        return self.stack.call(kind, **{"RequestId": f"request-{self.requests}", **properties})

    def publish(self, script: str) -> Release:
        release = self.write(script)
        assert self.call("Update")["Status"] == "SUCCESS"
        return release

    def keys(self) -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def invalidations(self) -> list[list[str]]:
        listed = self.cloudfront.list_invalidations(DistributionId=self.distribution)
        return [
            self.cloudfront.get_invalidation(DistributionId=self.distribution, Id=each["Id"])[
                "Invalidation"
            ]["InvalidationBatch"]["Paths"]["Items"]
            for each in listed["InvalidationList"].get("Items", [])
        ]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(app, "_FOLDER", tmp_path)
    monkeypatch.setattr(custom_resource, "_PAUSES", (0.0,))
    # S3 stores whole seconds; between two deployments there are minutes.
    clock = itertools.count()
    monkeypatch.setattr("moto.s3.models.utcnow", lambda: START + timedelta(minutes=next(clock)))
    (tmp_path / "index.html").write_text('<script src="/assets/VERSION/app.js"></script>')
    with mock_aws():
        s3, cloudfront = boto3.client("s3"), boto3.client("cloudfront")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        created = cloudfront.create_distribution(DistributionConfig=DISTRIBUTION)
        distribution = created["Distribution"]["Id"]
        event = {
            "StackId": STACK,
            "LogicalResourceId": "PageFiles",
            "ResourceProperties": {"Bucket": BUCKET, "Distribution": distribution},
        }
        with cloud_formation(app.handler, event) as stack:
            yield Page(tmp_path, s3, cloudfront, distribution, stack)


def test_create_stores_the_page_and_reports_its_version(page: Page) -> None:
    release = page.write("1")
    page.call("Create")
    assert page.stack.response == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": BUCKET,
        "StackId": STACK,
        "RequestId": "request-1",
        "LogicalResourceId": "PageFiles",
        "Data": {"Version": release.version},
        "NoEcho": False,
    }
    assert page.keys() == release.files.keys()
    for key, file in release.files.items():
        stored = page.s3.get_object(Bucket=BUCKET, Key=key)
        assert stored["Body"].read() == file.content
        assert stored["ContentType"] == file.content_type
        assert stored["CacheControl"] == file.cache_control


def test_index_html_is_stored_after_all_files_that_it_names(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    publish = bucket_module.PageBucket.publish

    def recording(self: Any, release: Release) -> None:
        put = self._s3.put_object

        def record(**call: Any) -> Any:
            order.append(call["Key"])
            return put(**call)

        self._s3.put_object = record
        publish(self, release)

    monkeypatch.setattr(bucket_module.PageBucket, "publish", recording)
    (page.folder / "z.js").write_text("1")
    page.publish("1")
    assert len(order) == 3
    assert order[-1] == "index.html"


def test_only_index_html_is_invalidated(page: Page) -> None:
    page.publish("1")
    assert [sorted(paths) for paths in page.invalidations()] == [["/", "/index.html"]]


def test_three_releases_stay_and_index_names_the_latest(page: Page) -> None:
    releases = [page.publish(str(number)) for number in range(5)]
    folders = {key.rpartition("/")[0] + "/" for key in page.keys() - {"index.html"}}
    assert folders == {release.folder for release in releases[-3:]}
    index = page.s3.get_object(Bucket=BUCKET, Key="index.html")["Body"].read()
    assert releases[-1].folder.encode() in index


def test_a_release_that_returns_is_again_among_the_latest(page: Page) -> None:
    first = page.publish("1")
    second, third = page.publish("2"), page.publish("3")
    page.publish("1")
    fourth = page.publish("4")
    folders = {key.rpartition("/")[0] + "/" for key in page.keys() - {"index.html"}}
    assert folders == {first.folder, third.folder, fourth.folder}
    assert second.folder not in folders


def test_repeated_event_changes_nothing(page: Page) -> None:
    page.write("1")
    first = page.call("Create", RequestId="same")
    keys = page.keys()
    assert page.call("Create", RequestId="same") == first
    assert page.keys() == keys


def test_delete_empties_the_bucket_so_that_it_can_be_deleted(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_module, "_MAX_DELETED", 2)
    page.publish("1")
    page.publish("2")
    page.s3.put_object(Bucket=BUCKET, Key="left by hand", Body=b"x")
    assert page.call("Delete")["Status"] == "SUCCESS"
    assert page.keys() == set()
    page.s3.delete_bucket(Bucket=BUCKET)


def test_delete_of_a_bucket_that_is_gone_succeeds(page: Page) -> None:
    page.s3.delete_bucket(Bucket=BUCKET)
    assert page.call("Delete")["Status"] == "SUCCESS"


def test_delete_needs_no_page(page: Page) -> None:
    page.publish("1")
    (page.folder / "index.html").unlink()
    assert page.call("Delete")["Status"] == "SUCCESS"
    assert page.keys() == set()


def test_missing_bucket_fails_the_deployment_with_the_code_of_aws(page: Page) -> None:
    page.s3.delete_bucket(Bucket=BUCKET)
    page.write("1")
    page.call("Create")
    assert page.stack.response["Status"] == "FAILED"
    assert page.stack.response["Reason"] == "NoSuchBucket; see the log of the function"
    assert page.stack.response["PhysicalResourceId"] == BUCKET


def test_unknown_distribution_fails_the_deployment(page: Page) -> None:
    page.write("1")
    properties = {"Bucket": BUCKET, "Distribution": "UNKNOWN"}
    page.call("Update", ResourceProperties=properties)
    assert page.stack.response["Status"] == "FAILED"
    assert page.stack.response["Reason"].startswith("NoSuchDistribution")


def test_folder_without_a_page_fails_and_leaves_the_bucket_as_it_is(page: Page) -> None:
    page.publish("1")
    keys = page.keys()
    (page.folder / "index.html").unlink()
    failed = page.call("Update")
    assert (failed["Status"], failed["Reason"]) == ("FAILED", "the page has no index.html")
    assert page.keys() == keys


def test_object_that_s3_does_not_delete_fails_the_deployment(page: Page) -> None:
    class Refusing:
        exceptions = page.s3.exceptions

        def get_paginator(self, name: str) -> Any:
            return page.s3.get_paginator(name)

        def delete_objects(self, **_: Any) -> dict[str, Any]:
            return {"Errors": [{"Key": "a", "Code": "AccessDenied"}]}

    page.publish("1")
    with pytest.raises(bucket_module.NotDeletedError, match="did not delete a: AccessDenied"):
        bucket_module.PageBucket(Refusing(), BUCKET).empty()


def test_failure_is_answered_in_time(
    page: Page, monkeypatch: pytest.MonkeyPatch, logs: io.StringIO
) -> None:
    def hang(self: Any, release: Release) -> None:
        del self, release
        while True:
            pass

    monkeypatch.setattr(bucket_module.PageBucket, "publish", hang)
    monkeypatch.setattr(custom_resource, "RESPONSE_SECONDS", 299.5)
    page.write("1")
    page.call("Create")
    assert page.stack.response["Status"] == "FAILED"
    assert page.stack.response["Reason"] == "not done in time"
    assert "custom_resource_failed" in logs.getvalue()


def test_bucket_with_another_name_is_another_resource(page: Page) -> None:
    page.publish("1")
    page.s3.create_bucket(Bucket="second", CreateBucketConfiguration={"LocationConstraint": REGION})
    properties = {"Bucket": "second", "Distribution": page.distribution}
    moved = page.call("Update", PhysicalResourceId=BUCKET, ResourceProperties=properties)
    # CloudFormation then deletes the resource with the previous id.
    assert moved["PhysicalResourceId"] == "second"
    page.call("Delete", PhysicalResourceId=BUCKET)
    assert page.keys() == set()
    with pytest.raises(ClientError):
        page.s3.head_object(Bucket=BUCKET, Key="index.html")
    page.s3.head_object(Bucket="second", Key="index.html")


def test_function_publishes_the_folder_of_the_project() -> None:
    folder = Path(app.__file__).parent / "web"
    assert folder.resolve() == ROOT / "web"
    assert read_release(folder) == read_release(ROOT / "web")
