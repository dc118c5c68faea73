"""`sam deploy` of a stack without a cache whose secrets are all in Parameter Store."""

import json
from typing import Any

import pytest

from tests.support.deployment import Deployment, calls
from tests.support.rie import app_url

FOLDER = "/medianest/medianest"
ADDRESSES = {
    "DatabaseUrlSecretArn": "application",
    "MigrationsDatabaseUrlSecretArn": "owner",
}


@pytest.fixture(scope="module")
def deployed(stack: Deployment) -> Deployment:
    """Deploy once for all tests of this file."""
    secrets = stack.aws.client("secretsmanager")
    for name in ("application", "owner", "cache"):
        secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    del stack.parameters["RedisUrlSecretArn"]
    ssm = stack.aws.client("ssm")
    for parameter, name in ADDRESSES.items():
        value = stack.database_url if name == "owner" else app_url(stack.database_url)
        ssm.put_parameter(Name=f"/{name}", Value=value, Type="SecureString")
        arn = ssm.get_parameter(Name=f"/{name}")["Parameter"]["ARN"]
        stack.parameters[parameter] = arn
    stack.parameters |= stack.upstreams
    stack.parameters |= {"CacheMode": "none", "SecretStore": "parameterstore"}
    output = stack.deploy()
    assert not output, output[-3000:]
    return stack


def values(deployed: Deployment) -> dict[str, str]:
    """Return the values in the folder of the stack."""
    found = deployed.aws.client("ssm").get_parameters_by_path(Path=FOLDER, WithDecryption=True)
    assert {each["Type"] for each in found["Parameters"]} == {"SecureString"}
    return {each["Name"].rpartition("/")[2]: each["Value"] for each in found["Parameters"]}


def header_of_distribution(deployed: Deployment) -> Any:
    """Return the header that CloudFront sends to the API."""
    config = deployed.aws.client("cloudfront").get_distribution_config(
        Id=deployed.resource("Distribution")
    )["DistributionConfig"]
    (api,) = (each for each in config["Origins"]["Items"] if each["Id"] == "api")
    (header,) = api["CustomHeaders"]["Items"]
    return header["HeaderValue"]


def test_the_stack_has_no_secret_in_secrets_manager(deployed: Deployment) -> None:
    assert "secretsmanager" not in deployed.left()
    assert values(deployed).keys() == {
        "jwt-secret",
        "encryption-key",
        "origin-verify",
        "tmdb-api-key",
    }
    assert header_of_distribution(deployed) == json.loads(values(deployed)["origin-verify"])["send"]


def test_functions_read_their_secrets_with_the_permissions_of_their_roles(
    deployed: Deployment,
) -> None:
    token = deployed.sign_in("sam")
    found = deployed.call("GET", "/api/media/search?q=matrix&type=movie", token=token)
    assert found.status == 200, found.text
    assert deployed.call_directly("GET", "/api/health").status == 403
    health = deployed.call("GET", "/api/health")
    assert {each["status"] for each in health.data["checks"].values()} == {"healthy", "none"}


def test_an_update_keeps_the_secrets_and_the_sessions(deployed: Deployment) -> None:
    before, token = values(deployed), deployed.sign_in("erin")
    with calls(lambda: deployed.call("GET", "/api/auth/me", token=token).status, pause=1) as found:
        output = deployed.deploy(OriginVerifyRotation="2026-12-01", TmdbApiKey="another-key")
    assert not output, output[-3000:]
    assert set(found) == {200}
    assert values(deployed) == before | {"tmdb-api-key": "another-key"}


def test_no_reason_output_template_or_configuration_has_a_secret(deployed: Deployment) -> None:
    template = deployed.aws.client("cloudformation").get_template(StackName="medianest")
    shown = json.dumps(
        [deployed.events(), deployed.outputs, template, deployed.functions()], default=str
    )
    for name, value in values(deployed).items():
        parts = json.loads(value).values() if value.startswith("{") else [value]
        assert not [each for each in parts if each and each in shown], name


def test_a_deletion_leaves_no_secret_of_the_stack(deployed: Deployment) -> None:
    deployed.delete()
    left = deployed.aws.client("ssm").describe_parameters()["Parameters"]
    assert sorted(each["Name"] for each in left) == ["/application", "/owner"]
    assert deployed.left() == {"iam": ["AccessLogWriter"]}
