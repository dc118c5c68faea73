"""The parameters of a deployment: the template's defaults, a profile, and those given besides."""

import functools
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from local.run_config import PROJECT
from local.template.loader import load


class UnknownParameterError(Exception):
    """A parameter that the template does not have, or an unknown profile; the message names it."""


def parameters(
    profile: str, given: Sequence[str], stored: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the parameters with which `sam deploy --guided` would deploy.

    `given` has words such as `PlexServerId=…`, `stored` the parameters of an existing stack, which
    `sam deploy` keeps. Raises UnknownParameterError.
    """
    declared = _declared()
    found = {name: str(each.get("Default", "")) for name, each in declared.items()}
    found |= {name: value for name, value in (stored or {}).items() if name in found}
    for word in (*_overrides(profile), *given):
        name, _, value = word.partition("=")
        if name not in declared:
            raise UnknownParameterError(f"template.yaml has no parameter {name!r}")
        found[name] = value.strip('"')
    return found


def stored(stack: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the parameters of an existing stack, without those that AWS does not show."""
    given = [] if stack is None else stack.get("Parameters", [])
    found = {each["ParameterKey"]: each["ParameterValue"] for each in given}
    return {name: value for name, value in found.items() if set(value) != {"*"} or value == "*"}


def stack_name(profile: str) -> str:
    """Return the name of the stack of a profile."""
    return str(_profile(profile)["stack_name"])


@functools.cache
def _declared() -> Mapping[str, Mapping[str, Any]]:
    declared: Mapping[str, Mapping[str, Any]] = load(PROJECT / "template.yaml")["Parameters"]
    return declared


def _overrides(profile: str) -> list[str]:
    overrides = _profile(profile).get("parameter_overrides", [])
    return overrides.split() if isinstance(overrides, str) else list(overrides)


def _profile(profile: str) -> Mapping[str, Any]:
    config = tomllib.loads((PROJECT / "samconfig.toml").read_text(encoding="utf-8"))
    profiles = {name: each for name, each in config.items() if isinstance(each, dict)}
    if profile not in profiles:
        known = ", ".join(profiles)
        raise UnknownParameterError(f"samconfig.toml has no profile {profile!r}, but {known}")
    found: Mapping[str, Any] = profiles[profile]["deploy"]["parameters"]
    return found
