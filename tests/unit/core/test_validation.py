"""Messages about invalid input have our wording, never pydantic's."""

import importlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from medianest.core.envelope import Id, PlainInt, QueryParams, RequestModel
from medianest.core.validation import invalid_value, message_of
from tests.support.api import ROOT, assert_no_pydantic_wording

_DOMAINS = sorted(
    path.parent.name for path in (ROOT / "layers/shared/python/medianest").glob("*/schemas.py")
)
EXAMPLE_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"
INVALID_IDS = [
    f"urn:uuid:{EXAMPLE_ID}",
    f"{{{EXAMPLE_ID}}}",
    EXAMPLE_ID.replace("-", ""),
    f" {EXAMPLE_ID}",
    f"{EXAMPLE_ID}\n",
    EXAMPLE_ID.replace("-", "", 1),
    f"{EXAMPLE_ID[:-1]}\u0661",
    f"-{EXAMPLE_ID}",
    EXAMPLE_ID.replace("a", "g"),
    "",
    7,
    None,
    [EXAMPLE_ID],
]
# Values of every JSON type and of different lengths: each field rejects some of them.
INVALID_VALUES: list[Any] = [
    *(None, True, 0, -1, 7, 1.5, 10**6, 10**30, "", " ", "x", "x" * 10_000, "\0", "a@b", "1e3"),
    *([], [1], [1, 1], ["x"], [None], list(range(1000)), {}, {"x": 1}, {"x": {}}),
    *INVALID_IDS[:3],
    *("2026-01-31", "2026-02-31T12:00:00Z", "Movie"),
]


def models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in base.__subclasses__():
        if each.__module__.startswith("medianest."):
            yield each
            yield from models(each)


def request_models() -> list[type[BaseModel]]:
    """Return every request model."""
    for domain in _DOMAINS:
        importlib.import_module(f"medianest.{domain}.schemas")
    return [*models(RequestModel), *models(QueryParams)]


def problems_of(model: Any, value: object) -> list[Any]:
    try:
        TypeAdapter(model).validate_python(value)
    except ValidationError as error:
        return list(error.errors())
    return []


@pytest.mark.parametrize("model", request_models(), ids=lambda model: model.__name__)
def test_every_error_of_every_model_has_our_wording(model: type[BaseModel]) -> None:
    names = [field.alias or name for name, field in model.model_fields.items()]
    problems: list[Any] = problems_of(model, []) + problems_of(model, {"surprise": 1})
    for name in names:
        for invalid in INVALID_VALUES:
            problems += problems_of(model, {name: invalid})
    assert bool(problems)
    for problem in problems:
        text = message_of(problem)
        assert_no_pydantic_wording(text)
        # The generic fallback message is not allowed for the errors of existing models.
        assert text != message_of({"type": "unknown_error"}), problem


class OtherTypes(RequestModel):
    """A model with one field of each type that no request model uses."""

    number: float
    moment: datetime
    raw: bytes
    choice: int | Literal["x"]
    fixed: tuple[int, int]


def test_an_error_of_another_type_has_our_wording() -> None:
    for name in OtherTypes.model_fields:
        problems = [
            problem
            for problem in problems_of(OtherTypes, {name: object()})
            if problem["type"] != "missing"
        ]
        assert problems
        for problem in problems:
            assert_no_pydantic_wording(message_of(problem))


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Literal["movie", "tv"], "x", "Must be one of: movie, tv"),
        (Literal["x"], 1, "Must be one of: x"),
        (PlainInt, "1e3", "Must be a whole number"),
        (Id, "x", f"Must be a UUID like {EXAMPLE_ID}"),
        (RequestModel, [], "Must be an object"),
        (RequestModel, {"x": 1}, "Unknown field"),
        (dict[str, int], 1, "Must be an object"),
        (list[int], 1, "Must be a list"),
    ],
)
def test_an_error_is_described_in_plain_words(kind: Any, value: object, message: str) -> None:
    assert [message_of(problem) for problem in problems_of(kind, value)] == [message]


@pytest.mark.parametrize(
    ("kind", "context", "message"),
    [
        ("string_too_short", {"min_length": 1}, "Must not be empty"),
        ("string_too_short", {"min_length": 8}, "Must have at least 8 characters"),
        ("string_too_long", {"max_length": 200}, "Must have at most 200 characters"),
        ("too_long", {"max_length": 1}, "Must have at most 1 item"),
        ("greater_than_equal", {"ge": 1}, "Must be at least 1"),
        ("less_than", {"lt": 10}, "Must be less than 10"),
    ],
)
def test_a_message_contains_the_limit(kind: str, context: dict[str, int], message: str) -> None:
    assert message_of({"type": kind, "ctx": context}) == message


def test_a_nested_field_is_reported_as_a_path() -> None:
    problem = {"type": "missing", "loc": ("quota", 0, "limit")}
    assert invalid_value([problem], "body").details == [
        {"field": "body.quota.0.limit", "message": "Required"}
    ]


@pytest.mark.parametrize("value", INVALID_IDS)
def test_an_id_is_a_plain_uuid(value: object) -> None:
    assert [message_of(problem) for problem in problems_of(Id, value)] == [
        f"Must be a UUID like {EXAMPLE_ID}"
    ]


def test_an_id_in_upper_case_is_accepted() -> None:
    assert problems_of(Id, EXAMPLE_ID) == problems_of(Id, EXAMPLE_ID.upper()) == []
    assert str(TypeAdapter(Id).validate_python(EXAMPLE_ID.upper())) == EXAMPLE_ID


def test_every_id_in_a_request_has_the_plain_uuid_type() -> None:
    uuid_type = re.compile(r"\bUUID\b")
    for path in (ROOT / "functions").glob("*/app.py"):
        assert not uuid_type.search(path.read_text()), path
    for model in request_models():
        for name, field in model.model_fields.items():
            invalid: object = INVALID_IDS[0]
            if "list[" in str(field.annotation):
                invalid = [invalid]
            if uuid_type.search(str(field.annotation)):
                assert all(
                    message_of(problem).startswith("Must be a UUID like")
                    for problem in problems_of(model, {field.alias or name: invalid})
                    if problem["loc"][0] == field.alias
                )
