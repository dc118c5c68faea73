"""The function that keeps the secrets of a stack in Parameter Store; moto emulates it."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.backends import get_backend

from functions.secret_store.app import handler
from medianest.core import custom_resource, secrets
from medianest.core.signing_keys import encryption_keys, jwt_keys
from tests.support.custom_resource import CloudFormation, cloud_formation

REGION = "eu-west-1"
FOLDER = "/medianest/medianest"
ALL = ["jwt-secret", "encryption-key", "origin-verify"]
KEY = "key-of-themoviedb"
STATUSES = {
    "Create": "CREATE_IN_PROGRESS",
    "Update": "UPDATE_IN_PROGRESS",
    "Delete": "DELETE_IN_PROGRESS",
}


@dataclass
class Store:
    """The parameters of a stack, and the stack that has them created."""

    ssm: Any
    stack: CloudFormation
    # The stack as moto has it, with its status.
    described: Any
    properties: dict[str, Any] = field(default_factory=dict)

    def call(self, kind: str, status: str = "", **properties: Any) -> dict[str, Any]:
        """Send an event while the stack has a status; by default the one of a stack of its own."""
        self.described.status = status or STATUSES[kind]
        given = {"Folder": FOLDER, "Generated": ALL, "TmdbApiKey": KEY, **properties}
        old = {"OldResourceProperties": self.properties} if kind == "Update" else {}
        self.properties = given
        return self.stack.call(kind, ResourceProperties=given, **old)

    def values(self) -> dict[str, str]:
        found = self.ssm.get_parameters_by_path(Path=FOLDER, WithDecryption=True)["Parameters"]
        assert {each["Type"] for each in found} <= {"SecureString"}
        return {each["Name"].rpartition("/")[2]: each["Value"] for each in found}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        template = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
        created = boto3.client("cloudformation").create_stack(
            StackName="medianest", TemplateBody=template
        )
        event = {
            "RequestId": "1",
            "StackId": created["StackId"],
            "LogicalResourceId": "StoredSecrets",
            "ResourceType": "Custom::StoredSecrets",
        }
        backend = get_backend("cloudformation")["123456789012"][REGION]
        with cloud_formation(handler, event) as stack:
            yield Store(boto3.client("ssm"), stack, backend.stacks[created["StackId"]])


def test_a_new_stack_gets_keys_of_its_own(store: Store) -> None:
    response = store.call("Create")
    assert (response["Status"], response["NoEcho"]) == ("SUCCESS", True)
    assert response["PhysicalResourceId"] == FOLDER
    values = store.values()
    assert values.keys() == {*ALL, "tmdb-api-key"}
    assert len(jwt_keys(values["jwt-secret"])[0]) >= 48
    assert len(encryption_keys(values["encryption-key"])) == 1
    verify = json.loads(values["origin-verify"])
    assert (response["Data"], verify["accept"]) == ({"OriginVerify": verify["send"]}, [])
    assert values["tmdb-api-key"] == KEY
    store.call("Delete")
    store.call("Create")
    assert not set(store.values().values()) - {KEY} & set(values.values())


def test_another_deployment_keeps_the_values_and_returns_the_current_one(store: Store) -> None:
    store.call("Create")
    before = store.values()
    rotated = json.dumps(
        {"send": "n" * 48, "accept": [json.loads(before["origin-verify"])["send"]]}
    )
    store.ssm.put_parameter(
        Name=f"{FOLDER}/origin-verify", Value=rotated, Type="SecureString", Overwrite=True
    )
    response = store.call("Update", Rotation="2026-12-01")
    assert response["Data"] == {"OriginVerify": "n" * 48}
    assert store.values() == before | {"origin-verify": rotated}


def test_only_a_new_parameter_of_the_stack_changes_the_tmdb_key(store: Store) -> None:
    store.call("Create")
    by_hand = {"Name": f"{FOLDER}/tmdb-api-key", "Value": "by hand", "Type": "SecureString"}
    store.ssm.put_parameter(**by_hand, Overwrite=True)
    store.call("Update", Rotation="2026-12-01")
    assert store.values()["tmdb-api-key"] == "by hand"
    store.call("Update", TmdbApiKey="another key")
    assert store.values()["tmdb-api-key"] == "another key"


def test_an_update_does_not_replace_a_key_that_is_missing(store: Store) -> None:
    store.call("Create")
    store.ssm.delete_parameter(Name=f"{FOLDER}/encryption-key")
    response = store.call("Update", Rotation="2026-12-01")
    assert response["Status"] == "FAILED"
    assert f"The parameter {FOLDER}/encryption-key does not exist" in response["Reason"]
    assert "encryption-key" not in store.values()


def test_an_update_may_need_one_more_secret(store: Store) -> None:
    store.call("Create", Generated=["jwt-secret", "encryption-key", ""])
    response = store.call("Update")
    assert response["Data"] == {"OriginVerify": json.loads(store.values()["origin-verify"])["send"]}


def test_only_the_secrets_that_a_stack_needs_are_generated(store: Store) -> None:
    response = store.call("Create", Generated=["", "encryption-key", ""], TmdbApiKey="")
    assert (response["Status"], response["Data"]) == ("SUCCESS", {})
    assert store.values().keys() == {"encryption-key"}


def test_a_deleted_stack_leaves_no_secret_of_its_own(store: Store) -> None:
    store.ssm.put_parameter(Name="/medianest/other/jwt-secret", Value="x", Type="SecureString")
    store.call("Create")
    for _ in range(2):  # CloudFormation may repeat an event
        assert store.call("Delete")["Status"] == "SUCCESS"
    assert store.values() == {}
    assert store.ssm.get_parameter(Name="/medianest/other/jwt-secret")


def test_a_stack_with_data_gets_no_new_keys(store: Store) -> None:
    response = store.call("Create", status="UPDATE_IN_PROGRESS")
    assert response["Status"] == "FAILED"
    assert "SecretStore can be chosen only in the first deployment" in response["Reason"]
    # CloudFormation then removes the resource that it could not create.
    response = store.call("Delete", status="UPDATE_ROLLBACK_IN_PROGRESS")
    assert (response["Status"], store.values()) == ("SUCCESS", {})


def test_a_stack_that_changed_its_store_finds_its_keys_again(store: Store) -> None:
    store.call("Create")
    before = store.values()
    store.call("Delete", status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    assert store.values() == before
    assert store.call("Create", status="UPDATE_IN_PROGRESS")["Status"] == "SUCCESS"
    assert store.values() == before


def test_a_first_deployment_that_fails_leaves_no_secret(store: Store) -> None:
    store.call("Create")
    store.call("Delete", status="ROLLBACK_IN_PROGRESS")
    assert store.values() == {}


def test_functions_read_the_value_by_its_arn(store: Store) -> None:
    store.call("Create")
    arn = f"arn:aws:ssm:{REGION}:123456789012:parameter{FOLDER}/jwt-secret"
    secrets._provider.cache_clear()
    assert secrets._from_aws(arn) == store.values()["jwt-secret"]
    secrets._provider.cache_clear()


def test_a_failure_names_the_code_of_aws_and_no_value(
    store: Store, monkeypatch: pytest.MonkeyPatch, logs: io.StringIO
) -> None:
    call = BaseClient._make_api_call

    def refuse(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "PutParameter" and parameters["Value"] == KEY:
            denied = {"Error": {"Code": "AccessDeniedException", "Message": "arn:… may not"}}
            raise ClientError(denied, operation)
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    response = store.call("Create")
    assert response["Status"] == "FAILED"
    assert response["Reason"] == "AccessDeniedException; see the log of the function"
    assert response["Data"] == {}
    assert KEY not in logs.getvalue()
    assert "custom_resource_failed" in logs.getvalue()


def test_no_value_is_logged(store: Store, logs: io.StringIO) -> None:
    store.call("Create")
    for value in store.values().values():
        assert value not in logs.getvalue()
    assert "secret_created" in logs.getvalue()


def test_a_response_that_does_not_arrive_is_an_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom_resource, "_PAUSES", (0.0,))
    store.stack.statuses = [500]
    with pytest.raises(custom_resource.ResponseNotSentError, match="status 500"):
        store.call("Create")
