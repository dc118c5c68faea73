"""The rotation function, called as Secrets Manager calls it; moto emulates Secrets Manager."""

import io
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws
from moto.backends import get_backend

from functions.rotation.app import handler
from medianest.core.signing_keys import jwt_keys
from medianest.rotation.service import RotationError
from tests.support.api import LambdaContext

REGION = "eu-west-1"
UNRELATED_KEY = "qV3_8yXwK0hJ-4bTnE2rLzUaPsC6dGmF"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class RotatedSecret:
    """A secret under rotation, and the part of the rotation that Secrets Manager does itself."""

    def __init__(self, value: str) -> None:
        self.client = boto3.client("secretsmanager", REGION)
        self.arn = self.client.create_secret(Name="jwt", SecretString=value)["ARN"]
        backend = get_backend("secretsmanager")["123456789012"][REGION]
        self._backend_secret: Any = backend.secrets[self.arn]

    def begin(self) -> str:
        """Create the pending version without a value, as each rotation begins; return its id."""
        version = str(uuid4())
        self._backend_secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        self._backend_secret.versions[version] = {
            "createdate": int(time.time()),
            "version_id": version,
            "version_stages": ["AWSPENDING"],
        }
        return version

    def step(self, name: str, version: str) -> None:
        event = {"Step": name, "SecretId": self.arn, "ClientRequestToken": version}
        handler(event, LambdaContext())

    def rotate(self) -> None:
        version = self.begin()
        for name in STEPS:
            self.step(name, version)

    def value(self, stage: str = "AWSCURRENT") -> str:
        response = self.client.get_secret_value(SecretId=self.arn, VersionStage=stage)
        return str(response["SecretString"])

    def state(self) -> dict[str, Any]:
        """Return every version with its labels and value."""
        return {
            version: (sorted(version_data["version_stages"]), version_data.get("secret_string"))
            for version, version_data in self._backend_secret.versions.items()
        }

    def wait(self, *, days: float) -> None:
        """Make the existing versions older."""
        for version_data in self._backend_secret.versions.values():
            version_data["createdate"] -= int(days * 86400)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[RotatedSecret]:
    """Return a secret with the value that the template generates."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield RotatedSecret(json.dumps({"verify": [], "sign": secrets.token_hex(32)}))


def test_rotation_announces_a_key_that_signs_after_the_next_rotation(secret: RotatedSecret) -> None:
    (first,) = jwt_keys(secret.value())
    secret.rotate()
    assert jwt_keys(secret.value())[0] == first
    _, announced = jwt_keys(secret.value())
    secret.wait(days=31)
    secret.rotate()
    sign, fresh, previous = jwt_keys(secret.value())
    assert (sign, previous) == (announced, first)
    assert fresh not in {first, announced}
    assert jwt_keys(secret.value("AWSPREVIOUS")) == (first, announced)


def test_repeated_step_changes_nothing(secret: RotatedSecret) -> None:
    version = secret.begin()
    for number, name in enumerate(STEPS):
        secret.step(name, version)
        after = secret.state()
        for earlier in STEPS[: number + 1]:
            secret.step(earlier, version)
            assert secret.state() == after
    assert after[version][0] == ["AWSCURRENT", "AWSPENDING"]


def test_current_value_changes_only_with_the_last_step(secret: RotatedSecret) -> None:
    before, version = secret.value(), secret.begin()
    for name in STEPS[:-1]:
        secret.step(name, version)
        assert secret.value() == before
    secret.step("finishSecret", version)
    assert secret.value() != before


@pytest.mark.parametrize("name", STEPS)
def test_version_that_is_not_pending_is_refused(secret: RotatedSecret, name: str) -> None:
    first = secret.begin()
    secret.step("createSecret", first)
    secret.begin()
    before = secret.state()
    for version in (first, str(uuid4())):
        with pytest.raises(RotationError, match="not the pending version"):
            secret.step(name, version)
    assert secret.state() == before


def test_unknown_step_is_refused(secret: RotatedSecret) -> None:
    with pytest.raises(RotationError, match="unknown step"):
        secret.step("dropSecret", secret.begin())


def test_keys_younger_than_the_token_lifetime_are_not_rotated(secret: RotatedSecret) -> None:
    secret.rotate()
    secret.wait(days=29.9)
    version = secret.begin()
    before = secret.state()
    with pytest.raises(RotationError, match=r"29\.9 days old"):
        secret.step("createSecret", version)
    assert secret.state() == before
    # Secrets Manager retries until the keys are old enough.
    secret.wait(days=0.2)
    for name in STEPS:
        secret.step(name, version)
    assert len(jwt_keys(secret.value())) == 3


def test_version_without_a_value_passes_the_test_step_and_cannot_be_finished(
    secret: RotatedSecret,
) -> None:
    version, before = secret.begin(), secret.value()
    secret.step("testSecret", version)
    with pytest.raises(RotationError, match="no value"):
        secret.step("finishSecret", version)
    assert secret.value() == before


def test_current_value_as_pending_version_passes_the_test_step(secret: RotatedSecret) -> None:
    version = str(uuid4())
    secret.client.put_secret_value(
        SecretId=secret.arn,
        ClientRequestToken=version,
        SecretString=secret.value(),
        VersionStages=["AWSPENDING"],
    )
    secret.step("testSecret", version)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("canary", ValueError),
        (json.dumps({"sign": UNRELATED_KEY}), RotationError),
        (UNRELATED_KEY, RotationError),
    ],
)
@pytest.mark.parametrize("name", ["testSecret", "finishSecret"])
def test_value_that_would_invalidate_sessions_does_not_become_current(
    secret: RotatedSecret, name: str, value: str, error: type[Exception]
) -> None:
    before, version = secret.value(), str(uuid4())
    secret.client.put_secret_value(
        SecretId=secret.arn,
        ClientRequestToken=version,
        SecretString=value,
        VersionStages=["AWSPENDING"],
    )
    with pytest.raises(error) as caught:
        secret.step(name, version)
    assert "canary" not in str(caught.value)
    assert secret.value() == before


def test_no_key_reaches_a_log(secret: RotatedSecret, logs: io.StringIO) -> None:
    secret.rotate()
    secret.wait(days=31)
    secret.rotate()
    assert logs.getvalue().count('"rotation"') == 2 * len(STEPS)
    for key in jwt_keys(secret.value()):
        assert key not in logs.getvalue()
