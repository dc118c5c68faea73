"""Resolve template.yaml to the stack that CloudFormation would create for given parameters.

The SAM translator turns it into CloudFormation, as AWS does. This module then evaluates the
conditions and intrinsic functions and drops excluded resources. References to resources stay
unresolved, because no resources exist.
"""

import functools
import json
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.template.intrinsics import ACCOUNT_ID, Resolver
from local.template.loader import load

ROOT = Path(__file__).parents[2]
TRANSLATOR_PYTHON = ROOT / ".venv-translator/bin/python"
ACCOUNT = ACCOUNT_ID
REGION = "eu-west-1"

_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
_UNRESOLVED = {"Fn::GetAZs", "Fn::Cidr", "Fn::Base64"}


class RejectedParametersError(AssertionError):
    """The template's declarations or rules reject these parameters."""


@dataclass(frozen=True)
class Resource:
    """A resource that the stack creates."""

    id: str
    type: str
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any]
    references: frozenset[str]

    def __str__(self) -> str:
        return f"{self.id} ({self.type})"

    def get(self, path: str, default: Any = None) -> Any:
        """Return a property, given as `Outer.Inner`."""
        value: Any = self.properties
        for name in path.split("."):
            if not isinstance(value, Mapping) or name not in value:
                return default
            value = value[name]
        return value


@dataclass(frozen=True)
class Stack:
    """The resolved template for one parameter set."""

    parameters: Mapping[str, str]
    conditions: Mapping[str, bool]
    resources: Mapping[str, Resource]
    outputs: Mapping[str, Any]
    dangling: tuple[str, ...]
    template: Mapping[str, Any] = field(repr=False)

    def of(self, *types: str) -> list[Resource]:
        """Return the resources of these types."""
        return [each for each in self.resources.values() if each.type in types]

    def one(self, kind: str) -> Resource:
        """Return the only resource of a type."""
        (resource,) = self.of(kind)
        return resource

    def dependencies_of(self, resource: Resource) -> set[str]:
        """Return the names of all resources that must exist before a resource."""
        dependencies: set[str] = set()
        unvisited = set(resource.references)
        while unvisited:
            name = unvisited.pop()
            if name in self.resources and name not in dependencies:
                dependencies.add(name)
                unvisited |= self.resources[name].references
        return dependencies

    def resource_of(self, value: Any) -> Resource | None:
        """Return the resource to which a Ref, a GetAtt or a Sub with one reference refers."""
        names = {name for name in references(value) if name in self.resources}
        return self.resources[names.pop()] if len(names) == 1 else None


@functools.cache
def template() -> dict[str, Any]:
    """Return template.yaml, with intrinsic functions in their long form."""
    return load(ROOT / "template.yaml")


def defaults() -> dict[str, str]:
    """Return the parameters that have a default, with their defaults."""
    declared = template()["Parameters"]
    return {name: str(each["Default"]) for name, each in declared.items() if "Default" in each}


