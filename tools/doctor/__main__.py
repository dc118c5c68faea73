"""Check an AWS account and the parameters before a deployment: `make doctor`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tools.doctor import account, inputs, settings
from tools.doctor.finding import Check, Deployment, Finding, stack_of

_CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 2})
CHECKS: tuple[Check, ...] = (
    *(account.region, account.state, account.concurrency, account.plan, account.network),
    *(account.zones, account.access_log, account.domain),
    *(inputs.plex, inputs.tmdb, inputs.addresses, inputs.build),
)
_MARKS = {"ok": "ok  ", "warning": "WARN", "failure": "FAIL"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all checks and return the exit code: 1 if one failed."""
    parser = argparse.ArgumentParser(prog="make doctor")
    parser.add_argument("--profile", default="hobby", help="profile of samconfig.toml")
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    try:
        session = boto3.Session()
        if session.region_name is None:
            _print(Finding("failure", "No region is set: export AWS_DEFAULT_REGION=eu-west-1."))
            return 1
        deployment = _deployment(session, options.profile, options.parameters)
    except settings.UnknownParameterError as error:
        _print(Finding("failure", f"{error}."))
        return 1
    except (ClientError, BotoCoreError) as error:
        reason = str(error).rpartition(": ")[2]
        _print(Finding("failure", f"AWS does not know you ({reason}): run `aws configure`."))
        return 1
    return diagnose(deployment)


def _deployment(session: boto3.Session, profile: str, given: Sequence[str]) -> Deployment:
    """Return what is to be deployed; the first call of AWS tells whether it knows the caller."""

    def client(service: str) -> Any:
        return _client(session, service)

    _print(account.credentials(client))
    stack = settings.stack_name(profile)
    stored = settings.stored(stack_of(client, stack))
    return Deployment(
        settings.parameters(profile, given, stored), stack, str(session.region_name), client
    )


def _client(session: boto3.Session, service: str) -> Any:
    """Return a client; a region after the name of the service replaces the session's."""
    name, _, region = service.partition(" ")
    # The state of the plan is that of the account, in one region.
    region = "us-east-1" if name == "freetier" else region
    return session.client(name, region_name=region or None, config=_CONFIG)


def diagnose(deployment: Deployment) -> int:
    """Print the findings of all checks and return the exit code."""
    levels = []
    for check in CHECKS:
        for finding in _run(check, deployment):
            _print(finding)
            levels.append(finding.level)
    failures, warnings = levels.count("failure"), levels.count("warning")
    print(f"{failures} failures, {warnings} warnings")
    return 1 if failures else 0


def _run(check: Check, deployment: Deployment) -> Iterator[Finding]:
    """Run a check; a call that AWS refuses is a warning, since the check is only a precaution."""
    try:
        yield from check(deployment)
    except (ClientError, BotoCoreError) as error:
        reason = str(error).rpartition(": ")[2]
        yield Finding("warning", f"The check “{check.__name__}” could not run: {reason}")


def _print(finding: Finding) -> None:
    print(f"{_MARKS[finding.level]}  {finding.text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
