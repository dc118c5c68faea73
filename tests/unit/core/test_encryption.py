"""Encryption of stored secrets: bound to the row, readable through a rotation."""

import json
from uuid import UUID, uuid4

import pytest

from medianest.core import encryption
from medianest.core.encryption import DecryptionError
from medianest.core.environment import ConfigurationError, load
from tests.unit.conftest import clear_caches

OLD = "the-0ld-key-of-these-tests-qV3_8yXwK0hJ"
NEW = "the-n3w-key-of-these-tests-4bTnE2rLzUaP"
ROW = UUID("3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11")
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key"


@pytest.fixture(autouse=True)
def key(environment: pytest.MonkeyPatch) -> None:
    use(environment, OLD)


def use(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("ENCRYPTION_KEY", value)
    clear_caches()


def seal(text: str) -> str:
    return encryption.encrypt(text, table="servers", column="secret", row=ROW)


def open_(token: str, table: str = "servers", column: str = "secret", row: UUID = ROW) -> str:
    return encryption.decrypt(token, table=table, column=column, row=row)


@pytest.mark.parametrize("text", ["", "x", "Schlüssel 🔑", "k" * 10_000])
def test_a_text_is_readable_in_its_row(text: str) -> None:
    token = seal(text)
    assert open_(token) == text
    assert token.split(".")[0] == "v1"
    assert len(text) < 8 or text not in token


def test_two_tokens_of_one_text_differ() -> None:
    assert len({seal("same") for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "place", [("x", "secret", ROW), ("servers", "x", ROW), ("servers", "secret", uuid4())]
)
def test_a_token_does_not_decrypt_elsewhere(place: tuple[str, str, UUID]) -> None:
    token = seal("key")
    with pytest.raises(DecryptionError, match="belongs to another row"):
        open_(token, *place)
    assert open_(token) == "key"


def test_a_changed_token_does_not_decrypt() -> None:
    token = seal("key")
    start, last = token[:-2], token[-2]
    for changed in (
        start + ("A" if last != "A" else "B") + token[-1],
        token[:-8],
        token.rsplit(".", 1)[0] + ".",
        token.replace("v1.", "v2.", 1),
        "key",
        "",
    ):
        with pytest.raises(DecryptionError):
            open_(changed)


def test_a_rotation_reads_old_tokens_and_writes_with_the_new_key(
    environment: pytest.MonkeyPatch,
) -> None:
    old = seal("key")
    assert encryption.is_current(old)
    use(environment, json.dumps({"current": NEW, "keys": [OLD]}))
    assert open_(old) == "key"
    assert not encryption.is_current(old)
    new = seal("key")
    assert encryption.is_current(new)
    use(environment, json.dumps({"current": NEW, "keys": []}))
    assert open_(new) == "key"
    with pytest.raises(DecryptionError, match="has no key with the id"):
        open_(old)


def test_an_error_has_no_part_of_the_secret(environment: pytest.MonkeyPatch) -> None:
    token = seal("planted-secret")
    use(environment, NEW)
    with pytest.raises(DecryptionError) as caught:
        open_(token)
    assert "planted" not in str(caught.value)
    assert OLD not in str(caught.value)
    assert NEW not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["short", "a" * 64, "changeme" * 8, "{}", json.dumps({"current": OLD, "keys": ["short"]})],
)
def test_a_weak_key_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="ENCRYPTION_KEY"):
        load({"ENCRYPTION_KEY": value})
    assert load({"ENCRYPTION_KEY": OLD}).encryption_key is not None


def test_without_a_key_nothing_is_encrypted(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("ENCRYPTION_KEY")
    clear_caches()
    with pytest.raises(ConfigurationError, match="ENCRYPTION_KEY is required"):
        seal("key")


def test_private_servers_are_for_development_only() -> None:
    assert load({"ALLOW_PRIVATE_SERVERS": "true"}).allow_private_servers == "true"
    for other in ({"NODE_ENV": "production"}, {"ENCRYPTION_KEY": ARN}, {"JWT_SECRET": ARN}):
        with pytest.raises(ConfigurationError, match="ALLOW_PRIVATE_SERVERS must be false"):
            load({"ALLOW_PRIVATE_SERVERS": "true", **other})
