"""Schemas of users: known filters, and no internal field in a response."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from medianest.accounts.schemas import UserChangeIn
from medianest.core.text import clean, fold
from medianest.users.schemas import (
    AdminUserOut,
    Email,
    Username,
    UserOut,
    UserQuery,
)


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


def test_a_user_for_admins_has_two_more_fields() -> None:
    assert AdminUserOut.model_fields.keys() - UserOut.model_fields.keys() == {"status", "quota"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("search", ""),
        ("search", "x" * 201),
        # PostgreSQL accepts no NUL, which would become a 500.
        ("search", "a\0b"),
        ("role", "root"),
        ("status", "deleted"),
        ("sort", "plexToken"),
        ("limit", "101"),
        ("page", "0"),
    ],
)
def test_an_invalid_filter_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        UserQuery.model_validate({name: value})
    assert [problem["loc"] for problem in caught.value.errors()] == [(name,)]


@pytest.mark.parametrize("search", ["a", "x" * 200, "100%", "a_b\\", "' OR 1=1 --", "Ålïçe"])
def test_any_text_is_a_valid_search(search: str) -> None:
    assert UserQuery.model_validate({"search": search}).search == search


@pytest.mark.parametrize("sort", ["createdAt", "-createdAt", "username", "-username", "email"])
def test_the_sort_orders_of_the_contract_are_accepted(sort: str) -> None:
    assert UserQuery.model_validate({"sort": sort, "role": "admin"}).sort == sort


@given(st.text("aA@＠. \t\0\u00a0\u200b\u200d\u202e-é😀", max_size=60))
def test_any_text_is_refused_or_a_clean_name_without_an_at_sign(text: str) -> None:
    try:
        name = TypeAdapter(Username).validate_python(text)
    except ValidationError:
        assert not clean(text) or {"@", "＠", "\0"} & set(text)
        return
    assert name == clean(text)
    assert "@" not in fold(name)


@given(st.text("aA@＠. \t\0\u00a0\u200b-é😀", max_size=60))
def test_any_text_is_refused_or_an_email_of_two_parts(text: str) -> None:
    try:
        email = TypeAdapter(Email).validate_python(text)
    except ValidationError:
        parts = fold(text).split("@")
        is_unclean = clean(text) != text.strip() or " " in clean(text) or "＠" in text
        assert len(parts) != 2 or not all(parts) or is_unclean
        return
    assert email == text.strip() == clean(text)
    assert all(email.partition("@"))
    assert email.count("@") == 1
    assert " " not in email


@given(st.text("plex.invald@"), st.sampled_from(["plex.invalid", "PLEX.Invalid", "plex.invalid."]))
def test_an_email_under_the_reserved_domain_is_refused(text: str, domain: str) -> None:
    for email in (f"{text}@{domain}", f"a@{text}.{domain}"):
        with pytest.raises(ValidationError):
            TypeAdapter(Email).validate_python(email)


def test_an_email_under_a_similar_domain_is_accepted() -> None:
    for email in ("a@notplex.invalid", "a@plex.invalid.example", "plex.invalid@example.com"):
        assert TypeAdapter(Email).validate_python(email) == email


@pytest.mark.parametrize(
    ("body", "expected_fields"),
    [
        ({"role": "admin"}, {"role"}),
        ({"status": "active", "quota": None}, {"status", "quota"}),
        ({"quota": {"movies": {"limit": None, "days": 7}}}, {"quota"}),
    ],
)
def test_a_change_has_only_the_fields_of_the_body(
    body: dict[str, object], expected_fields: set[str]
) -> None:
    assert UserChangeIn.model_validate(body).model_fields_set == expected_fields


@pytest.mark.parametrize("body", [{}, {"role": None}, {"status": None, "quota": None}])
def test_a_change_without_fields_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        UserChangeIn.model_validate(body)