def profile(name: str) -> dict[str, str]:
    """Return the parameters that samconfig.toml sets for a profile."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    overrides = config[name]["deploy"]["parameters"].get("parameter_overrides", [])
    assignments: list[str] = overrides.split() if isinstance(overrides, str) else overrides
    pairs = (assignment.partition("=") for assignment in assignments)
    return {name: value.strip('"') for name, _, value in pairs}


def stacks(
    parameter_sets: Mapping[str, Mapping[str, str]], regions: Mapping[str, str]
) -> dict[str, Stack]:
    """Resolve the stack of each parameter set, in its region or in REGION.

    One translation serves all, with unresolved parameters (tests/deploy/test_variants.py).
    """
    (translated,) = translations([defaults()])
    return {
        name: stack(translated, overrides, regions.get(name, REGION))
        for name, overrides in parameter_sets.items()
    }


def stack(
    translated: Mapping[str, Any], overrides: Mapping[str, str], region: str = REGION
) -> Stack:
    """Resolve one stack.

    Raise RejectedParametersError if CloudFormation would reject the parameters.
    """
    parameters = {**defaults(), **overrides}
    check(parameters)
    return resolve(translated, parameters, region)


def translations(parameter_sets: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Translate the template for each parameter set, as AWS does at a deployment."""
    assert TRANSLATOR_PYTHON.exists(), "`make test` and `make deploy-check` install the translator"
    completed = subprocess.run(
        [TRANSLATOR_PYTHON, Path(__file__).with_name("translate.py")],
        input=json.dumps({"template": template(), "parameters": list(parameter_sets)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr[-2000:]
    translated: list[dict[str, Any]] = json.loads(completed.stdout)
    return translated


def check(parameters: Mapping[str, str]) -> None:
    """Raise RejectedParametersError for parameters that violate their declaration or a rule."""
    declared = template()["Parameters"]
    if declared.keys() != parameters.keys():
        unmatched = declared.keys() ^ parameters.keys()
        raise RejectedParametersError(
            f"not declared or without a value: {', '.join(sorted(unmatched))}"
        )
    for name, value in parameters.items():
        if not _is_allowed(declared[name], value):
            raise RejectedParametersError(f"{name} cannot be {value!r}")
    evaluator = _resolver(template(), parameters)
    for name, rule in template().get("Rules", {}).items():
        if evaluator.resolve(rule.get("RuleCondition", True)):
            for assertion in rule["Assertions"]:
                if not evaluator.resolve(assertion["Assert"]):
                    raise RejectedParametersError(f"{name}: {assertion['AssertDescription']}")


def _is_allowed(declared: Mapping[str, Any], value: str) -> bool:
    if value not in [str(each) for each in declared.get("AllowedValues", [value])]:
        return False
    if not re.fullmatch(str(declared.get("AllowedPattern", ".*")), value, re.DOTALL):
        return False
    if declared["Type"] == "Number":
        lowest, highest = declared.get("MinValue", value), declared.get("MaxValue", value)
        return float(lowest) <= float(value) <= float(highest)
    return True


def resolve(
    translated: Mapping[str, Any], parameters: Mapping[str, str], region: str = REGION
) -> Stack:
    """Evaluate the conditions of a translated template and drop the excluded parts."""
    resolver = _resolver(translated, parameters, region)
    conditions = {name: resolver.condition(name) for name in translated.get("Conditions", {})}
    resources: dict[str, Resource] = {}
    for name, definition in translated["Resources"].items():
        if not conditions.get(definition.get("Condition", ""), True):
            continue
        resolved = {
            key: resolver.resolve(value) for key, value in definition.items() if key != "Condition"
        }
        dependencies = resolved.get("DependsOn", [])
        resources[name] = Resource(
            id=name,
            type=definition["Type"],
            properties=resolved.get("Properties", {}),
            attributes={key: value for key, value in resolved.items() if key != "Properties"},
            references=references(resolved)
            | {*([dependencies] if isinstance(dependencies, str) else dependencies)},
        )
    outputs = {
        name: resolver.resolve(definition["Value"])
        for name, definition in translated.get("Outputs", {}).items()
        if conditions.get(definition.get("Condition", ""), True)
    }
    dangling = [
        f"{name} -> {other}"
        for name, resource in resources.items()
        for other in sorted(resource.references - resources.keys())
    ]
    dangling += [
        f"output {name} -> {other}"
        for name, value in outputs.items()
        for other in sorted(references(value) - resources.keys())
    ]
    return Stack(
        parameters=dict(parameters),
        conditions=conditions,
        resources=resources,
        outputs=outputs,
        dangling=tuple(dangling),
        template=translated,
    )


def references(value: Any) -> frozenset[str]:
    """Return the names of the resources to which a resolved value refers."""
    return frozenset(_references(value))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {"Ref"}:
            yield value["Ref"]
        elif set(value) == {"Fn::GetAtt"}:
            argument = value["Fn::GetAtt"]
            yield argument.split(".")[0] if isinstance(argument, str) else argument[0]
        elif set(value) == {"Fn::Sub"}:
            argument = value["Fn::Sub"]
            text, substitutions = (argument, {}) if isinstance(argument, str) else argument
            yield from _references(substitutions)
            for name in _VARIABLE.findall(text):
                if name not in substitutions:
                    yield name.split(".")[0]
        else:
            for each in value.values():
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def walk(value: Any) -> Iterator[Any]:
    """Return a value and every value inside it."""
    yield value
    children: Iterable[Any] = ()
    if isinstance(value, Mapping):
        children = value.values()
    elif isinstance(value, list):
        children = value
    for each in children:
        yield from walk(each)


class _UnresolvedReferences:
    """Leave references unresolved, and functions that need existing resources."""

    def ref(self, name: str) -> Any:
        """Return the reference unresolved."""
        return {"Ref": name}

    def get_att(self, resource: str, attribute: str) -> Any:
        """Return the attribute unresolved."""
        return {"Fn::GetAtt": [resource, attribute]}

    def call(self, function: str, argument: Any) -> Any:
        """Return the call of a function unresolved; only AWS knows its value."""
        assert function in _UNRESOLVED, f"{function} is neither resolved nor listed in _UNRESOLVED"
        return {function: argument}


def _resolver(
    document: Mapping[str, Any], parameters: Mapping[str, str], region: str = REGION
) -> Resolver:
    return Resolver(document, parameters, _UnresolvedReferences(), region=region)
