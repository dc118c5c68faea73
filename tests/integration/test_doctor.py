"""`make doctor` finds what AWS would refuse, and says what to do about it.

moto plays AWS; it lacks the quota of Lambda and the plan of an account, which the tests set.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID

from tools.doctor import account, inputs, settings
from tools.doctor.__main__ import diagnose, main
from tools.doctor.finding import Check, Deployment, Finding

PLEX = "0123456789abcdef0123456789abcdef01234567"
ARN = f"arn:aws:acm:us-east-1:{DEFAULT_ACCOUNT_ID}:certificate/x"


class Account:
    """An account of moto in a region, with a quota of Lambda and a plan."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.environments = 1000
        self.plan = "PAID"

    def client(self, service: str) -> Any:
        """Return a client, or what moto lacks."""
        name, _, region = service.partition(" ")
        if name == "lambda":
            return Answers(
                get_account_settings={
                    "AccountLimit": dict.fromkeys(
                        ("ConcurrentExecutions", "UnreservedConcurrentExecutions"),
                        self.environments,
                    )
                }
            )
        if name == "freetier":
            return Answers(get_account_plan_state={"accountPlanType": self.plan})
        return boto3.client(name, region_name=region or self.region)


class Answers:
    """A client whose operations have fixed answers."""

    def __init__(self, **answers: Mapping[str, Any]) -> None:
        for name, answer in answers.items():
            setattr(self, name, lambda answer=answer, **_: answer)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Account("eu-west-1")


def deployment(aws: Account, *given: str, profile: str = "hobby", **more: Any) -> Deployment:
    parameters = settings.parameters(profile, given)
    return Deployment(parameters, "medianest", aws.region, aws.client, **more)


def found(check: Check, deployment: Deployment) -> list[Finding]:
    return list(check(deployment))


def one(check: Check, deployment: Deployment) -> tuple[str, str]:
    (finding,) = found(check, deployment)
    return finding.level, finding.text


def test_parameters_are_the_defaults_the_profile_and_those_given() -> None:
    given = settings.parameters("scale", ["PlexServerId=x", "MediaConcurrency=7"])
    assert given["DatabaseMultiAz"] == "true"
    assert given["TmdbLanguage"] == "en-US"
    assert (given["PlexServerId"], given["MediaConcurrency"]) == ("x", "7")
    with pytest.raises(settings.UnknownParameterError, match="PlexServer'"):
        settings.parameters("hobby", ["PlexServer=x"])
    for unknown in ("home", "version"):
        known = f"no profile '{unknown}', but default, hobby, scale"
        with pytest.raises(settings.UnknownParameterError, match=known):
            settings.parameters(unknown, [])


@pytest.mark.parametrize(
    ("region", "mode", "level"),
    [("eu-west-1", "rds", "ok"), ("il-central-1", "aurora", "failure")],
)
def test_a_region_needs_certificates(aws: Account, region: str, mode: str, level: str) -> None:
    aws.region = region
    assert one(account.region, deployment(aws, f"DatabaseMode={mode}"))[0] == level


def test_an_external_database_needs_no_certificate_of_a_region(aws: Account) -> None:
    aws.region = "il-central-1"
    assert found(account.region, deployment(aws, "DatabaseMode=external")) == []


@pytest.mark.parametrize(
    ("environments", "limit", "level"),
    [
        (1000, 0, "ok"),
        (10, 0, "warning"),
        (10, 5, "failure"),
        (1000, 889, "ok"),
        (999, 889, "failure"),
    ],
)
def test_concurrency_limits_fit_the_quota(
    aws: Account, environments: int, limit: int, level: str
) -> None:
    aws.environments = environments
    assert one(account.concurrency, deployment(aws, f"MediaConcurrency={limit}"))[0] == level


def test_a_region_without_room_for_a_vpc_is_a_failure(aws: Account) -> None:
    assert one(account.network, deployment(aws))[0] == "ok"
    ec2 = boto3.client("ec2", region_name=aws.region)
    for number in range(5):
        ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
    level, text = one(account.network, deployment(aws))
    assert level == "failure"
    assert "VPCs" in text
    for cache in ("external", "none"):
        without = deployment(aws, "DatabaseMode=external", f"CacheMode={cache}")
        assert found(account.network, without) == []
    for modes in (("rds", "none"), ("external", "serverless")):
        inside = deployment(aws, f"DatabaseMode={modes[0]}", f"CacheMode={modes[1]}")
        assert one(account.network, inside)[0] == "failure"


