"""Read the API of a template: routes, throttles, mocks and gateway responses."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from local.template.intrinsics import function_arn
from local.template.loader import TemplateError
from local.template.models import GatewayResponse, Mock, Route, Throttle
from local.template.properties import refuse_unknown

_METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}
_ANY_METHOD = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
# The ARN of a function, or of its alias, which ends with the alias's name.
_FUNCTION_URI = re.compile(
    r"arn:aws:apigateway:[\w-]+:lambda:path/2015-03-31/functions"
    r"/(arn:aws:lambda:[\w-]+:\d+:function:\w+)(?::\w+)?/invocations"
)
_HEADER_VALUE = re.compile(r"'.*'|context\.[\w.]+|method\.request\.header\.[\w-]+", re.DOTALL)
_TEMPLATE_VARIABLE = re.compile(r"\$(?!context\.[A-Za-z])")


def read_throttles(
    settings: list[dict[str, Any]],
) -> Iterable[tuple[tuple[str, str], Throttle]]:
    """Read MethodSettings; path `/*` and method `*` mean the stage."""
    for setting in settings:
        path = setting["ResourcePath"].replace("~1", "/")
        where = f"MethodSettings of {setting['HttpMethod']} {path}"
        refuse_unknown(
            where,
            setting,
            {"ResourcePath", "HttpMethod", "ThrottlingRateLimit", "ThrottlingBurstLimit"},
        )
        throttle = Throttle(
            float(setting["ThrottlingRateLimit"]), int(setting["ThrottlingBurstLimit"])
        )
        yield (path, setting["HttpMethod"]), throttle


def read_routes(definition: dict[str, Any], functions: Iterable[str]) -> Iterable[Route]:
    """Read the routes of an OpenAPI definition."""
    refuse_unknown("DefinitionBody", definition, {"openapi", "info", "paths"})
    function_of = {function_arn(name): name for name in functions}
    for path, methods in definition["paths"].items():
        for key, operation in methods.items():
            where = f"{key} {path}"
            if key != _ANY_METHOD and key not in _METHODS:
                raise TemplateError(f"{where}: the local runtime does not support this method")
            known = {"description", "operationId", "parameters", "responses", "summary", "tags"}
            refuse_unknown(where, operation, known | {_INTEGRATION})
            method = "ANY" if key == _ANY_METHOD else key.upper()
            target = _target(where, operation[_INTEGRATION], function_of)
            yield Route(path, method, target)


def _target(where: str, integration: dict[str, Any], function_of: Mapping[str, str]) -> str | Mock:
    kind = integration["type"].lower()
    if kind == "aws_proxy":
        refuse_unknown(where, integration, {"type", "httpMethod", "uri", "passthroughBehavior"})
        uri = _FUNCTION_URI.fullmatch(integration["uri"])
        if uri is None or uri.group(1) not in function_of:
            raise TemplateError(f"{where}: {integration['uri']} is not a function of this template")
        return function_of[uri.group(1)]
    if kind == "mock":
        return _mock(where, integration)
    raise TemplateError(f"{where}: the local runtime does not support {kind} integrations")


def _mock(where: str, integration: dict[str, Any]) -> Mock:
    refuse_unknown(
        where, integration, {"type", "passthroughBehavior", "requestTemplates", "responses"}
    )
    if integration.get("passthroughBehavior") != "never":
        raise TemplateError(f"{where}: a mock needs passthroughBehavior: never")
    requests = integration["requestTemplates"]
    statuses = {json.loads(request)["statusCode"] for request in requests.values()}
    responses = integration["responses"]
    if len(statuses) != 1 or set(responses) != {"default"}:
        raise TemplateError(f"{where}: a mock must have one status and one response, `default`")
    response = responses["default"]
    refuse_unknown(where, response, {"statusCode", "responseParameters", "responseTemplates"})
    headers: dict[str, str] = {}
    for name, value in response.get("responseParameters", {}).items():
        prefix, _, header = name.rpartition(".")
        if prefix != "method.response.header":
            raise TemplateError(f"{where}: {name} is not a response header")
        headers[header] = _header_value(where, value)
    return Mock(
        accepts=frozenset(requests),
        status=int(response["statusCode"]),
        headers=headers,
        body=_body(where, response.get("responseTemplates", {})) or "",
    )


def read_gateway_response(name: str, response: dict[str, Any]) -> GatewayResponse:
    """Read a response that overrides one of API Gateway."""
    where = f"Gateway response {name}"
    refuse_unknown(where, response, {"StatusCode", "ResponseParameters", "ResponseTemplates"})
    parameters = response.get("ResponseParameters", {})
    refuse_unknown(where, parameters, {"Headers"})
    status = response.get("StatusCode")
    return GatewayResponse(
        status=None if status is None else int(status),
        headers={
            header: _header_value(where, value)
            for header, value in parameters.get("Headers", {}).items()
        },
        body=_body(where, response.get("ResponseTemplates", {})),
    )


def _header_value(where: str, value: str) -> str:
    if _HEADER_VALUE.fullmatch(value) is None:
        raise TemplateError(f"{where}: the local runtime does not support the header value {value}")
    return value


def _body(where: str, templates: Mapping[str, str]) -> str | None:
    if not templates:
        return None
    if set(templates) != {"application/json"}:
        raise TemplateError(f"{where}: the local runtime supports application/json only")
    body = templates["application/json"]
    if _TEMPLATE_VARIABLE.search(body):
        raise TemplateError(f"{where}: a body may use $context.… variables only")
    return body
