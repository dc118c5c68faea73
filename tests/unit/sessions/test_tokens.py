"""Tokens: only those that the service signed are valid; any other text gets the same 401."""

import base64
import hashlib
import hmac
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator

from medianest.core.environment import ConfigurationError, load
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.sessions import csrf, tokens
from medianest.users.schemas import MAX_EMAIL
from tests.conftest import JWT_SECRET
from tests.support.cases import case
from tests.support.reference import TYPES, json_schema
from tests.unit.conftest import clear_caches

USER = UUID("6d9f2a4e-0c55-4f43-9d1b-1f6d5f0a7f11")
SESSION = UUID("b8a1c2d3-e4f5-4a6b-8c7d-9e0f1a2b3c4d")
HEADER = {"alg": "HS256", "typ": "JWT", "kid": tokens.key_id(JWT_SECRET)}
DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ABSENT = object()


def seconds(offset: float = 0) -> int:
    return int(datetime.now(UTC).timestamp() + offset)


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a valid token with changes; ABSENT removes a claim."""
    valid: dict[str, Any] = {
        "sub": str(USER),
        "email": "alice@example.org",
        "role": "user",
        "iat": seconds(),
        "exp": seconds(3600),
        "jti": str(SESSION),
        "iss": "medianest",
        "aud": "medianest-api",
    }
    return {name: value for name, value in (valid | changes).items() if value is not ABSENT}


def encoded(part: Any) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def forged(header: Any, payload: Any, *, key: str = JWT_SECRET, digest: str = "HS256") -> str:
    """Return a token with a valid signature by `key` over any header and payload."""
    signed = f"{encoded(header)}.{encoded(payload)}"
    signature = hmac.new(key.encode(), signed.encode(), DIGESTS[digest]).digest()
    return f"{signed}.{encoded(signature)}"


def assert_refused(token: str) -> None:
    with pytest.raises(AppError) as caught:
        tokens.verify(token)
    assert caught.value.code == ErrorCode.JWT_INVALID
    assert caught.value.details is None
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}


def assert_accepted(token: str) -> None:
    assert tokens.verify(token) == tokens.Claims(user_id=USER, session_id=SESSION)


def signed(email: str = "alice@example.org", role: str = "user") -> str:
    now = datetime.now(UTC)
    return tokens.sign(
        user_id=USER,
        email=email,
        role=role,
        session_id=SESSION,
        issued=now,
        expires=now + timedelta(days=30),
    )


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Stop the clock, so that limits in seconds do not depend on the start of a second."""
    now = datetime.now(UTC)
    monkeypatch.setattr(tokens, "now", lambda: now)
    return now


def test_a_forged_token_with_the_right_key_is_accepted() -> None:
    assert_accepted(forged(HEADER, claims()))


@given(
    user_id=st.uuids(),
    session_id=st.uuids(),
    email=st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    role=st.sampled_from(["user", "admin"]),
    days=st.integers(1, 30),
)
def test_a_signed_token_verifies_to_its_claims(
    user_id: UUID, session_id: UUID, email: str, role: str, days: int
) -> None:
    now = datetime.now(UTC)
    token = tokens.sign(
        user_id=user_id,
        email=email,
        role=role,
        session_id=session_id,
        issued=now,
        expires=now + timedelta(days=days),
    )
    assert tokens.verify(token) == tokens.Claims(user_id=user_id, session_id=session_id)