def test_gateways_need_addresses(aws: Account) -> None:
    given = ("EgressMode=nat-gateway", "NatPerAz=true")
    assert [each.level for each in found(account.network, deployment(aws, *given))] == ["ok", "ok"]
    ec2 = boto3.client("ec2", region_name=aws.region)
    for _ in range(4):
        ec2.allocate_address(Domain="vpc")
    assert found(account.network, deployment(aws, *given))[1].level == "failure"


@pytest.mark.parametrize(
    ("has", "checked"),
    [
        ({"DatabaseMode": "external", "CacheMode": "none"}, ["VPCs", "addresses"]),
        ({"EgressMode": "nat-instance"}, ["addresses"]),
        ({"NatPerAz": "false"}, ["addresses"]),
        ({}, []),
    ],
)
def test_an_update_is_checked_for_what_the_stack_lacks(
    aws: Account, has: dict[str, str], checked: list[str]
) -> None:
    stack = {
        "StackStatus": "UPDATE_COMPLETE",
        "Parameters": [{"ParameterKey": key, "ParameterValue": has[key]} for key in has],
    }
    stacks = Answers(describe_stacks={"Stacks": [stack]})
    parameters = deployment(aws, "EgressMode=nat-gateway", "NatPerAz=true").parameters

    def client(name: str) -> Any:
        return stacks if name == "cloudformation" else aws.client(name)

    updated = Deployment(parameters, "medianest", aws.region, client)
    texts = [each.text for each in found(account.network, updated)]
    assert [any(word in text for text in texts) for word in checked] == [True] * len(checked)
    assert len(texts) == len(checked)
    assert bool(found(account.zones, updated)) == ("VPCs" in checked)


def test_the_zone_without_functions_is_found(aws: Account) -> None:
    aws.region = "us-east-1"
    listed = boto3.client("ec2", region_name="us-east-1").describe_availability_zones()
    ids = {each["ZoneId"]: each["ZoneName"] for each in listed["AvailabilityZones"]}
    bad, good = ids["use1-az3"], ids["use1-az6"]
    findings = found(account.zones, deployment(aws, f"ZoneA={bad}", f"ZoneB={good}"))
    assert [each.level for each in findings] == ["failure", "ok"]
    assert "add ZoneA=" in findings[0].text
    assert bad not in findings[0].text.partition("add ")[2]
    unknown = found(account.zones, deployment(aws, "ZoneA=us-east-1z", f"ZoneB={good}"))
    assert unknown[0].level == "failure"
    aws.region = "eu-west-1"
    assert {each.level for each in found(account.zones, deployment(aws))} == {"ok"}


@pytest.mark.parametrize(
    ("profile", "given", "told"),
    [
        ("hobby", (), "NatInstanceType=t4g.micro DatabaseBackupDays=1,"),
        ("hobby", ("NatInstanceType=t4g.micro", "DatabaseBackupDays=1"), ""),
        ("hobby", ("EgressMode=nat-gateway", "DatabaseBackupDays=0"), ""),
        (
            "hobby",
            ("NatInstanceType=t4g.small", "DatabaseBackupDays=1", "DatabaseMode=aurora"),
            "add DatabaseMode=rds,",
        ),
        (
            "scale",
            (),
            (
                "add DatabaseBackupDays=1 DatabaseInstanceClass=db.t4g.micro DatabaseMultiAz=false"
                " DatabaseProxy=false,"
            ),
        ),
    ],
)
def test_the_free_plan_needs_other_parameters(
    aws: Account, profile: str, given: tuple[str, ...], told: str
) -> None:
    asked = deployment(aws, *given, profile=profile)
    assert found(account.plan, asked) == []
    aws.plan = "FREE"
    level, text = one(account.plan, asked)
    assert level == ("failure" if told else "ok")
    assert told in text


