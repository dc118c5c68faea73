"""The schemas of the API equal the types of the reference.

Other tests check every response against openapi.json (tests/support/openapi.py). A field that
differs from the reference therefore fails one of two tests: of the document here, or of a response.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.openapi import DOCUMENT
from tests.support.reference import TYPES, json_schema

SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
USERS = ["User", "AdminUser"]
REQUESTS = ["MediaRequest", "CreatedRequest", "AdminRequest"]
# Fields that the contract adds to those of the reference.
OF_REQUESTS = {
    "fulfilment?",
    "posterPath?",
    "year?",
    "seasons?",
    "comment?",
    "reason?",
    "processedBy?",
}
ADDED = {
    "User": set[str](),
    "AdminUser": {"status", "quota?"},
    "MediaRequest": OF_REQUESTS,
    "CreatedRequest": OF_REQUESTS | {"skippedSeasons?"},
    "AdminRequest": OF_REQUESTS | {"requester", "processedByName?"},
}


def fields(schema: dict[str, Any]) -> set[str]:
    """Return the fields of a schema as the reference writes them."""
    required = set(schema["required"])
    return {name if name in required else f"{name}?" for name in schema["properties"]}


def assert_type(schema: dict[str, Any], kind: str) -> None:
    """Check that the schema of a field equals the schema of its type."""
    for key, value in json_schema(kind).items():
        assert schema.get(key) == value, (schema, kind)
    if kind != "any":
        assert "anyOf" not in schema, schema
        assert not schema.get("nullable"), schema


@pytest.mark.parametrize(
    ("name", "reference"),
    [*((name, "User") for name in USERS), *((name, "MediaRequest") for name in REQUESTS)],
)
def test_schema_has_the_fields_of_the_reference(name: str, reference: str) -> None:
    assert fields(SCHEMAS[name]) == set(TYPES[reference]) | ADDED[name]
    for field, kind in TYPES[reference].items():
        assert_type(SCHEMAS[name]["properties"][field.rstrip("?")], kind)


def test_pagination_has_the_fields_of_the_reference() -> None:
    assert fields(SCHEMAS["Pagination"]) == set(TYPES["Pagination"])
    for field, kind in TYPES["Pagination"].items():
        assert_type(SCHEMAS["Pagination"]["properties"][field], kind)


def envelopes() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in SCHEMAS.items():
        if "success" in schema.get("properties", {}):
            yield name, schema


@pytest.mark.parametrize(("name", "schema"), list(envelopes()))
def test_envelope_has_only_the_fields_of_the_reference(name: str, schema: dict[str, Any]) -> None:
    allowed = {field.rstrip("?") for field in TYPES["ApiResponse"]}
    assert schema["properties"].keys() <= allowed
    success = schema["properties"]["success"]
    assert success["type"] == "boolean"
    assert success["enum"] == ["data" in schema["properties"]]
    if "error" in schema["properties"]:
        error = schema["properties"]["error"]
        allowed = {field.rstrip("?") for field in TYPES["ApiError"]}
        assert {"code", "message"} <= error["properties"].keys() <= allowed
        assert error["required"] == ["code", "message"]
    if name.endswith("Page"):
        assert schema["properties"]["pagination"] == {"$ref": "#/components/schemas/Pagination"}


def test_every_json_response_has_the_envelope() -> None:
    envelope_references = {f"#/components/schemas/{name}" for name, _ in envelopes()}
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {}).get("application/json")
                if content is None or path == "/api/openapi.json":
                    continue
                assert content["schema"]["$ref"] in envelope_references, (path, status)
