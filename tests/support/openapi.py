"""Check responses against openapi.json, more strictly than the document requires."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from openapi_schema_validator import OAS30Validator, oas30_format_checker

from local.run_config import PROJECT


def _closed(node: Any) -> Any:
    """Return a copy of a schema in which objects allow only the listed properties."""
    if isinstance(node, list):
        return [_closed(child) for child in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _closed(child) for key, child in node.items()}
    if node.get("type") == "object" and isinstance(node.get("properties"), dict):
        copied.setdefault("additionalProperties", False)
    return copied


DOCUMENT: dict[str, Any] = json.loads(
    (PROJECT / "functions/health/openapi.json").read_text(encoding="utf-8")
)
OPERATIONS: dict[tuple[str, str], dict[str, Any]] = {
    (method.upper(), path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
_PATTERNS = [
    (method, path, re.compile(re.sub(r"\{\w+\}", "[^/]+", path))) for method, path in OPERATIONS
]
# Of the routes whose query has a required parameter.
REQUIRED_QUERY = {
    "/api/media/search": {"q": "matrix"},
    "/api/media/discover": {"list": "popular"},
}
SOME_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"
# The example of the API document for each path parameter; the id is unknown.
SOME_PARAMETERS = {
    parameter["name"]: parameter["example"]
    for operation in OPERATIONS.values()
    for parameter in operation.get("parameters", ())
    if parameter["in"] == "path"
} | {"id": SOME_ID}
_CLOSED = {**DOCUMENT["components"], "schemas": _closed(DOCUMENT["components"]["schemas"])}
_DOCUMENTED_HEADERS = {name.lower() for name in DOCUMENT["components"]["headers"]}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Return the target of a reference in the document, or the node itself."""
    if "$ref" not in node:
        return node
    _, kind, name = node["$ref"].removeprefix("#/").split("/")
    target: dict[str, Any] = DOCUMENT["components"][kind][name]
    return target


def validator(schema: dict[str, Any]) -> OAS30Validator:
    """Return a validator of a schema of the document."""
    return OAS30Validator(
        {"allOf": [_closed(schema)], "components": _CLOSED}, format_checker=oas30_format_checker
    )


def path_of(method: str, url_path: str) -> str | None:
    """Return the documented path that matches a URL path, None if there is none."""
    called = url_path.partition("?")[0]
    for documented_method, path, pattern in _PATTERNS:
        if documented_method == method and pattern.fullmatch(called):
            return path
    return None


def assert_described(
    method: str, path: str, status: int, headers: Mapping[str, str], text: str
) -> None:
    """Fail unless the document describes this response of the route."""
    context = (
        f"{method} {path} {status}: {text[:300]}\nin functions/health/openapi.json (`make docs`)"
    )
    operation = OPERATIONS[method, path]
    assert str(status) in operation["responses"], f"undocumented status: {context}"
    response = resolved(operation["responses"][str(status)])
    received = {name.lower(): value for name, value in headers.items()}
    documented = {name.lower(): resolved(each) for name, each in response["headers"].items()}
    required = {name for name, each in documented.items() if each.get("required")}
    assert (
        required <= received.keys() <= documented.keys() | (received.keys() - _DOCUMENTED_HEADERS)
    ), context
    for name in documented.keys() & received.keys():
        if documented[name]["schema"]["type"] == "integer":
            assert received[name].isdigit(), context
    if "content" not in response:
        assert text == "", context
        return
    media_type, _, charset = received["content-type"].partition("; ")
    assert charset == "charset=utf-8", context
    assert media_type in response["content"], context
    if media_type == "application/json":
        problems = [
            error.message
            for error in _validator(method, path, status).iter_errors(json.loads(text))
        ]
        assert problems == [], context


@cache
def _validator(method: str, path: str, status: int) -> OAS30Validator:
    response = resolved(OPERATIONS[method, path]["responses"][str(status)])
    return validator(response["content"]["application/json"]["schema"])


def concrete(path: str) -> str:
    """Return a route's path with a value for each parameter."""
    return path.format(**SOME_PARAMETERS)
