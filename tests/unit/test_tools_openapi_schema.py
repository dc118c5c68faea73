"""Conversion of pydantic's JSON Schema to OpenAPI 3.0."""

from typing import Any

import pytest

from tools.docs.openapi_schema import Converter, camel_cased, public_name

NULL = {"type": "null"}
DEFINITIONS: dict[str, dict[str, Any]] = {
    "Role": {"type": "string", "enum": ["admin", "user"]},
    "QuotaIn": {
        "title": "QuotaIn",
        "type": "object",
        "properties": {
            "limit": {"anyOf": [{"type": "integer"}, NULL], "description": "How many"},
        },
        "required": ["limit"],
        "additionalProperties": False,
    },
}
CONVERTER = Converter(DEFINITIONS)
QUOTA = {
    "type": "object",
    "properties": {"limit": {"type": "integer", "nullable": True, "description": "How many"}},
    "required": ["limit"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "title": "Name"}, {"type": "string"}),
        ({"type": "boolean", "const": True}, {"type": "boolean", "enum": [True]}),
        ({"type": "string", "examples": ["a"]}, {"type": "string", "example": "a"}),
        (
            {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 2147483648.0},
            {"type": "integer", "minimum": 1, "maximum": 2147483647},
        ),
        (
            {"type": "integer", "ge": 1, "le": 100},
            {"type": "integer", "minimum": 1, "maximum": 100},
        ),
        ({"type": "integer", "gt": 0, "lt": 9}, {"type": "integer", "minimum": 1, "maximum": 8}),
        ({"$ref": "#/components/schemas/Role"}, {"type": "string", "enum": ["admin", "user"]}),
        (
            {"$ref": "#/components/schemas/Role", "default": "user"},
            {"type": "string", "enum": ["admin", "user"], "default": "user"},
        ),
        (
            {"type": "array", "items": {"$ref": "#/components/schemas/QuotaIn"}},
            {"type": "array", "items": {"$ref": "#/components/schemas/QuotaIn"}},
        ),
        (
            {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        ),
        # Items and unnamed values are nullable in both directions.
        (
            {"type": "array", "items": {"anyOf": [{"type": "integer"}, NULL]}},
            {"type": "array", "items": {"type": "integer", "nullable": True}},
        ),
        (
            {"type": "object", "additionalProperties": {"anyOf": [{"type": "integer"}, NULL]}},
            {"type": "object", "additionalProperties": {"type": "integer", "nullable": True}},
        ),
    ],
)
def test_a_schema_is_converted_equally_for_requests_and_responses(
    schema: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert CONVERTER.sent(schema) == expected
    assert CONVERTER.received(schema) == expected


@pytest.mark.parametrize(
    ("schema", "sent", "received"),
    [
        (
            {"anyOf": [{"type": "string"}, NULL], "default": None},
            {"type": "string"},
            {"type": "string", "nullable": True},
        ),
        # A nullable enumeration must list null, or validators reject it.
        (
            {"anyOf": [{"$ref": "#/components/schemas/Role"}, NULL]},
            {"type": "string", "enum": ["admin", "user"]},
            {"type": "string", "enum": ["admin", "user", None], "nullable": True},
        ),
        # OpenAPI 3.0 ignores the siblings of a $ref, so the schema is copied.
        (
            {"anyOf": [{"$ref": "#/components/schemas/QuotaIn"}, NULL]},
            {"$ref": "#/components/schemas/QuotaIn"},
            QUOTA | {"nullable": True},
        ),
        (
            {"anyOf": [{"type": "integer"}, {"type": "string"}, NULL]},
            {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            {
                "anyOf": [
                    {"type": "integer", "nullable": True},
                    {"type": "string", "nullable": True},
                ]
            },
        ),
    ],
)
def test_a_nullable_field_is_optional_in_a_response(
    schema: dict[str, Any], sent: dict[str, Any], received: dict[str, Any]
) -> None:
    assert CONVERTER.sent(schema) == sent
    assert CONVERTER.received(schema) == received
    assert DEFINITIONS["Role"]["enum"] == ["admin", "user"]


def test_a_field_with_a_default_is_required_in_a_response() -> None:
    schema = {
        "title": "Answer",
        "type": "object",
        "properties": {
            "role": {
                "$ref": "#/components/schemas/Role",
                "default": "user",
                "description": "The role",
            },
            "limit": {"type": "integer", "description": "At most"},
        },
        "required": ["limit"],
    }
    role = {"type": "string", "enum": ["admin", "user"], "description": "The role"}
    limit = {"type": "integer", "description": "At most"}
    sent = {"type": "object", "properties": {"role": role, "limit": limit}}
    assert CONVERTER.sent(schema) == sent | {"required": ["role", "limit"]}
    sent["properties"] = {"role": role | {"default": "user"}, "limit": limit}
    assert CONVERTER.received(schema) == sent | {"required": ["limit"]}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "prefixItems": [{"type": "integer"}]},
        {"type": "string", "contentMediaType": "application/json"},
        {"type": "object", "patternProperties": {"^x": {}}},
        {"type": "string", "examples": ["a", "b"]},
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "array", "items": {"not": {}}},
    ],
)
def test_a_schema_that_openapi_3_0_cannot_express_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"OpenAPI 3\.0|only whole numbers"):
        CONVERTER.sent(schema)


def test_a_property_without_a_description_is_refused() -> None:
    schema = {"title": "New", "type": "object", "properties": {"size": {"type": "string"}}}
    with pytest.raises(ValueError, match=r"New\.size has no description"):
        CONVERTER.sent(schema)


def test_a_property_that_is_a_model_is_described_by_the_model() -> None:
    quota = {"$ref": "#/components/schemas/QuotaIn"}
    schema = {"title": "New", "type": "object", "properties": {"quota": quota}}
    assert CONVERTER.sent(schema) == {"type": "object", "properties": {"quota": quota}}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("UserOut", "User"),
        ("RequestOut", "MediaRequest"),
        ("RequestIn", "RequestIn"),
        ("Pagination", "Pagination"),
        ("ApiResponse_UserOut_", "UserResponse"),
        ("ApiResponse_list_SessionOut__", "SessionList"),
        ("PageResponse_RequestOut_", "MediaRequestPage"),
    ],
)
def test_models_have_public_names(name: str, expected: str) -> None:
    assert public_name(name) == expected


def test_field_names_in_descriptions_are_in_camel_case() -> None:
    assert camel_cased("Open `auth_url`, or snake_case") == "Open `authUrl`, or snake_case"
