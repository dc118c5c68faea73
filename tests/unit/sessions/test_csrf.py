"""CSRF tokens: each matches one session, and the check raises no error for any text."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.sessions import csrf, tokens

SESSION = UUID("b8a1c2d3-e4f5-4a6b-8c7d-9e0f1a2b3c4d")


@given(st.uuids())
def test_an_issued_token_matches_its_session(session_id: UUID) -> None:
    assert csrf.matches(session_id, csrf.issue(session_id)) is True


@given(st.uuids(), st.uuids())
def test_a_token_matches_no_other_session(session_id: UUID, other_id: UUID) -> None:
    assert csrf.matches(other_id, csrf.issue(session_id)) is (session_id == other_id)


def test_all_tokens_of_a_session_differ_and_stay_valid() -> None:
    issued = {csrf.issue(SESSION) for _ in range(50)}
    assert len(issued) == 50
    assert all(csrf.matches(SESSION, token) for token in issued)


def test_every_truncation_is_refused() -> None:
    token = csrf.issue(SESSION)
    assert not any(csrf.matches(SESSION, token[:end]) for end in range(len(token)))
    assert not any(csrf.matches(SESSION, token[start:]) for start in range(1, len(token)))


@given(st.data())
def test_no_change_of_one_character_matches(data: st.DataObject) -> None:
    token = csrf.issue(SESSION)
    position = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters().filter(lambda new: new != token[position]))
    assert csrf.matches(SESSION, token[:position] + character + token[position + 1 :]) is False


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "." * 40,
        "." + "0" * 32,
        "é." + "0" * 32,
        "0" * 64 + "." + "é" * 32,
        "\ud800." + "0" * 32,
    ],
)
def test_a_malformed_token_is_refused(token: str) -> None:
    assert csrf.matches(SESSION, token) is False


@given(st.text() | st.text(min_size=32, max_size=32).map("é.".__add__))
def test_any_text_is_refused_without_an_error(text: str) -> None:
    assert csrf.matches(SESSION, text) is False


def test_a_token_of_another_key_is_refused(environment: pytest.MonkeyPatch) -> None:
    token = csrf.issue(SESSION)
    environment.setattr(tokens, "live_keys", lambda: ("another key of thirty-two bytes!",))
    assert csrf.matches(SESSION, token) is False


def test_a_reordered_token_is_refused() -> None:
    signature, _, value = csrf.issue(SESSION).partition(".")
    assert csrf.matches(SESSION, f"{value}.{signature}") is False
    assert csrf.matches(SESSION, f"{signature}.{value}.") is False
    assert csrf.matches(uuid4(), f"{signature}.{value}") is False
