"""A deployment to check, and a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import ClientError

from local.run_config import PROJECT
from tools.doctor.settings import stored

type Client = Callable[[str], Any]
type Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack and its region; `client` returns a client of boto3 for a service."""

    parameters: Mapping[str, str]
    stack: str
    region: str
    client: Client
    build: Path = PROJECT / ".aws-sam/build"

    @property
    def has_vpc(self) -> bool:
        """Return whether the stack has a VPC."""
        modes = {self.parameters["DatabaseMode"], self.parameters["CacheMode"]}
        return not modes <= {"external", "none"}

    @property
    def addresses(self) -> int:
        """Return the number of elastic IP addresses of NAT gateways."""
        if not self.has_vpc or self.parameters["EgressMode"] != "nat-gateway":
            return 0
        return 2 if self.parameters["NatPerAz"] == "true" else 1

    @property
    def before(self) -> Deployment | None:
        """Return the stack as it is, None if it does not exist or has no resources to keep."""
        if not self.exists:
            return None
        has = stored(stack_of(self.client, self.stack))
        return replace(self, parameters={**self.parameters, **has})

    @property
    def status(self) -> str | None:
        """Return the state of the stack, None if it does not exist.

        A stack whose first change set was not executed counts as none, as `sam deploy` has it.
        """
        found = stack_of(self.client, self.stack)
        status = None if found is None else str(found["StackStatus"])
        return None if status == "REVIEW_IN_PROGRESS" else status

    @property
    def exists(self) -> bool:
        """Return whether the stack has resources that an update keeps."""
        status = self.status
        return status is not None and not status.startswith(("ROLLBACK", "DELETE"))


def stack_of(client: Client, name: str) -> Mapping[str, Any] | None:
    """Return the description of a stack, None if it does not exist."""
    try:
        found = client("cloudformation").describe_stacks(StackName=name)
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    stack: Mapping[str, Any] = found["Stacks"][0]
    return stack


type Check = Callable[[Deployment], Iterator[Finding]]
