"""Load a SAM template and work out its intrinsic functions."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
STACK_NAME = "medianest"
_STACK_ID = "00000000-0000-0000-0000-000000000000"

_NO_VALUE = object()  # what AWS::NoValue leaves behind until the entry that holds it is dropped
_PSEUDO_PARAMETERS: dict[str, Any] = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": STACK_NAME,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/{STACK_NAME}/{_STACK_ID}",
    "AWS::NoValue": _NO_VALUE,
}
_SUBSTITUTION = re.compile(r"\$\{(!?)([^}]*)\}")
_UNSET = re.compile(r"<(the parameter \w+, which has no value|\w+, which only AWS has)>")
_SERVERLESS = "AWS::Serverless::"


class TemplateError(Exception):
    """Something in the template that is wrong, or that the local runtime does not know."""


def unset(value: str) -> str | None:
    """Say from what that is not here `value` was made: a parameter, or a resource of AWS."""
    found = _UNSET.search(value)
    return found.group(1) if found else None


class _Loader(yaml.CSafeLoader):
    """CSafeLoader that also reads the short form of intrinsic functions."""


def _construct_intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        value = loader.construct_sequence(cast("yaml.SequenceNode", node), deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _construct_intrinsic)


def load(path: Path) -> dict[str, Any]:
    """Read a template; the short form `!Ref x` becomes the long form `{"Ref": "x"}`."""
    try:
        document = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    except (OSError, yaml.YAMLError) as error:
        raise TemplateError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise TemplateError(f"{path.name} is not a template")
    return document


def is_intrinsic(value: object) -> bool:
    """Tell an intrinsic function in its long form from a plain mapping."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    name = next(iter(value))
    return name in {"Ref", "Condition"} or (isinstance(name, str) and name.startswith("Fn::"))


class Resolver:
    """Replaces intrinsic functions by their values.

    `parameters` goes before the defaults of the template. A parameter with neither gives a text
    that `unset` knows, and so does a resource that is not run here, such as a secret: a template
    can be read without them.
    """

    def __init__(self, document: dict[str, Any], parameters: Mapping[str, str]) -> None:
        self._conditions: dict[str, Any] = document.get("Conditions", {})
        self._resources: dict[str, Any] = document.get("Resources", {})
        self._parameters = _parameter_values(document.get("Parameters", {}), parameters)
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::Sub": self._sub,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::Select": self._select,
            "Fn::Split": lambda argument: str(self._value(argument[1])).split(argument[0]),
            "Fn::Equals": self._equals,
            "Fn::Not": lambda terms: not self._truth(terms)[0],
            "Fn::And": lambda terms: all(self._truth(terms)),
            "Fn::Or": lambda terms: any(self._truth(terms)),
        }

    def resolve(self, value: Any) -> Any:
        """Return `value` without intrinsic functions and without entries that are AWS::NoValue."""
        resolved = self._value(value)
        return None if resolved is _NO_VALUE else resolved

    def condition(self, name: str) -> bool:
        """Evaluate a condition of the template by its name."""
        if name not in self._conditions:
            raise TemplateError(f"There is no condition {name}")
        return bool(self._value(self._conditions[name]))

    def _value(self, value: Any) -> Any:
        if is_intrinsic(value):
            name, argument = next(iter(value.items()))
            if name not in self._functions:
                raise TemplateError(f"The local runtime does not know the function {name}")
            return self._functions[name](argument)
        if isinstance(value, dict):
            entries = {key: self._value(entry) for key, entry in value.items()}
            return {key: entry for key, entry in entries.items() if entry is not _NO_VALUE}
        if isinstance(value, list):
            return [entry for entry in map(self._value, value) if entry is not _NO_VALUE]
        return value

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO_PARAMETERS:
            return _PSEUDO_PARAMETERS[name]
        if name in self._parameters:
            return self._parameters[name]
        if name in self._resources:
            is_run_here = str(self._resources[name].get("Type")).startswith(_SERVERLESS)
            return name if is_run_here else f"<{name}, which only AWS has>"
        if name.endswith(".Alias"):
            return self._alias(name.removesuffix(".Alias"))
        raise TemplateError(f"!Ref {name}: there is no parameter or resource of that name")

    def _alias(self, name: str) -> str:
        """Return the ARN of the alias that SAM makes of a function."""
        resource = self._resources.get(name, {})
        alias = resource.get("Properties", {}).get("AutoPublishAlias")
        if resource.get("Type") != f"{_SERVERLESS}Function" or alias is None:
            raise TemplateError(f"{name}.Alias: there is no function {name} with AutoPublishAlias")
        return f"{function_arn(name)}:{self.resolve(alias)}"

    def _get_att(self, argument: list[str]) -> str:
        resource, attribute = argument
        if resource not in self._resources:
            raise TemplateError(f"!GetAtt {resource}.{attribute}: there is no such resource")
        kind = str(self._resources[resource].get("Type"))
        if kind == f"{_SERVERLESS}Function" and attribute == "Arn":
            return function_arn(resource)
        is_run_here = kind.startswith(_SERVERLESS)
        return f"{resource}.{attribute}" if is_run_here else f"<{resource}, which only AWS has>"

    def _sub(self, argument: str | list[Any]) -> str:
        text, names = (argument, {}) if isinstance(argument, str) else argument

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in names:
                return str(self.resolve(names[name]))
            if "." in name and not name.endswith(".Alias"):
                return self._get_att(name.split(".", 1))
            return str(self._ref(name))

        return _SUBSTITUTION.sub(replace, text)

    def _if(self, argument: list[Any]) -> Any:
        name, then, otherwise = argument
        return self._value(then if self.condition(name) else otherwise)

    def _select(self, argument: list[Any]) -> Any:
        index, values = int(self._value(argument[0])), self._value(argument[1])
        if not 0 <= index < len(values):
            raise TemplateError(f"!Select {index}: there are {len(values)} values")
        return values[index]

    def _equals(self, argument: list[Any]) -> bool:
        left, right = (str(self._value(side)) for side in argument)
        return left == right

    def _truth(self, terms: list[Any]) -> list[bool]:
        return [bool(self._value(term)) for term in terms]


def function_arn(function_id: str) -> str:
    """Return the ARN under which the local runtime knows a function."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{function_id}"


def _parameter_values(declared: dict[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"The template has no parameter {', '.join(unknown)}")
    values: dict[str, Any] = {}
    for name, parameter in declared.items():
        value = given.get(
            name, parameter.get("Default", f"<the parameter {name}, which has no value>")
        )
        allowed = parameter.get("AllowedValues")
        if name in given and allowed is not None and value not in map(str, allowed):
            raise TemplateError(f"Parameter {name} must be one of {', '.join(map(str, allowed))}")
        values[name] = value
    return values
