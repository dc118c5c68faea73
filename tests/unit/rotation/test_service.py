"""Rotation: a token is accepted by the secret before and after the one that signed it."""

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
from tests.unit.conftest import clear_caches


def key() -> str:
    return secrets.token_urlsafe(48)


def plain_secret() -> str:
    return key()


def template_secret() -> str:
    return json.dumps({"verify": [], "sign": secrets.token_hex(32)})


def operator_secret() -> str:
    return json.dumps({"sign": key(), "verify": [key()]})


def full_secret() -> str:
    return json.dumps({"sign": key(), "verify": [key(), key()]})


INITIAL_SECRETS = [plain_secret, template_secret, operator_secret, full_secret]


def use_secret(environment: pytest.MonkeyPatch, value: str) -> None:
    """Set the secret, as in an environment that has read this value."""
    environment.setenv("JWT_SECRET", value)
    clear_caches()


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


@pytest.mark.parametrize("initial", INITIAL_SECRETS)
def test_the_first_rotation_only_announces_the_new_key(initial: Callable[[], str]) -> None:
    value, new = initial(), key()
    sign, *verify = jwt_keys(value)
    assert next_key(value) is None
    after = rotated(value, new)
    assert jwt_keys(after)[:2] == (sign, new)
    assert set(jwt_keys(after)[2:]) <= set(verify)
    assert next_key(after) == new


@pytest.mark.parametrize("initial", INITIAL_SECRETS)
def test_each_later_rotation_signs_with_the_announced_key(initial: Callable[[], str]) -> None:
    value = rotated(initial(), key())
    for _ in range(4):
        announced, previous, new = next_key(value), jwt_keys(value)[0], key()
        value = rotated(value, new)
        assert jwt_keys(value) == (announced, new, previous)
        assert next_key(value) == new


@given(st.sampled_from(INITIAL_SECRETS), st.integers(min_value=1, max_value=6))
def test_environments_one_rotation_apart_accept_the_same_tokens(
    initial: Callable[[], str], rotations: int
) -> None:
    value = initial()
    for _ in range(rotations):
        after = rotated(value, key())
        assert jwt_keys(value)[0] in jwt_keys(after)
        assert jwt_keys(after)[0] in jwt_keys(value)
        assert len(jwt_keys(after)) <= MAX_JWT_KEYS
        value = after


@pytest.mark.parametrize("initial", INITIAL_SECRETS)
def test_a_token_is_valid_before_and_after_a_rotation(
    environment: pytest.MonkeyPatch, initial: Callable[[], str]
) -> None:
    values = [initial()]
    for _ in range(4):
        values.append(rotated(values[-1], key()))
    for before, after in pairwise(values):
        use_secret(environment, before)
        old_token = token()
        use_secret(environment, after)
        tokens.verify(old_token)
        new_token = token()
        use_secret(environment, before)
        tokens.verify(new_token)


def test_a_token_is_refused_two_rotations_later(environment: pytest.MonkeyPatch) -> None:
    first = rotated(plain_secret(), key())
    use_secret(environment, first)
    old = token()
    second = rotated(first, key())
    use_secret(environment, second)
    tokens.verify(old)
    use_secret(environment, rotated(second, key()))
    with pytest.raises(AppError, match="JWT_INVALID"):
        tokens.verify(old)


def test_an_announced_key_that_does_not_verify_is_ignored() -> None:
    value = json.dumps({"sign": key(), "verify": [key()], "next": key()})
    assert next_key(value) is None


@pytest.mark.parametrize("value", ["short", "{}", '{"sign": 1}', '{"sign": "short"}'])
def test_an_invalid_secret_is_not_rotated(value: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        rotated(value, key())
    assert "short" not in str(caught.value)
