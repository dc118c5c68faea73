"""Rotation: the previous and the next value accept every token that a value signs."""

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.core.errors import AppError
from medianest.core.signing_keys import MAX_JWT_KEYS, jwt_keys
from medianest.rotation.service import next_key, rotated
from medianest.sessions import tokens
from tests.unit.conftest import clear_settings


def key() -> str:
    return secrets.token_urlsafe(48)


def plain() -> str:
    return key()


def by_the_template() -> str:
    return json.dumps({"verify": [], "sign": secrets.token_hex(32)})


def by_hand() -> str:
    return json.dumps({"sign": key(), "verify": [key()]})


def full() -> str:
    return json.dumps({"sign": key(), "verify": [key(), key()]})


STARTS = [plain, by_the_template, by_hand, full]


def use(environment: pytest.MonkeyPatch, value: str) -> None:
    """Set the secret, as in an environment that has read this value."""
    environment.setenv("JWT_SECRET", value)
    clear_settings()


def token() -> str:
    issued = datetime.now(UTC)
    return tokens.sign(
        user_id=uuid4(),
        email="ann@example.com",
        role="user",
        session_id=uuid4(),
        issued=issued,
        expires=issued + timedelta(days=30),
    )


@pytest.mark.parametrize("start", STARTS)
def test_the_first_rotation_only_announces_the_new_key(start: Callable[[], str]) -> None:
    value, fresh = start(), key()
    sign, *verify = jwt_keys(value)
    assert next_key(value) is None
    after = rotated(value, fresh)
    assert jwt_keys(after)[:2] == (sign, fresh)
    assert set(jwt_keys(after)[2:]) <= set(verify)
    assert next_key(after) == fresh


@pytest.mark.parametrize("start", STARTS)
def test_each_further_rotation_signs_with_the_announced_key(start: Callable[[], str]) -> None:
    value = rotated(start(), key())
    for _ in range(4):
        announced, former, fresh = next_key(value), jwt_keys(value)[0], key()
        value = rotated(value, fresh)
        assert jwt_keys(value) == (announced, fresh, former)
        assert next_key(value) == fresh


@given(st.sampled_from(STARTS), st.integers(min_value=1, max_value=6))
def test_environments_one_rotation_apart_accept_each_others_tokens(
    start: Callable[[], str], rotations: int
) -> None:
    value = start()
    for _ in range(rotations):
        after = rotated(value, key())
        assert jwt_keys(value)[0] in jwt_keys(after)
        assert jwt_keys(after)[0] in jwt_keys(value)
        assert len(jwt_keys(after)) <= MAX_JWT_KEYS
        value = after


@pytest.mark.parametrize("start", STARTS)
def test_a_token_outlives_a_rotation_and_is_known_before_it_is_everywhere(
    environment: pytest.MonkeyPatch, start: Callable[[], str]
) -> None:
    values = [start()]
    for _ in range(4):
        values.append(rotated(values[-1], key()))
    for before, after in pairwise(values):
        use(environment, before)
        early = token()
        use(environment, after)
        tokens.verify(early)
        late = token()
        use(environment, before)
        tokens.verify(late)


def test_a_token_is_refused_two_rotations_later(environment: pytest.MonkeyPatch) -> None:
    first = rotated(plain(), key())
    use(environment, first)
    old = token()
    second = rotated(first, key())
    use(environment, second)
    tokens.verify(old)
    use(environment, rotated(second, key()))
    with pytest.raises(AppError, match="JWT_INVALID"):
        tokens.verify(old)


def test_an_announced_key_that_does_not_verify_is_ignored() -> None:
    value = json.dumps({"sign": key(), "verify": [key()], "next": key()})
    assert next_key(value) is None


@pytest.mark.parametrize("value", ["short", "{}", '{"sign": 1}', '{"sign": "short"}'])
def test_a_secret_that_is_no_key_is_not_rotated(value: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        rotated(value, key())
    assert "short" not in str(caught.value)
