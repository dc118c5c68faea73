"""Generate openapi.json: one OpenAPI 3.0 document of all functions."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, get_args

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from local.run_config import PROJECT
from local.template.reader import read_template
from medianest import VERSION
from medianest.api.dependencies import (
    SAFE_METHODS,
    AdminOnly,
    Authenticated,
    OptionallyAuthenticated,
    SignInOrigin,
)
from medianest.api.rate_limiting import RateLimitedByAddress
from medianest.core.envelope import ApiResponse, page_of
from medianest.core.error_codes import DATABASE_FAILURES, REGISTRY, ErrorCode
from medianest.core.examples import Examples
from medianest.rate_limits.policies import POLICIES
from medianest.rate_limits.sliding_window import HEADERS as RATE_LIMIT_HEADERS
from tools.docs.openapi_components import (
    DETAILS,
    ERROR_HEADERS,
    HEADERS,
    INFO,
    LINKS,
    SECURITY_SCHEMES,
)
from tools.docs.openapi_schema import Converter, Schema, camel_cased, public_name
from tools.docs.routes import Served, served_routes

_JSON = "application/json"
_EVERYWHERE = {
    # Routes reject unknown query parameters; API Gateway rejects malformed calls.
    ErrorCode.VALIDATION_ERROR,
    ErrorCode.METHOD_NOT_ALLOWED,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.RATE_LIMITED,
    ErrorCode.INTERNAL_ERROR,
    ErrorCode.GATEWAY_TIMEOUT,
}
# API Gateway or the middleware responds before the call is counted: no rate-limit headers.
_UNCOUNTED = {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.CONTENT_TOO_LARGE, 504}
# The order on the API page.
_TAGS = ("auth", "plex", "media", "admin", "fulfilment", "health")
_FROM_FASTAPI = {"HTTPValidationError", "ValidationError"}


def openapi_page() -> str:
    """Return the document as JSON text, as it is served."""
    return json.dumps(openapi(), indent=1, ensure_ascii=False) + "\n"


@cache
def openapi() -> dict[str, Any]:
    """Return the document of every route of the template."""
    template = read_template(PROJECT / "template.yaml", opt=PROJECT / ".venv" / "opt")
    return _Document(served_routes(template)).build()


class _Document:
    """Combines what FastAPI derives from the routes with what the routes declare."""

    def __init__(self, routes: Sequence[Served]) -> None:
        self._routes = routes
        self._raw = get_openapi(
            title="MediaNest", version=VERSION, routes=[served.route for served in routes]
        )
        self._definitions: dict[str, Schema] = self._raw["components"]["schemas"]
        self._converter = Converter(self._definitions)
        self._responses: dict[str, Any] = {}

    def build(self) -> dict[str, Any]:
        """Return the document."""
        paths: dict[str, Any] = {}
        for served in self._routes:
            operations = paths.setdefault(served.path, {})
            operations[served.method.lower()] = self._operation(served)
        schemas = {code: _error_schema(code) for code in REGISTRY} | self._schemas()
        return {
            "openapi": "3.0.3",
            "info": {
                "title": "MediaNest",
                "version": VERSION,
                "description": INFO,
                "license": {"name": "MIT"},
            },
            # Relative to the document's URL: /api/openapi.json, with or without a stage.
            "servers": [{"url": "..", "description": "The service that this document comes from"}],
            "tags": [{"name": name, "description": self._about(name)} for name in _TAGS],
            "paths": paths,
            "components": {
                "schemas": dict(sorted(schemas.items())),
                "responses": dict(sorted(self._responses.items())),
                "examples": {code: {"value": _error_example(code)} for code in sorted(REGISTRY)},
                "headers": HEADERS,
                "securitySchemes": SECURITY_SCHEMES,
            },
        }

    def _about(self, folder: str) -> str:
        return next(served.about for served in self._routes if served.folder == folder)

    def _schemas(self) -> dict[str, Schema]:
        found = {}
        for name, schema in self._definitions.items():
            if "properties" in schema and name not in _FROM_FASTAPI:
                is_received = name.endswith("In")
                convert = self._converter.received if is_received else self._converter.sent
                found[public_name(name)] = convert(schema)
        return found

    def _operation(self, served: Served) -> dict[str, Any]:
        raw = self._raw["paths"][served.path][served.method.lower()]
        summary, _, more = camel_cased(raw["description"]).partition("\n\n")
        operation: dict[str, Any] = {
            "tags": [served.folder],
            "operationId": served.operation_id,
            "summary": re.sub(r"\s+", " ", summary).replace("`", "").rstrip("."),
            "description": "\n\n".join(filter(None, (more, _audience(served), _limits(served)))),
        }
        if "parameters" in raw:
            operation["parameters"] = [self._parameter(each) for each in raw["parameters"]]
        if served.route.body_field is not None:
            model = served.route.body_field.field_info.annotation
            operation["requestBody"] = _body(model, raw["requestBody"])
        operation["responses"] = self._success(served, raw) | self._errors(served)
        operation["security"] = _security(served)
        return operation

    def _parameter(self, raw: dict[str, Any]) -> dict[str, Any]:
        schema = self._converter.sent(raw["schema"])
        return {
            "name": raw["name"].title() if raw["in"] == "header" else raw["name"],
            "in": raw["in"],
            "required": raw["required"],
            "description": schema.pop("description"),
            "example": schema.pop("example"),
            "schema": schema,
        }

    def _success(self, served: Served, raw: dict[str, Any]) -> dict[str, Any]:
        status = HTTPStatus(served.route.status_code or HTTPStatus.OK)
        declared = raw["responses"][str(status.value)]
        response: dict[str, Any] = {
            "description": {204: "Done, without a body"}.get(status, status.phrase),
            "headers": _headers(
                [*_declared(served, "headers"), *(RATE_LIMIT_HEADERS if served.policies else ())]
            ),
        }
        for media_type, content in sorted(declared.get("content", {}).items()):
            if "$ref" in content.get("schema", {}):
                schema = self._converter.sent(content["schema"])
                examples = content.get("examples") or _named(
                    _success_examples(served.route.response_model)
                )
            else:
                schema = {"type": "object" if media_type == _JSON else "string"}
                examples = _named({"example": content["example"]})
            response.setdefault("content", {})[media_type] = {
                "schema": schema,
                "examples": examples,
            }
        if served.operation_id in LINKS:
            response["links"] = {name: _link(name) for name in LINKS[served.operation_id]}
        found = {str(status.value): response}
        if str(HTTPStatus.NOT_MODIFIED.value) in raw["responses"]:
            found[str(HTTPStatus.NOT_MODIFIED.value)] = {
                "description": "The caller already has this content (`If-None-Match`); no body",
                "headers": response["headers"],
            }
        return found

    def _errors(self, served: Served) -> dict[str, Any]:
        """Return the error responses, as references: operations share them."""
        by_status: dict[int, list[ErrorCode]] = {}
        for code, spec in REGISTRY.items():
            if code in _codes(served):
                by_status.setdefault(spec.status, []).append(code)
        found = {}
        for status, codes in sorted(by_status.items()):
            is_counted = bool(served.policies) and status not in _UNCOUNTED
            name = ".".join([*codes, *(["limited"] if is_counted else [])])
            self._responses[name] = _error_response(codes, is_counted=is_counted)
            found[str(status)] = _reference("responses", name)
        return found


def _declared(served: Served, what: str) -> Sequence[Any]:
    """Return what a route declares with `api.app.documented_errors`."""
    declared: Sequence[Any] = (served.route.openapi_extra or {}).get(f"x-{what}", ())
    return declared


def _success_examples(model: type[BaseModel]) -> Examples:
    """Return the examples of an envelope; for a list, one example has all items."""
    envelope = model.__pydantic_generic_metadata__
    (data,) = envelope["args"]
    (item,) = get_args(data) or (data,)
    if item is data and envelope["origin"] is ApiResponse:
        return {name: {"success": True, "data": each} for name, each in item.EXAMPLES.items()}
    items = list(item.EXAMPLES.values())
    if envelope["origin"] is ApiResponse:
        return {"example": {"success": True, "data": items}}
    page = page_of(items, page=1, limit=20, total=len(items))
    return {"example": page.model_dump(by_alias=True)}


def _body(model: Any, raw: dict[str, Any]) -> dict[str, Any]:
    content = {
        "schema": _reference("schemas", public_name(model.__name__)),
        "examples": _named(model.EXAMPLES),
    }
    return {"required": raw.get("required", False), "content": {_JSON: content}}


def _codes(served: Served) -> set[ErrorCode]:
    """Return the errors of a route: the declared ones and those of its dependencies."""
    codes = _EVERYWHERE | set(_declared(served, "errors"))
    for call in served.dependencies:
        if isinstance(call, Authenticated | OptionallyAuthenticated | RateLimitedByAddress):
            codes.update(DATABASE_FAILURES)
        if isinstance(call, Authenticated):
            codes.add(ErrorCode.JWT_INVALID)
            if served.method not in SAFE_METHODS:
                codes.add(ErrorCode.CSRF_TOKEN_MISMATCH)
        if isinstance(call, AdminOnly) or call == _called_by(SignInOrigin):
            codes.add(ErrorCode.FORBIDDEN)
    if served.route.dependant.path_params:
        codes.add(ErrorCode.NOT_FOUND)
    if served.route.body_field is not None:
        codes.add(ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    return codes


def _called_by(dependency: Any) -> object:
    return get_args(dependency)[1].dependency


def _security(served: Served) -> list[dict[str, list[str]]]:
    if not any(isinstance(call, Authenticated) for call in served.dependencies):
        return []
    by_cookie: dict[str, list[str]] = {"cookie": []}
    if served.method not in SAFE_METHODS:
        by_cookie["csrf"] = []
    return [{"bearer": []}, by_cookie]


def _audience(served: Served) -> str:
    if any(isinstance(call, AdminOnly) for call in served.dependencies):
        return "For admins."
    return "For signed-in users." if _security(served) else "Public."


def _limits(served: Served) -> str:
    """Return the sentence about the rate-limit policies of a route."""
    limits = [
        f"`{name}`: {POLICIES[name].limit} calls in {POLICIES[name].window} s by {counted_by}"
        for name, counted_by in served.policies
    ]
    return f"Default limits: {'; '.join(limits)}." if limits else ""


def _error_response(codes: Sequence[ErrorCode], *, is_counted: bool) -> dict[str, Any]:
    lines = [f"`{code}`: {REGISTRY[code].message} {REGISTRY[code].remedy}" for code in codes]
    schemas = [_reference("schemas", code) for code in codes]
    return {
        "description": lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines),
        "headers": _headers(
            [
                *(ERROR_HEADERS[code] for code in codes if code in ERROR_HEADERS),
                *(RATE_LIMIT_HEADERS if is_counted else ()),
            ]
        ),
        "content": {
            _JSON: {
                "schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas},
                "examples": {code: _reference("examples", code) for code in codes},
            }
        },
    }


def _error_schema(code: ErrorCode) -> Schema:
    properties: Schema = {
        "code": {"type": "string", "enum": [code]},
        "message": {"type": "string", "description": "A sentence for users, which may change"},
    }
    if code in DETAILS:
        properties["details"] = DETAILS[code][0]
    return {
        "type": "object",
        "description": REGISTRY[code].message,
        "properties": {
            "success": {"type": "boolean", "enum": [False]},
            "error": {
                "type": "object",
                "properties": properties,
                "required": ["code", "message"],
                "additionalProperties": False,
            },
        },
        "required": ["success", "error"],
        "additionalProperties": False,
    }


def _error_example(code: ErrorCode) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": REGISTRY[code].message}
    if code in DETAILS:
        error["details"] = DETAILS[code][1]
    return {"success": False, "error": error}


def _headers(names: Sequence[str]) -> dict[str, Any]:
    return {name: _reference("headers", name) for name in ("X-Request-Id", *names)}


def _reference(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _link(operation_id: str) -> dict[str, Any]:
    return {"operationId": operation_id, "parameters": {"id": "$response.body#/data/id"}}


def _named(examples: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in examples.items()}
