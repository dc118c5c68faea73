"""openapi.json: valid, complete, and consistent with the template and the error registry."""

import re
from collections.abc import Iterator
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator

from medianest import VERSION
from medianest.core.error_codes import REGISTRY, ErrorCode
from tests.support.api import ROUTES
from tests.support.cases import case
from tests.support.openapi import DOCUMENT, OPERATIONS, resolved, validator
from tests.support.permissions import PUBLIC


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the parts of an operation that have a schema, each with a description."""
    for parameter in operation.get("parameters", ()):
        yield f"parameter {parameter['name']}", parameter
    if "requestBody" in operation:
        for media_type, content in operation["requestBody"]["content"].items():
            yield f"body {media_type}", content
    for status, response in operation["responses"].items():
        for name, header in resolved(response)["headers"].items():
            yield f"{status} {name}", resolved(header)
        for media_type, content in resolved(response).get("content", {}).items():
            yield f"{status} {media_type}", content


def codes_of(response: dict[str, Any]) -> set[str]:
    return set(resolved(response)["content"]["application/json"]["examples"])


def test_the_document_is_valid_openapi() -> None:
    assert [error.message for error in OpenAPIV30SpecValidator(DOCUMENT).iter_errors()] == []
    assert re.fullmatch(r"3\.0\.\d", DOCUMENT["openapi"])
    assert DOCUMENT["info"]["version"] == VERSION


def test_the_documented_routes_equal_those_of_the_template() -> None:
    assert sorted(OPERATIONS) == ROUTES, "run `make docs`"


def test_every_operation_has_a_description_and_its_security() -> None:
    for (method, path), operation in OPERATIONS.items():
        with case(method, path):
            assert operation["summary"]
            assert operation["description"]
            assert [tag["name"] for tag in DOCUMENT["tags"]].count(operation["tags"][0]) == 1
            for parameter in operation.get("parameters", ()):
                assert parameter["description"]
            by_cookie = ["cookie"] if method == "GET" else ["cookie", "csrf"]
            expected = [] if (method, path) in PUBLIC else [["bearer"], by_cookie]
            assert [list(each) for each in operation["security"]] == expected


def test_operation_ids_are_distinct_words() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)


def test_every_request_and_response_has_a_valid_example() -> None:
    for (method, path), operation in OPERATIONS.items():
        with case(method, path):
            for part, content in contents(operation):
                examples = [
                    resolved(each)["value"] for each in content.get("examples", {}).values()
                ]
                examples += [content["example"]] if "example" in content else []
                assert examples, part
                for example in examples:
                    problems = [
                        error.message for error in validator(content["schema"]).iter_errors(example)
                    ]
                    assert problems == [], part


def test_every_link_names_an_operation_that_accepts_it() -> None:
    by_id = {operation["operationId"]: operation for operation in OPERATIONS.values()}
    for (method, path), operation in OPERATIONS.items():
        with case(method, path):
            for response in operation["responses"].values():
                for link in resolved(response).get("links", {}).values():
                    accepted = {
                        parameter["name"] for parameter in by_id[link["operationId"]]["parameters"]
                    }
                    assert link["parameters"].keys() <= accepted


def test_every_body_rejects_unknown_fields() -> None:
    for (method, path), operation in OPERATIONS.items():
        with case(method, path):
            body = operation.get("requestBody")
            if body is not None:
                schema = resolved(body["content"]["application/json"]["schema"])
                assert schema["additionalProperties"] is False
            assert (body is not None) == ("415" in operation["responses"])


def test_every_operation_documents_its_errors() -> None:
    for (method, path), operation in OPERATIONS.items():
        with case(method, path):
            responses = operation["responses"]
            successes = [status for status in responses if int(status) < 300]
            assert len(successes) == 1
            assert ("content" in responses[successes[0]]) == (successes[0] != "204")
            assert {"400", "405", "413", "429", "500", "504"} <= responses.keys()
            assert ("401" in responses) == ((method, path) not in PUBLIC or path.endswith("/login"))
            assert ("404" in responses) == ("{" in path or path.endswith("/verify"))
            for status, response in responses.items():
                if int(status) >= 400:
                    statuses = {REGISTRY[ErrorCode(code)].status for code in codes_of(response)}
                    assert statuses == {int(status)}
                    assert ("Retry-After" in resolved(response)["headers"]) >= (status == "429")
                    assert ("WWW-Authenticate" in resolved(response)["headers"]) == (
                        status == "401"
                    )
                    assert ("Allow" in resolved(response)["headers"]) == (status == "405")


def test_every_error_code_is_documented() -> None:
    documented: set[str] = set()
    for operation in OPERATIONS.values():
        for status, response in operation["responses"].items():
            documented |= codes_of(response) if int(status) >= 400 else set()
    unused = sorted(set(REGISTRY) - documented)
    assert unused == [], "no route documents them: add them to its documented_errors(…)"
    assert documented == set(REGISTRY)
