"""Invalid and unusual values in the parameters and bodies of all routes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests.integration.test_edge import DOCUMENTS, snapshot
from tests.support.api import ROUTES, Answer, call
from tests.support.cases import case
from tests.support.openapi import OPERATIONS, REQUIRED_QUERY, SOME_ID, concrete

type Db = psycopg.Connection[tuple[Any, ...]]

# Every query parameter of every route, with its schema.
PARAMETERS = [
    (path, parameter["name"], parameter["schema"])
    for (_, path), operation in OPERATIONS.items()
    for parameter in operation.get("parameters", [])
    if parameter["in"] == "query"
]
NUMBERS = [each for each in PARAMETERS if each[2]["type"] == "integer"]
CHOICES = [each for each in PARAMETERS if "enum" in each[2]]
IDS = [each for each in PARAMETERS if each[2].get("format") == "uuid"]
TEXTS = [each for each in PARAMETERS if not {"enum", "format", "minimum"} & each[2].keys()]
INVALID_NUMBERS = [
    *("", " ", "x", "1e3", "1.0", "1,0", "1_0", "0x10", "+1", " 1", "1 ", "--1", "true", "null"),
    *("١٢", "\uff11", "²", "1\0", "1;2", "NaN", "Infinity", "9" * 5000),
]
INVALID_IDS = [
    *("", "1", "me", SOME_ID[:-1], f"{SOME_ID}0", f"{SOME_ID}\0", f"urn:uuid:{SOME_ID}"),
    *(f"{{{SOME_ID}}}", SOME_ID.replace("-", ""), f" {SOME_ID}", SOME_ID.replace("-", "", 1)),
]
INVALID_ID_MESSAGE = f"Must be a UUID like {SOME_ID}"
TOO_LARGE = [2**31, 2**63, 10**30]
METACHARACTERS = [
    *("'", '"', "\\", ";", "--", "%", "_", "*", "$1", "%s", "%(search)s", "{0}"),
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "') UNION SELECT password_hash FROM users --",
    "$$ || pg_sleep(10) || $$",
]


def parameter_id(value: object) -> str | None:
    return value if isinstance(value, str) else ""


def get(path: str, token: str, **query: Any) -> Answer:
    query = {**REQUIRED_QUERY.get(path, {}), **query}
    return call("GET", concrete(path), token=token, query=query)


def is_empty(data: Any) -> bool:
    """Return whether a list has no rows, or numbers of rows are zero."""
    return not any(data.values()) if isinstance(data, dict) else data == []


def assert_rejected(answer: Answer, field: str, value: object) -> None:
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), value
    assert [problem["field"] for problem in answer.details] == [field], value


def test_parameters_of_all_kinds_are_covered() -> None:
    assert {name for _, name, _ in NUMBERS} == {"page", "limit"}
    assert {name for _, name, _ in TEXTS} == {"q", "search"}
    assert {"sort", "status", "role", "action", "type"} <= {name for _, name, _ in CHOICES}
    assert {name for _, name, _ in IDS} == {"userId", "serverId"}


@pytest.mark.parametrize(("path", "name", "schema"), NUMBERS, ids=parameter_id)
def test_integer_parameters_accept_exactly_their_range(
    people: dict[str, str], path: str, name: str, schema: dict[str, int]
) -> None:
    minimum, maximum = schema["minimum"], schema["maximum"]
    out_of_range = [str(number) for number in (minimum - 1, -1, maximum + 1, 10**9, *TOO_LARGE)]
    for value in (*INVALID_NUMBERS, *out_of_range):
        assert_rejected(get(path, people["alice"], **{name: value}), f"query.{name}", value)
    for valid in (minimum, maximum):
        answer = get(path, people["alice"], **{name: valid})
        assert answer.status == 200
        assert answer.json["pagination"][name] == valid


@pytest.mark.parametrize(("path", "name", "schema"), CHOICES, ids=parameter_id)
def test_enum_parameters_accept_exactly_their_values(
    people: dict[str, str], path: str, name: str, schema: dict[str, Any]
) -> None:
    known = schema["enum"]
    for value in ("", "x", known[0].upper(), f" {known[0]}", f"{known[0]}, id", *METACHARACTERS):
        assert_rejected(get(path, people["alice"], **{name: value}), f"query.{name}", value)
    for valid in known:
        assert get(path, people["alice"], **{name: valid}).status == 200


@pytest.mark.parametrize(("path", "name", "schema"), IDS, ids=parameter_id)
def test_id_parameters_accept_only_uuids(
    people: dict[str, str], path: str, name: str, schema: object
) -> None:
    for value in (*INVALID_IDS, *METACHARACTERS):
        assert_rejected(get(path, people["alice"], **{name: value}), f"query.{name}", value)
    for valid in (SOME_ID, SOME_ID.upper()):
        assert is_empty(get(path, people["alice"], **{name: valid}).data)


@pytest.mark.parametrize(("method", "path"), [each for each in ROUTES if "{id}" in each[1]])
def test_ids_in_paths_must_be_uuids(people: dict[str, str], method: str, path: str) -> None:
    for value in filter(None, INVALID_IDS):
        address = path.format(id=quote(value, safe=""))
        answer = call(method, address, token=people["alice"], body={"role": "user"})
        assert answer.details[0] == {"field": "path.id", "message": INVALID_ID_MESSAGE}, value
    bodies = {
        "decline": {"reason": "x"},
        "withdraw": {"reason": "x"},
        "users/{id}": {"role": "user"},
    }
    body = next((bodies[end] for end in bodies if path.endswith(end)), {})
    for valid in (SOME_ID, SOME_ID.upper()):
        answer = call(method, path.format(id=valid), token=people["alice"], body=body)
        assert answer.status in {204, 404}


def test_ids_in_bodies_must_be_uuids(people: dict[str, str]) -> None:
    path = "/api/admin/requests/decisions"
    for value in (*(each for each in INVALID_IDS if "\0" not in each), 7, None, True, [SOME_ID]):
        body = {"decision": "approve", "ids": [SOME_ID, value]}
        answer = call("POST", path, token=people["alice"], body=body)
        assert answer.details == [{"field": "body.ids.1", "message": INVALID_ID_MESSAGE}], value
    body = {"decision": "approve", "ids": [SOME_ID.upper()]}
    assert call("POST", path, token=people["alice"], body=body).data[0]["id"] == SOME_ID
    twice = {"decision": "approve", "ids": [SOME_ID, SOME_ID.upper()]}
    assert_rejected(call("POST", path, token=people["alice"], body=twice), "body.ids", twice)


@pytest.mark.parametrize(("path", "name", "schema"), TEXTS, ids=parameter_id)
def test_text_parameters_do_not_interpret_metacharacters(
    db: Db, people: dict[str, str], path: str, name: str, schema: dict[str, int]
) -> None:
    before = snapshot(db)
    for value in METACHARACTERS:
        answer = get(path, people["alice"], **{name: value})
        assert answer.status == 200, value
        # TMDB may find titles for any text.
        assert path == "/api/media/search" or is_empty(answer.data), value
    # PostgreSQL cannot store NUL characters.
    for value in ("", "x" * (schema["maxLength"] + 1), "x\0y"):
        assert_rejected(get(path, people["alice"], **{name: value}), f"query.{name}", value)
    assert get(path, people["alice"], **{name: "x" * schema["maxLength"]}).status == 200
    assert snapshot(db) == before


def test_repeated_parameter_is_refused(people: dict[str, str]) -> None:
    valid = {"page": "1", "limit": "1", "from": "2026-01-31T12:00:00Z"}
    valid |= dict.fromkeys(("userId", "serverId"), SOME_ID)
    valid["to"] = valid["from"]
    for path, name, schema in PARAMETERS:
        value = schema["enum"][0] if "enum" in schema else valid.get(name, "x")
        with case(path, name):
            for values in ([value, value], [value, "x"], ["x", value]):
                answer = get(path, people["alice"], **{name: values})
                assert_rejected(answer, f"query.{name}", values)
            assert get(path, people["alice"], **{name: value}).status == 200


def test_unknown_parameter_is_refused(db: Db, people: dict[str, str]) -> None:
    before = snapshot(db)
    options = {"token": people["alice"], "query": {"surprise": "1"}, "body": {"reason": "x"}}
    for method, path in ROUTES:
        if path not in {"/api/health", *DOCUMENTS}:
            with case(method, path):
                answer = call(method, concrete(path), **options)
                assert_rejected(answer, "query.surprise", path)
                assert snapshot(db) == before


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        (
            "POST",
            "/api/media/request",
            lambda n: {"mediaType": "movie", "tmdbId": n},
            "body.tmdbId",
        ),
        (
            "POST",
            "/api/media/request",
            lambda n: {"mediaType": "tv", "tmdbId": 1396, "seasons": [1, n]},
            "body.seasons.1",
        ),
        (
            "PATCH",
            f"/api/admin/users/{SOME_ID}",
            lambda n: {"quota": {"movies": {"limit": n, "days": 1}}},
            "body.quota.movies.limit",
        ),
        (
            "PATCH",
            f"/api/admin/users/{SOME_ID}",
            lambda n: {"quota": {"seasons": {"limit": 1, "days": n}}},
            "body.quota.seasons.days",
        ),
        (
            "PUT",
            "/api/admin/config/rateLimit.search",
            lambda n: {"value": {"limit": n, "window": 1}},
            "body.value.limit",
        ),
        (
            "PUT",
            "/api/admin/config/audit.retention",
            lambda n: {"value": {"days": n}},
            "body.value.days",
        ),
    ],
)
def test_invalid_numbers_in_bodies_are_refused(
    db: Db,
    people: dict[str, str],
    method: str,
    path: str,
    body: Callable[[object], object],
    field: str,
) -> None:
    before = snapshot(db)
    for number in (*TOO_LARGE, -1, -(2**63), 1.5, "1", True, [1]):
        answer = call(method, path, token=people["alice"], body=body(number))
        assert_rejected(answer, field, number)
        assert snapshot(db) == before, number


def test_invalid_numbers_in_paths_are_refused(people: dict[str, str]) -> None:
    for value in ("0", "-1", "1e3", "%D9%A1", "1.0", "x", "%00", *map(str, TOO_LARGE)):
        answer = call("GET", f"/api/media/movie/{value}", token=people["bob"])
        assert_rejected(answer, "path.tmdbId", value)
    assert call("GET", f"/api/media/movie/{2**31 - 1}", token=people["bob"]).code == "NOT_FOUND"
    assert call("GET", "/api/media/movie/603", token=people["bob"]).status == 200


def test_no_value_becomes_part_of_a_statement(
    db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    parameters: list[object] = []
    execute = psycopg.Cursor.execute

    def watched(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:
        statements.append(query.decode() if isinstance(query, bytes) else str(query))
        parameters.append(params)
        return execute(cursor, query, params, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", watched)
    canary = "c4nary'; --"
    password = "Cellar-door_42"
    account = {
        "email": "c4nary@example.com",
        "username": canary,
        "password": password,
        "role": "user",
    }
    film = {"mediaType": "movie", "tmdbId": 603, "comment": canary}
    calls: list[Answer] = [
        call(
            "POST",
            "/api/admin/users",
            token=people["alice"],
            body=account | {"password": "Cellar-door_42"},
        ),
        call("POST", "/api/auth/login", body={"identifier": canary, "password": password}),
        call("GET", "/api/admin/users", token=people["alice"], query={"search": canary}),
        call(
            "POST",
            "/api/media/request",
            token=people["bob"],
            body=film,
            headers={"Idempotency-Key": canary, "User-Agent": canary},
        ),
    ]
    request = f"/api/admin/requests/{calls[-1].data['id']}/decline"
    calls.append(call("POST", request, token=people["alice"], body={"reason": canary}))
    assert [answer.status for answer in calls] == [201, 200, 200, 201, 200]
    assert calls[2].data[0]["username"] == canary
    assert "c4nary" in str(parameters)
    assert not [statement for statement in statements if "c4nary" in statement]