@pytest.mark.parametrize("character", ["a", '"', "ü", "語", "\U0001f600"])
def test_a_token_with_the_longest_address_is_accepted(character: str) -> None:
    longest = character * (MAX_EMAIL // len(character.encode()))
    assert_accepted(signed(longest, "admin"))


def test_a_token_has_the_claims_of_the_contract() -> None:
    header, payload, _ = signed().split(".")
    decoded = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert decoded.keys() == TYPES["JwtPayload"].keys() | {"jti", "iss", "aud"}
    reference = {name: json_schema(kind) for name, kind in TYPES["JwtPayload"].items()}
    OAS30Validator({"properties": reference}).validate(decoded)
    assert decoded["exp"] - decoded["iat"] == 30 * 24 * 3600
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "HS256"


@pytest.mark.parametrize(
    "alg",
    ["none", "None", "nOnE", "NONE", "", "HS384", "HS512", "RS256", "ES256", "hs256", "HS256 "],
)
def test_another_algorithm_is_refused(alg: str) -> None:
    header = HEADER | {"alg": alg}
    assert_refused(forged(header, claims(), digest=alg if alg in DIGESTS else "HS256"))
    unsigned = f"{encoded(header)}.{encoded(claims())}"
    assert_refused(f"{unsigned}.")
    assert_refused(f"{unsigned}.AAAA")


@pytest.mark.parametrize("alg", ["HS384", "HS512"])
def test_a_longer_hash_is_refused_even_with_a_long_key(
    environment: pytest.MonkeyPatch, alg: str
) -> None:
    key = JWT_SECRET + "_long-enough-for-the-block-size-of-SHA-512-as-well"
    assert len(key) >= 64
    environment.setenv("JWT_SECRET", key)
    header = HEADER | {"kid": tokens.key_id(key)}
    assert_accepted(forged(header, claims(), key=key))
    assert_refused(forged(header | {"alg": alg}, claims(), key=key, digest=alg))


@pytest.mark.parametrize("alg", [256, ["HS256"], {"HS256": 1}, None, True, 1.5])
def test_an_algorithm_of_another_type_is_refused(alg: Any) -> None:
    assert_refused(forged(HEADER | {"alg": alg}, claims()))


def test_a_missing_algorithm_is_refused() -> None:
    assert_refused(forged({"typ": "JWT", "kid": HEADER["kid"]}, claims()))


@pytest.mark.parametrize(
    "extra",
    [
        {"jwk": {"kty": "oct", "k": encoded(b"x" * 32)}},
        {"jku": "https://evil.example.org/keys"},
        {"x5u": "https://evil.example.org/cert"},
        {"x5c": ["MIIB"]},
        {"typ": "at+jwt"},
    ],
    ids=str,
)
def test_a_key_in_the_header_is_ignored(extra: dict[str, Any]) -> None:
    assert_accepted(forged(HEADER | extra, claims()))
    assert_refused(forged(HEADER | extra, claims(), key="x" * 32))
    assert_refused(forged(HEADER | extra, claims(), key=""))


@pytest.mark.parametrize(
    "kid",
    ["../../dev/null", "' OR 1=1 --", "", "0" * 8, "x" * 2000, None, 1, ["a"], {"a": 1}],
    ids=lambda kid: str(kid)[:20],
)
def test_an_unknown_kid_is_refused(kid: Any) -> None:
    assert_refused(forged(HEADER | {"kid": kid}, claims()))


def test_a_token_without_a_kid_is_refused() -> None:
    assert_refused(forged({"alg": "HS256", "typ": "JWT"}, claims()))


OTHER_KEY = "an0ther-Key_of-these-tests-and-of-nothing-else"


def key_set(sign: str, verify: str) -> str:
    return json.dumps({"sign": sign, "verify": [verify]})


def test_tokens_are_valid_as_documented_in_each_step_of_a_rotation(
    environment: pytest.MonkeyPatch,
) -> None:
    """The steps of docs/operations.md: announce the new key, sign with it, drop the old one."""
    old_token = signed()
    old_csrf = csrf.issue(SESSION)
    environment.setenv("JWT_SECRET", key_set(JWT_SECRET, OTHER_KEY))
    clear_caches()
    announced_token = signed()
    assert_accepted(old_token)
    environment.setenv("JWT_SECRET", key_set(OTHER_KEY, JWT_SECRET))
    clear_caches()
    new_token = signed()
    for token in (old_token, announced_token, new_token):
        assert_accepted(token)
    assert csrf.matches(SESSION, old_csrf)
    environment.setenv("JWT_SECRET", OTHER_KEY)
    clear_caches()
    assert_accepted(new_token)
    for token in (old_token, announced_token):
        assert_refused(token)
    assert not csrf.matches(SESSION, old_csrf)


def test_a_signature_by_a_key_other_than_that_of_the_kid_is_refused(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("JWT_SECRET", key_set(JWT_SECRET, OTHER_KEY))
    header = HEADER | {"kid": tokens.key_id(OTHER_KEY)}
    assert_accepted(forged(header, claims(), key=OTHER_KEY))
    assert_refused(forged(header, claims(), key=JWT_SECRET))
    assert_refused(forged(HEADER, claims(), key=OTHER_KEY))


@pytest.mark.parametrize(
    "secret",
    [
        "{}",
        "{not json at all, but long enough to be a key}",
        json.dumps({"sign": "short", "verify": [JWT_SECRET]}),
        json.dumps({"sign": JWT_SECRET, "verify": ["short"]}),
        json.dumps({"sign": JWT_SECRET, "verify": [OTHER_KEY] * 3}),
        json.dumps({"sign": [JWT_SECRET]}),
        json.dumps({"verify": [JWT_SECRET, OTHER_KEY]}),
    ],
)
def test_a_weak_or_invalid_key_set_is_refused_at_startup(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="JWT_SECRET"):
        load({"JWT_SECRET": secret})
    valid = json.dumps({"sign": JWT_SECRET, "verify": [OTHER_KEY]})
    assert load({"JWT_SECRET": valid}).jwt_secret is not None


@pytest.mark.parametrize(
    "crit",
    [["exp"], ["b64"], ["x-unknown"], [], "exp", None, 1, [1], [["exp"]], {"exp": 1}],
    ids=str,
)
def test_a_token_with_a_crit_header_is_refused(crit: Any) -> None:
    assert_refused(forged(HEADER | {"crit": crit, "x-unknown": 1}, claims()))


def test_an_unencoded_payload_is_refused() -> None:
    assert_refused(forged(HEADER | {"b64": False, "crit": ["b64"]}, claims()))
    assert_refused(forged(HEADER | {"b64": False}, claims()))


@pytest.mark.parametrize("kid", [5, ["a"], {"a": 1}, True], ids=str)
def test_a_kid_of_another_type_is_refused(kid: Any) -> None:
    assert_refused(forged(HEADER | {"kid": kid}, claims()))


@pytest.mark.parametrize("name", ["sub", "email", "role", "iat", "exp", "jti", "iss", "aud"])
@pytest.mark.parametrize("value", [ABSENT, None], ids=["absent", "null"])
def test_a_missing_claim_is_refused(name: str, value: object) -> None:
    assert_refused(forged(HEADER, claims(**{name: value})))


@pytest.mark.parametrize("name", ["sub", "email", "role", "iat", "exp", "jti", "iss", "aud"])
def test_a_claim_of_another_type_is_refused(name: str) -> None:
    values: list[Any] = [True, False, 1.5, [], ["medianest-api"], {}, {"a": 1}]
    for value in (*values, math.inf, -math.inf, math.nan):
        with case(value):
            assert_refused(forged(HEADER, claims(**{name: value})))


@pytest.mark.parametrize("name", ["sub", "email", "role", "jti", "iss", "aud"])
def test_a_number_for_a_text_claim_is_refused(name: str) -> None:
    assert_refused(forged(HEADER, claims(**{name: 12})))


@pytest.mark.parametrize("name", ["iat", "exp"])
@pytest.mark.parametrize("kind", [str, float])
def test_a_time_that_is_no_integer_is_refused(name: str, kind: type) -> None:
    valid = claims()
    assert_refused(forged(HEADER, valid | {name: kind(valid[name])}))


@pytest.mark.parametrize("name", ["sub", "jti"])
@pytest.mark.parametrize("value", ["", " ", "1", "not-a-uuid", "0" * 31, "../../etc/passwd", "\0"])
def test_an_id_that_is_no_uuid_is_refused(name: str, value: str) -> None:
    assert_refused(forged(HEADER, claims(**{name: value})))


@pytest.mark.parametrize("role", ["", "root", "Admin", "admin "])
def test_an_unknown_role_is_refused(role: str) -> None:
    assert_refused(forged(HEADER, claims(role=role)))


@pytest.mark.parametrize("role", ["user", "admin"])
def test_both_roles_are_accepted(role: str) -> None:
    assert_accepted(forged(HEADER, claims(role=role)))


@pytest.mark.parametrize(
    "issuer", ["", "MediaNest", "medianest ", "medianes", "medianest.evil.org", "m"]
)
def test_another_issuer_is_refused(issuer: str) -> None:
    assert_refused(forged(HEADER, claims(iss=issuer)))


@pytest.mark.parametrize(
    "audience", ["", "medianest", "medianest-api-dev", "MEDIANEST-API", ["medianest-api", "other"]]
)
def test_another_audience_is_refused(audience: Any) -> None:
    assert_refused(forged(HEADER, claims(aud=audience)))


@pytest.mark.parametrize("offset", [0, -1, -3600])
def test_a_token_is_refused_from_its_expiry(offset: int) -> None:
    assert_refused(forged(HEADER, claims(iat=seconds(-7200), exp=seconds(offset))))


def test_a_token_is_accepted_until_its_expiry() -> None:
    assert_accepted(forged(HEADER, claims(iat=seconds(-7200), exp=seconds(30))))


@pytest.mark.parametrize("expiry", [10**400, 2**63, -1, 0], ids=["huge", "2^63", "-1", "0"])
def test_an_expiry_out_of_range_is_refused(expiry: int) -> None:
    assert_refused(forged(HEADER, claims(exp=expiry)))


def test_an_expiry_of_thousands_of_digits_is_refused() -> None:
    payload = json.dumps(claims(exp=1)).replace('"exp": 1', '"exp": ' + "9" * 2500)
    assert_refused(forged(HEADER, payload.encode()))


def test_a_token_issued_within_the_clock_skew_is_accepted(stopped_clock: datetime) -> None:
    assert_accepted(forged(HEADER, claims(iat=int(stopped_clock.timestamp()) + 3)))


@pytest.mark.parametrize("offset", [6, 60, 10**12, 10**400])
def test_a_token_issued_in_the_future_is_refused(stopped_clock: datetime, offset: int) -> None:
    issued = int(stopped_clock.timestamp()) + offset
    assert_refused(forged(HEADER, claims(iat=issued, exp=issued + 3600)))


@pytest.mark.parametrize("offset", [60, 10**9])
def test_a_token_that_is_not_valid_yet_is_refused(offset: int) -> None:
    assert_refused(forged(HEADER, claims(nbf=seconds(offset))))


def test_a_changed_payload_under_the_old_signature_is_refused() -> None:
    header, _, signature = forged(HEADER, claims()).split(".")
    assert_refused(f"{header}.{encoded(claims(role='admin'))}.{signature}")


@pytest.mark.parametrize("key", ["x" * 32, JWT_SECRET[:-1], JWT_SECRET + " ", ""])
def test_a_token_of_another_key_is_refused(key: str) -> None:
    assert_refused(forged(HEADER, claims(), key=key))


def test_a_csrf_token_is_refused_as_bearer_token() -> None:
    assert_refused(csrf.issue(SESSION))


def test_a_bearer_token_signed_with_the_csrf_key_is_refused() -> None:
    key = hmac.new(JWT_SECRET.encode(), b"medianest csrf v1", hashlib.sha256).digest()
    unsigned = f"{encoded(HEADER)}.{encoded(claims())}"
    signature = hmac.new(key, unsigned.encode(), hashlib.sha256).digest()
    assert_refused(f"{unsigned}.{encoded(signature)}")


@pytest.mark.parametrize(
    "payload",
    [[], "text", 1, None, b"", b"{", b"\xff\xfe", b'{"exp":' * 400, b"[" * 2000],
    ids=lambda value: repr(value)[:12],
)
def test_a_payload_that_is_not_an_object_is_refused(payload: Any) -> None:
    assert_refused(forged(HEADER, payload))


@pytest.mark.parametrize(
    "header",
    [[], "HS256", 1, None, b"", b"{", b"\xff\xfe", b"[" * 2000, b'{"a":' * 500],
    ids=lambda value: repr(value)[:12],
)
def test_a_header_that_is_not_an_object_is_refused(header: Any) -> None:
    assert_refused(forged(header, claims()))


def test_a_token_of_more_than_4_kib_is_refused() -> None:
    sample = signed(email="a" * 2800)
    longest = signed(email="a" * (2800 + (4096 - len(sample)) * 3 // 4))
    assert 4090 <= len(longest) <= 4096
    assert_accepted(longest)
    too_long = signed(email="a" * 2900)
    assert len(too_long) > 4096
    assert_refused(too_long)
    assert_refused("a" * 1_000_000)


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda _: ".",
        lambda _: "..",
        lambda _: "a.b.c",
        lambda token: token.rpartition(".")[0],
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token + ".",
        lambda token: token + ".AAAA",
        lambda token: "." + token,
        lambda token: token + "=",
        lambda token: token + "==",
        lambda token: token.replace(".", "=.", 1),
        lambda token: token + "\n",
        lambda token: "\n" + token,
        lambda token: token + " ",
        lambda token: token + "\0",
        lambda token: "\0" + token,
        lambda token: token.replace(".", "\0.", 1),
        lambda token: token.replace(".", "。", 1),
        lambda token: token + "é",
        lambda token: token + "٣",
        lambda token: token + "\ud800",
        lambda token: token[:-1] + "+",
        lambda token: token[:-1] + "/",
        lambda token: "Bearer " + token,
        lambda token: token[:-1],
        lambda token: token + "A",
        str.upper,
    ],
)
def test_a_malformed_token_is_refused(change: Any) -> None:
    token = forged(HEADER, claims())
    assert_accepted(token)
    assert_refused(change(token))


def test_another_encoding_of_the_same_signature_is_refused() -> None:
    token = forged(HEADER, claims())
    # 32 bytes are encoded as 43 characters; only four of the six bits of the last one are used.
    last = ALPHABET.index(token[-1])
    assert last % 4 == 0
    for index in (last + 1, last + 2, last + 3):
        assert_refused(token[:-1] + ALPHABET[index])


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    assert_refused(text)


@given(st.lists(st.text(ALPHABET, max_size=60), min_size=3, max_size=3).map(".".join))
def test_any_text_in_three_parts_is_refused(text: str) -> None:
    assert_refused(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    header=st.dictionaries(
        st.sampled_from(["typ", "kid", "crit", "b64", "jwk", "x5c", "cty"]), _JSON, max_size=4
    ),
    payload=st.dictionaries(st.sampled_from(sorted(claims())), _JSON, min_size=1),
)
def test_a_signed_token_with_any_content_is_refused_or_has_its_claims(
    header: dict[str, Any], payload: dict[str, Any]
) -> None:
    content = claims(**payload)
    try:
        verified = tokens.verify(forged(header | {"alg": "HS256"}, content))
    except AppError as error:
        assert error.code == ErrorCode.JWT_INVALID
    else:
        assert verified == tokens.Claims(UUID(content["sub"]), UUID(content["jti"]))


@given(st.data())
def test_a_token_with_one_changed_character_is_refused(data: st.DataObject) -> None:
    token = forged(HEADER, claims())
    position = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(
        st.sampled_from(ALPHABET + ".=+/é\0").filter(lambda new: new != token[position])
    )
    assert_refused(token[:position] + character + token[position + 1 :])


def test_a_weak_key_behind_an_arn_is_not_used(environment: pytest.MonkeyPatch) -> None:
    # The value of an ARN is unknown at startup, so the key is checked when it is used.
    environment.setattr("medianest.core.secrets.resolve", lambda *_: "changeme" * 5)
    with pytest.raises(ConfigurationError, match="JWT_SECRET is a well-known") as caught:
        tokens.sign(
            user_id=uuid4(),
            email="",
            role="user",
            session_id=uuid4(),
            issued=datetime.now(UTC),
            expires=datetime.now(UTC) + timedelta(days=1),
        )
    assert "changeme" not in str(caught.value)
