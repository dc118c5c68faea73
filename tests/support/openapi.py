"""Check responses against openapi.json, more strictly than the document requires."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from openapi_schema_validator import OAS30Validator, oas30_format_checker

from local.run_config import PROJECT


def _closed(node: Any) -> Any:
    """Return a copy in which objects allow only the listed properties."""
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _closed(each) for key, each in node.items()}
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
_CLOSED = {**DOCUMENT["components"], "schemas": _closed(DOCUMENT["components"]["schemas"])}
_DOCUMENTED_HEADERS = {name.lower() for name in DOCUMENT["components"]["headers"]}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Return the target of a reference in the document, or the node itself."""
    if "$ref" not in node:
        return node
    _, kind, name = node["$ref"].removeprefix("#/").split("/")
    found: dict[str, Any] = DOCUMENT["components"][kind][name]
    return found


def validator(schema: dict[str, Any]) -> OAS30Validator:
    """Return a validator of a schema of the document."""
    return OAS30Validator(
        {"allOf": [_closed(schema)], "components": _CLOSED}, format_checker=oas30_format_checker
    )


def path_of(method: str, address: str) -> str | None:
    """Return the documented path that matches a URL path, None if there is none."""
    for each, path in OPERATIONS:
        pattern = re.sub(r"\{\w+\}", "[^/]+", path)
        if each == method and re.fullmatch(pattern, address.partition("?")[0]):
            return path
    return None


def assert_described(
    method: str, path: str, status: int, headers: Mapping[str, str], text: str
) -> None:
    """Fail unless the document describes this response of the route."""
    where = (
        f"{method} {path} {status}: {text[:300]}\nin functions/health/openapi.json (`make docs`)"
    )
    operation = OPERATIONS[method, path]
    assert str(status) in operation["responses"], f"undocumented status: {where}"
    response = resolved(operation["responses"][str(status)])
    sent = {name.lower(): value for name, value in headers.items()}
    described = {name.lower(): resolved(each) for name, each in response["headers"].items()}
    required = {name for name, each in described.items() if each.get("required")}
    assert required <= sent.keys() <= described.keys() | (sent.keys() - _DOCUMENTED_HEADERS), where
    for name in described.keys() & sent.keys():
        if described[name]["schema"]["type"] == "integer":
            assert sent[name].isdigit(), where
    if "content" not in response:
        assert text == "", where
        return
    media_type, _, charset = sent["content-type"].partition("; ")
    assert charset == "charset=utf-8", where
    assert media_type in response["content"], where
    if media_type == "application/json":
        problems = [
            error.message
            for error in _validator(method, path, status).iter_errors(json.loads(text))
        ]
        assert problems == [], where


@cache
def _validator(method: str, path: str, status: int) -> OAS30Validator:
    response = resolved(OPERATIONS[method, path]["responses"][str(status)])
    return validator(response["content"]["application/json"]["schema"])