def test_the_free_plan_has_nothing_against_a_stack_without_a_network(aws: Account) -> None:
    aws.plan = "FREE"
    given = ("DatabaseMode=external", "CacheMode=none", "DatabaseInstanceClass=db.m7g.large")
    assert found(account.plan, deployment(aws, *given)) == []


@pytest.mark.parametrize(
    ("identifier", "level"), [("", "warning"), ("plex.tv", "warning"), (PLEX, "ok")]
)
def test_the_form_of_the_plex_server_is_checked(aws: Account, identifier: str, level: str) -> None:
    assert one(inputs.plex, deployment(aws, f"PlexServerId={identifier}"))[0] == level


@pytest.mark.parametrize(("machine", "level"), [(183, "ok"), (62, "failure"), (None, "failure")])
def test_the_layers_are_built_for_the_processor(
    aws: Account, tmp_path: Path, machine: int | None, level: str
) -> None:
    if machine is not None:
        folder = tmp_path / "DependenciesLayer/python/psycopg_binary"
        folder.mkdir(parents=True)
        head = b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little")
        (folder / "_psycopg.so").write_bytes(head)
    told = one(inputs.build, deployment(aws, build=tmp_path))
    assert told[0] == level
    assert level == "ok" or "make build ARCH=arm64" in told[1]


@pytest.mark.parametrize(
    ("status", "names", "level"),
    [
        ("ISSUED", ["media.example.org"], "ok"),
        ("ISSUED", ["*.example.org"], "ok"),
        ("ISSUED", ["other.example.org"], "failure"),
        ("PENDING_VALIDATION", ["media.example.org"], "failure"),
    ],
)
def test_a_certificate_must_be_issued_for_the_domain(
    aws: Account, status: str, names: list[str], level: str
) -> None:
    described = {"Status": status, "DomainName": names[0], "SubjectAlternativeNames": names}
    certificates = Answers(describe_certificate={"Certificate": described})
    given = ("DomainName=media.example.org", f"CertificateArn={ARN}")
    parameters = deployment(aws, *given).parameters
    found_one = Deployment(parameters, "medianest", "eu-west-1", lambda _: certificates)
    assert one(account.domain, found_one)[0] == level


def test_a_certificate_must_be_in_the_region_that_reads_it(aws: Account) -> None:
    given = ("DomainName=media.example.org", f"CertificateArn={ARN.replace('us-', 'eu-')}")
    assert one(account.domain, deployment(aws, *given)) == (
        "failure",
        "The certificate of media.example.org must be in us-east-1: request one there.",
    )
    assert found(account.domain, deployment(aws)) == []


@pytest.mark.parametrize(
    ("status", "level", "told"),
    [
        ("ROLLBACK_COMPLETE", "failure", "sam delete --stack-name medianest"),
        ("UPDATE_ROLLBACK_FAILED", "failure", "continue-update-rollback"),
        ("UPDATE_IN_PROGRESS", "failure", "wait until it ends"),
        ("REVIEW_IN_PROGRESS", "ok", "does not exist yet"),
        ("UPDATE_COMPLETE", "ok", "would be updated"),
    ],
)
def test_the_state_of_the_stack_allows_a_deployment(
    aws: Account, status: str, level: str, told: str
) -> None:
    stacks = Answers(describe_stacks={"Stacks": [{"StackStatus": status}]})
    parameters = deployment(aws).parameters
    finding = one(account.state, Deployment(parameters, "medianest", "x", lambda _: stacks))
    assert finding[0] == level
    assert told in finding[1]


@pytest.mark.parametrize(
    ("has", "told"),
    [
        ({"DatabaseMode": "aurora"}, "has DatabaseMode=aurora, and DatabaseMode=rds would replace"),
        (
            {"SecretStore": "parameterstore"},
            "and SecretStore=secretsmanager would replace the keys",
        ),
        ({"DatabaseMode": "rds", "SecretStore": "secretsmanager"}, ""),
        ({"KmsKeyArn": "arn:x"}, "has KmsKeyArn=arn:x, and KmsKeyArn= would replace the database"),
        ({"CacheMode": "node"}, ""),
    ],
)
def test_a_change_that_would_lose_data_is_a_failure(
    aws: Account, has: dict[str, str], told: str
) -> None:
    stack = {
        "StackStatus": "UPDATE_COMPLETE",
        "Parameters": [{"ParameterKey": key, "ParameterValue": has[key]} for key in has],
    }
    stacks = Answers(describe_stacks={"Stacks": [stack]})
    parameters = deployment(aws).parameters
    findings = found(account.state, Deployment(parameters, "medianest", "x", lambda _: stacks))
    warnings = [each.text for each in findings if each.level == "warning"]
    assert ["--parameter-overrides CacheMode=node" in each for each in warnings] == (
        [True] if "CacheMode" in has else []
    )
    failures = [each.text for each in findings if each.level == "failure"]
    assert len(failures) == bool(told)
    assert told in "".join(failures)


