"""Values for the parameters and resources of the emulated stack."""

from collections.abc import Mapping
from typing import Any, Never

from local.template.intrinsics import function_arn, queue_arn, queue_url
from local.template.loader import TemplateError
from local.template.placeholders import parameter_placeholder, resource_placeholder

_SERVERLESS = "AWS::Serverless::"
_QUEUE = "AWS::SQS::Queue"


class EmulatedResources:
    """Names and ARNs of the resources of a SAM template.

    A resource that is not emulated, such as a secret, gets a placeholder.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._resources: Mapping[str, Any] = document.get("Resources", {})

    def ref(self, name: str) -> str:
        """Return the name of a resource, the URL of a queue, or the ARN of a function's alias."""
        if name in self._resources:
            if self._type(name) == _QUEUE:
                return queue_url(name)
            is_emulated = self._type(name).startswith(_SERVERLESS)
            return name if is_emulated else resource_placeholder(name)
        if name.endswith(".Alias"):
            return self._alias(name.removesuffix(".Alias"))
        raise TemplateError(f"!Ref {name}: unknown parameter or resource")

    def get_att(self, resource: str, attribute: str) -> str:
        """Return an attribute of a resource."""
        if resource not in self._resources:
            raise TemplateError(f"!GetAtt {resource}.{attribute}: unknown resource")
        kind = self._type(resource)
        if kind == f"{_SERVERLESS}Function" and attribute == "Arn":
            return function_arn(resource)
        if kind == _QUEUE:
            return queue_arn(resource) if attribute == "Arn" else resource
        is_emulated = kind.startswith(_SERVERLESS)
        return f"{resource}.{attribute}" if is_emulated else resource_placeholder(resource)

    def call(self, function: str, argument: object) -> Never:
        """Reject a function that needs AWS."""
        del argument
        raise TemplateError(f"The local runtime does not support the function {function}")

    def _alias(self, name: str) -> str:
        """Return the ARN of the alias that SAM creates for a function."""
        resource = self._resources.get(name, {})
        alias = resource.get("Properties", {}).get("AutoPublishAlias")
        if resource.get("Type") != f"{_SERVERLESS}Function" or not isinstance(alias, str):
            raise TemplateError(f"{name}.Alias: no function {name} has AutoPublishAlias")
        return f"{function_arn(name)}:{alias}"

    def _type(self, name: str) -> str:
        return str(self._resources[name].get("Type"))


def parameter_values(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Return a value for each parameter: from `given`, its default, or a placeholder."""
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"The template has no parameter {', '.join(unknown)}")
    for name, value in given.items():
        allowed = declared[name].get("AllowedValues")
        if allowed is not None and value not in map(str, allowed):
            raise TemplateError(f"Parameter {name} must be one of {', '.join(map(str, allowed))}")
    return {
        name: given.get(name, str(parameter.get("Default", parameter_placeholder(name))))
        for name, parameter in declared.items()
    }
