"""Users on the wire: filters that exist, and no field that is nobody's business."""

import pytest
from pydantic import ValidationError

from medianest.users.schemas import UserOut, UserQuery


def test_a_user_is_sent_with_the_fields_of_the_contract() -> None:
    assert {field.alias for field in UserOut.model_fields.values()} == {
        "id",
        "email",
        "username",
        "role",
        "plexId",
        "createdAt",
        "updatedAt",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("search", ""),
        ("search", "x" * 201),
        # PostgreSQL takes no NUL as a parameter: refused here, or a 500 there.
        ("search", "a\0b"),
        ("role", "root"),
        ("status", "deleted"),
        ("sort", "plexToken"),
        ("limit", "101"),
        ("page", "0"),
    ],
)
def test_a_filter_that_does_not_exist_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        UserQuery.model_validate({name: value})
    assert [problem["loc"] for problem in caught.value.errors()] == [(name,)]


@pytest.mark.parametrize("search", ["a", "x" * 200, "100%", "a_b\\", "' OR 1=1 --", "Ålïçe"])
def test_any_other_text_is_searched_for(search: str) -> None:
    assert UserQuery.model_validate({"search": search}).search == search


@pytest.mark.parametrize("sort", ["createdAt", "-createdAt", "username", "-username", "email"])
def test_the_sorts_of_the_contract_are_let_in(sort: str) -> None:
    assert UserQuery.model_validate({"sort": sort, "role": "admin"}).sort == sort