def test_an_existing_stack_keeps_its_parameters() -> None:
    stack = {
        "Parameters": [
            {"ParameterKey": "PlexServerId", "ParameterValue": PLEX},
            {"ParameterKey": "DatabaseMode", "ParameterValue": "external"},
            {"ParameterKey": "CorsOrigin", "ParameterValue": "*"},
            {"ParameterKey": "TmdbApiKey", "ParameterValue": "****"},
            {"ParameterKey": "OfAnotherRelease", "ParameterValue": "x"},
        ]
    }
    kept = settings.parameters("default", ["LogLevel=DEBUG"], settings.stored(stack))
    assert (kept["PlexServerId"], kept["DatabaseMode"]) == (PLEX, "external")
    assert (kept["CorsOrigin"], kept["TmdbApiKey"], kept["LogLevel"]) == ("*", "", "DEBUG")
    assert "OfAnotherRelease" not in kept
    # A profile sets what it names; that of hobby names nothing.
    assert settings.parameters("scale", [], settings.stored(stack))["DatabaseMode"] == "rds"
    assert settings.parameters("hobby", [], settings.stored(stack))["DatabaseMode"] == "external"
    assert settings.stored(None) == {}


def test_plain_http_is_refused_in_production(aws: Account) -> None:
    assert found(inputs.addresses, deployment(aws)) == []
    plain = "PlexApiUrl=http://127.0.0.1:3002"
    assert one(inputs.addresses, deployment(aws, plain))[0] == "failure"
    assert found(inputs.addresses, deployment(aws, plain, "NodeEnv=development")) == []


def test_all_findings_are_printed_without_the_key(
    aws: Account, tmdb_url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = (f"PlexServerId={PLEX}", "TmdbApiKey=key-of-the-tests")
    code = diagnose(
        deployment(aws, *given, f"TmdbApiUrl={tmdb_url}/3", "NodeEnv=development", build=tmp_path)
    )
    told = capsys.readouterr().out
    assert code == 1
    assert "FAIL  The layers are not built" in told
    assert "ok    TMDB accepts TmdbApiKey." in told
    assert "key-of-the-tests" not in told
    assert told.splitlines()[-1] == "1 failures, 0 warnings"


@pytest.mark.parametrize(("status", "level"), [(401, "failure"), (503, "warning")])
def test_a_key_that_tmdb_does_not_accept_is_told_without_it(
    aws: Account, tmdb_url: str, fault: Callable[..., None], status: int, level: str
) -> None:
    fault(kind="status", status=status)
    told = one(inputs.tmdb, deployment(aws, "TmdbApiKey=wrong-key", f"TmdbApiUrl={tmdb_url}/3"))
    assert (told[0], "wrong-key" in told[1]) == (level, False)


def test_a_tmdb_that_cannot_be_reached_is_a_failure(aws: Account) -> None:
    told = one(inputs.tmdb, deployment(aws, "TmdbApiKey=key", "TmdbApiUrl=http://127.0.0.1:9"))
    assert told == ("failure", "TMDB cannot be reached from here (NewConnectionError).")


def test_a_caller_without_credentials_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert main([]) == 1
    assert "AWS does not know you" in capsys.readouterr().out
    monkeypatch.setenv("AWS_PROFILE", "typo")
    assert main([]) == 1
    assert "(The config profile (typo) could not be found)" in capsys.readouterr().out


def test_the_whole_command_runs_on_an_account(
    aws: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", aws.region)
    assert main(["--profile", "hobby", "PlexServer=x"]) == 1
    assert "template.yaml has no parameter 'PlexServer'." in capsys.readouterr().out
