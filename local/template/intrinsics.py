"""Evaluate CloudFormation's intrinsic functions, conditions and pseudo parameters.

Most of them depend on parameters only. The others depend on resources, which exist only on AWS: a
`ResourceValues` returns their values, or keeps the function unresolved. This lets the emulation
and the tests of the deployment share one resolver.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from local.template.loader import TemplateError, is_intrinsic

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
STACK_NAME = "medianest"
_STACK_ID = "6f0a3f9d-8f1e-4c8e-9a51-5a0c1f0e7d3b"

_NO_VALUE = object()  # AWS::NoValue, until the entry that has it is removed
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


class ResourceValues(Protocol):
    """Resolves the functions that depend on resources.

    A method may return an intrinsic function in its long form; it stays in the result.
    """

    def ref(self, name: str) -> Any:
        """Return the value of `Ref` for a resource."""

    def get_att(self, resource: str, attribute: str) -> Any:
        """Return the value of `Fn::GetAtt`."""

    def call(self, function: str, argument: Any) -> Any:
        """Return the value of a function that the resolver does not implement."""


class Resolver:
    """Replaces intrinsic functions by their values.

    `parameters` has a value for each parameter of the template. A function whose argument depends
    on a resource stays in its long form.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        parameters: Mapping[str, str],
        resources: ResourceValues,
        *,
        region: str = REGION,
    ) -> None:
        self._conditions: Mapping[str, Any] = document.get("Conditions", {})
        self._mappings: Mapping[str, Any] = document.get("Mappings", {})
        self._resources = resources
        declared = document.get("Parameters", {})
        self._known = {
            **_pseudo_parameters(region),
            **{name: _typed(declared[name]["Type"], value) for name, value in parameters.items()},
        }
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Condition": self.condition,
            "Fn::And": lambda terms: all(self._booleans(terms)),
            "Fn::Contains": lambda sides: self._value(sides[1]) in self._value(sides[0]),
            "Fn::Equals": self._equals,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Not": lambda terms: not self._booleans(terms)[0],
            "Fn::Or": lambda terms: any(self._booleans(terms)),
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Ref": self._ref,
        }

    def resolve(self, value: Any) -> Any:
        """Return `value` with its functions replaced and without entries that are AWS::NoValue."""
        resolved = self._value(value)
        return None if resolved is _NO_VALUE else resolved

    def condition(self, name: str) -> bool:
        """Evaluate a condition of the template by its name."""
        if name not in self._conditions:
            raise TemplateError(f"Unknown condition {name}")
        return bool(self._value(self._conditions[name]))

    def _value(self, value: Any) -> Any:
        if is_intrinsic(value):
            ((name, argument),) = value.items()
            if name in self._functions:
                return self._functions[name](argument)
            return self._resources.call(name, self._value(argument))
        if isinstance(value, dict):
            entries = {key: self._value(entry) for key, entry in value.items()}
            return {key: entry for key, entry in entries.items() if entry is not _NO_VALUE}
        if isinstance(value, list):
            return [entry for entry in map(self._value, value) if entry is not _NO_VALUE]
        return value

    def _ref(self, name: str) -> Any:
        return self._known[name] if name in self._known else self._resources.ref(name)

    def _get_att(self, argument: str | list[Any]) -> Any:
        resource, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._resources.get_att(resource, self._value(attribute))

    def _sub(self, argument: str | list[Any]) -> Any:
        text, mapping = (argument, {}) if isinstance(argument, str) else argument
        names = {name: self._value(each) for name, each in mapping.items()}
        unresolved: dict[str, Any] = {}
        is_resolved = True

        def replace(match: re.Match[str]) -> str:
            nonlocal is_resolved
            name = match[1]
            found = names[name] if name in names else self._variable(name)
            if isinstance(found, list):
                raise TemplateError(f"!Sub: {name} is a list")
            if not isinstance(found, dict):
                return str(found)
            is_resolved = False
            if name in names:
                unresolved[name] = found
            return match[0]

        text = _VARIABLE.sub(replace, text)
        if is_resolved:
            return text.replace("${!", "${")
        return {"Fn::Sub": [text, unresolved] if unresolved else text}

    def _variable(self, name: str) -> Any:
        # SAM refers to an alias as `Function.Alias`, which is not an attribute.
        if "." in name and not name.endswith(".Alias"):
            return self._get_att(name)
        return self._ref(name)

    def _if(self, argument: list[Any]) -> Any:
        name, if_true, if_false = argument
        return self._value(if_true if self.condition(name) else if_false)

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = (self._value(each) for each in argument)
        try:
            return self._mappings[name][first][second]
        except KeyError:
            raise TemplateError(f"!FindInMap: unknown entry {name}.{first}.{second}") from None

    def _join(self, argument: list[Any]) -> Any:
        separator, parts = argument[0], self._value(argument[1])
        if isinstance(parts, list) and not any(isinstance(part, dict) for part in parts):
            return separator.join(map(str, parts))
        return {"Fn::Join": [separator, parts]}

    def _select(self, argument: list[Any]) -> Any:
        index, values = int(self._value(argument[0])), self._value(argument[1])
        if not isinstance(values, list):
            return {"Fn::Select": [index, values]}
        if not 0 <= index < len(values):
            raise TemplateError(f"!Select {index}: the list has {len(values)} values")
        return values[index]

    def _split(self, argument: list[Any]) -> Any:
        separator, text = argument[0], self._value(argument[1])
        return text.split(separator) if isinstance(text, str) else {"Fn::Split": [separator, text]}

    def _equals(self, argument: list[Any]) -> bool:
        left, right = (str(self._value(side)) for side in argument)
        return left == right

    def _booleans(self, terms: list[Any]) -> list[bool]:
        return [bool(self._value(term)) for term in terms]


def function_arn(function_id: str) -> str:
    """Return the ARN of a function in the emulated account."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{function_id}"


def queue_arn(queue_id: str) -> str:
    """Return the ARN of a queue in the emulated account."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{queue_id}"


def queue_url(queue_id: str) -> str:
    """Return the URL of a queue in the emulated account."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{queue_id}"


def _pseudo_parameters(region: str) -> dict[str, Any]:
    stack = f"stack/{STACK_NAME}/{_STACK_ID}"
    return {
        "AWS::AccountId": ACCOUNT_ID,
        "AWS::NoValue": _NO_VALUE,
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackId": f"arn:aws:cloudformation:{region}:{ACCOUNT_ID}:{stack}",
        "AWS::StackName": STACK_NAME,
        "AWS::URLSuffix": "amazonaws.com",
    }


def _typed(kind: str, value: str) -> str | list[str]:
    return [each.strip() for each in value.split(",")] if "List" in kind else value
