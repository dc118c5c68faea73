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
SAM_PYTHON = ROOT / ".venv-sam/bin/python"
ACCOUNT = ACCOUNT_ID
REGION = "eu-west-1"

_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
_UNRESOLVED = {"Fn::GetAZs", "Fn::Cidr", "Fn::Base64"}


class RefusedError(AssertionError):
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
        found: Any = self.properties
        for name in path.split("."):
            if not isinstance(found, Mapping) or name not in found:
                return default
            found = found[name]
        return found


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
        (found,) = self.of(kind)
        return found

    def dependencies_of(self, resource: Resource) -> set[str]:
        """Return the names of all resources that must exist before a resource."""
        found: set[str] = set()
        left = set(resource.references)
        while left:
            name = left.pop()
            if name in self.resources and name not in found:
                found.add(name)
                left |= self.resources[name].references
        return found

    def resource_of(self, value: Any) -> Resource | None:
        """Return the resource to which a Ref, a GetAtt or a Sub with one reference refers."""
        names = {name for name in references(value) if name in self.resources}
        return self.resources[names.pop()] if len(names) == 1 else None


@functools.cache
def template() -> dict[str, Any]:
    """Return template.yaml, with intrinsic functions in their long form."""
    return load(ROOT / "template.yaml")


def defaults() -> dict[str, str]:
    """Return the parameters that need no value."""
    declared = template()["Parameters"]
    return {name: str(each["Default"]) for name, each in declared.items() if "Default" in each}


def profile(name: str) -> dict[str, str]:
    """Return the parameters that samconfig.toml sets for a profile."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    given = config[name]["deploy"]["parameters"]["parameter_overrides"]
    words: list[str] = given.split() if isinstance(given, str) else given
    pairs = (word.partition("=") for word in words)
    return {name: value.strip('"') for name, _, value in pairs}


def stacks(parameter_sets: Mapping[str, Mapping[str, str]]) -> dict[str, Stack]:
    """Resolve the stack of each parameter set.

    One translation serves all: it keeps the parameters unresolved (tests/deploy/test_ways.py).
    """
    (translated,) = translations([defaults()])
    return {name: stack(translated, own) for name, own in parameter_sets.items()}


def stack(translated: Mapping[str, Any], given: Mapping[str, str]) -> Stack:
    """Resolve one stack; raise RefusedError if CloudFormation would reject the parameters."""
    parameters = {**defaults(), **given}
    check(parameters)
    return resolve(translated, parameters)


def translations(parameter_sets: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Translate the template for each parameter set, as AWS does at a deployment."""
    assert SAM_PYTHON.exists(), "make sam installs the translator"
    done = subprocess.run(
        [SAM_PYTHON, Path(__file__).with_name("translate.py")],
        input=json.dumps({"template": template(), "parameters": list(parameter_sets)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    translated: list[dict[str, Any]] = json.loads(done.stdout)
    return translated


def check(parameters: Mapping[str, str]) -> None:
    """Raise RefusedError for parameters that violate their declaration or a rule."""
    declared = template()["Parameters"]
    if declared.keys() != parameters.keys():
        unmatched = declared.keys() ^ parameters.keys()
        raise RefusedError(f"not declared or without a value: {', '.join(sorted(unmatched))}")
    for name, value in parameters.items():
        if not _fits(declared[name], value):
            raise RefusedError(f"{name} cannot be {value!r}")
    evaluator = _resolver(template(), parameters)
    for name, rule in template().get("Rules", {}).items():
        if evaluator.resolve(rule.get("RuleCondition", True)):
            for assertion in rule["Assertions"]:
                if not evaluator.resolve(assertion["Assert"]):
                    raise RefusedError(f"{name}: {assertion['AssertDescription']}")


def _fits(declared: Mapping[str, Any], value: str) -> bool:
    if value not in [str(each) for each in declared.get("AllowedValues", [value])]:
        return False
    if not re.fullmatch(str(declared.get("AllowedPattern", ".*")), value, re.DOTALL):
        return False
    if declared["Type"] == "Number":
        lowest, highest = declared.get("MinValue", value), declared.get("MaxValue", value)
        return float(lowest) <= float(value) <= float(highest)
    return True


def resolve(translated: Mapping[str, Any], parameters: Mapping[str, str]) -> Stack:
    """Evaluate the conditions of a translated template and drop the excluded parts."""
    resolver = _resolver(translated, parameters)
    conditions = {name: resolver.condition(name) for name in translated.get("Conditions", {})}
    resources: dict[str, Resource] = {}
    for name, each in translated["Resources"].items():
        if not conditions.get(each.get("Condition", ""), True):
            continue
        made = {key: resolver.resolve(part) for key, part in each.items() if key != "Condition"}
        depends = made.get("DependsOn", [])
        resources[name] = Resource(
            id=name,
            type=each["Type"],
            properties=made.get("Properties", {}),
            attributes={key: part for key, part in made.items() if key != "Properties"},
            references=references(made) | {*([depends] if isinstance(depends, str) else depends)},
        )
    outputs = {
        name: resolver.resolve(each["Value"])
        for name, each in translated.get("Outputs", {}).items()
        if conditions.get(each.get("Condition", ""), True)
    }
    dangling = [
        f"{name} -> {other}"
        for name, each in resources.items()
        for other in sorted(each.references - resources.keys())
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
            text, own = (argument, {}) if isinstance(argument, str) else argument
            yield from _references(own)
            for name in _VARIABLE.findall(text):
                if name not in own:
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
    inner: Iterable[Any] = ()
    if isinstance(value, Mapping):
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    for each in inner:
        yield from walk(each)


class _UnresolvedReferences:
    """Keep references and functions unresolved that need existing resources."""

    def ref(self, name: str) -> Any:
        """Return the reference unresolved."""
        return {"Ref": name}

    def get_att(self, resource: str, attribute: str) -> Any:
        """Return the attribute unresolved."""
        return {"Fn::GetAtt": [resource, attribute]}

    def call(self, function: str, argument: Any) -> Any:
        """Return a function unresolved whose value only AWS knows."""
        assert function in _UNRESOLVED, f"no rule for {function}"
        return {function: argument}


def _resolver(document: Mapping[str, Any], parameters: Mapping[str, str]) -> Resolver:
    return Resolver(document, parameters, _UnresolvedReferences(), region=REGION)
