"""Secrets: plain values are used directly; values behind ARNs are refreshed and validated."""

import pytest
from pydantic import SecretStr

from medianest.core import secrets
from medianest.core.environment import ConfigurationError
from medianest.core.observability import metrics
from medianest.core.secrets import resolve
from tests.conftest import JWT_SECRET
from tests.unit.conftest import clear_caches

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:medianest-AbCdEf"
DATABASE = SecretStr(ARN)
FIRST = "postgresql://u:canary-1@db/medianest"
SECOND = "postgresql://u:canary-2@db/medianest"


class Aws:
    """A fake AWS and clock; AWS is unreachable while `value` is None."""

    def __init__(self) -> None:
        self.value: str | None = FIRST
        self.now = 1_000_000.0
        self.calls: list[str] = []

    def read(self, arn: str, *, fresh: bool) -> str:
        self.calls.append(arn)
        if self.value is None:
            raise secrets._UnreadableError("AWS is down")
        return self.value

    def time(self) -> float:
        return self.now


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    fake_aws = Aws()
    monkeypatch.setattr(secrets, "_read", fake_aws.read)
    monkeypatch.setattr("medianest.core.secrets.time.time", fake_aws.time)
    return fake_aws


def test_a_plain_value_is_returned_unchanged(aws: Aws) -> None:
    assert resolve(SecretStr("just a value"), "TMDB_API_KEY") == "just a value"
    assert resolve(SecretStr("just a value"), "TMDB_API_KEY", fresh=True) == "just a value"
    assert aws.calls == []


def test_the_error_names_an_absent_secret() -> None:
    with pytest.raises(ConfigurationError, match=r"^Bad configuration: DATABASE_URL is required$"):
        resolve(None, "DATABASE_URL")


def test_an_arn_is_read_again_after_five_minutes(aws: Aws) -> None:
    assert resolve(DATABASE, "DATABASE_URL") == FIRST
    aws.value = SECOND
    aws.now += 299.9
    assert resolve(DATABASE, "DATABASE_URL") == FIRST
    assert aws.calls == [ARN]
    aws.now += 0.1
    assert resolve(DATABASE, "DATABASE_URL") == SECOND
    assert aws.calls == [ARN, ARN]


def test_each_arn_has_its_own_value(aws: Aws) -> None:
    assert resolve(DATABASE, "DATABASE_URL") == FIRST
    aws.value = SECOND
    assert resolve(SecretStr(ARN + "2"), "DATABASE_URL") == SECOND
    assert resolve(DATABASE, "DATABASE_URL") == FIRST


def test_a_fresh_value_is_read_at_most_every_five_seconds(aws: Aws) -> None:
    assert resolve(DATABASE, "DATABASE_URL") == FIRST
    aws.value = SECOND
    aws.now += 4.9
    assert resolve(DATABASE, "DATABASE_URL", fresh=True) == FIRST
    aws.now += 0.1
    assert resolve(DATABASE, "DATABASE_URL", fresh=True) == SECOND
    assert resolve(DATABASE, "DATABASE_URL") == SECOND
    assert len(aws.calls) == 2


def test_a_value_that_cannot_be_refreshed_is_used_for_an_hour(aws: Aws) -> None:
    assert resolve(DATABASE, "DATABASE_URL") == FIRST
    aws.value = None
    aws.now += 300
    assert [resolve(DATABASE, "DATABASE_URL") for _ in range(3)] == [FIRST] * 3
    assert len(aws.calls) == 2
    assert "SecretUnreadable" in metrics.metric_set
    aws.now += 30
    assert resolve(DATABASE, "DATABASE_URL") == FIRST
    assert len(aws.calls) == 3
    aws.now += 3271
    with pytest.raises(ConfigurationError, match="DATABASE_URL cannot be read: AWS is down"):
        resolve(DATABASE, "DATABASE_URL")
    aws.value = SECOND
    assert resolve(DATABASE, "DATABASE_URL") == SECOND


def test_the_error_for_an_unreadable_secret_does_not_contain_its_arn(aws: Aws) -> None:
    aws.value = None
    with pytest.raises(ConfigurationError) as caught:
        resolve(DATABASE, "DATABASE_URL")
    assert str(caught.value) == "Bad configuration: DATABASE_URL cannot be read: AWS is down"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DATABASE_URL", "mysql://u:canary@db", "must start with postgresql://"),
        ("REDIS_URL", "canary", "must start with redis://"),
        ("JWT_SECRET", "canary", "must be at least 32 bytes"),
        ("TMDB_API_KEY", ARN, "is an ARN whose value is another ARN"),
        ("REDIS_URL", "none", "is an ARN whose value is none: set the variable"),
    ],
)
def test_the_value_of_an_arn_is_validated_like_a_plain_value(
    aws: Aws, name: str, value: str, reason: str
) -> None:
    aws.value = value
    with pytest.raises(ConfigurationError, match=f"{name} {reason}") as caught:
        resolve(SecretStr(ARN), name)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "login", "url"),
    [
        (
            "DATABASE_URL",
            '{"username": "u", "password": "p", "host": "db", "port": 5433, "dbname": "d"}',
            "postgresql://u:p@db:5433/d?sslmode=verify-full",
        ),
        ("REDIS_URL", '{"password": "p", "host": "cache"}', "rediss://:p@cache:6379/0"),
        ("JWT_SECRET", f'{{"sign": "{JWT_SECRET}", "verify": []}}', None),
    ],
)
def test_a_login_is_returned_as_a_url(aws: Aws, name: str, login: str, url: str | None) -> None:
    aws.value = login
    assert [resolve(SecretStr(ARN), name) for _ in range(2)] == [url or login] * 2
    assert aws.calls == [ARN]


def test_a_login_without_a_host_uses_the_host_variable(
    aws: Aws, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("DATABASE_HOST", "db.example")
    environment.setenv("REDIS_HOST", "cache.example")
    clear_caches()
    aws.value = '{"username": "u", "password": "p"}'
    url = "postgresql://u:p@db.example:5432/?sslmode=verify-full"
    assert resolve(SecretStr(ARN), "DATABASE_URL") == url
    assert resolve(SecretStr(ARN), "REDIS_URL") == "rediss://u:p@cache.example:6379/0"


@pytest.mark.parametrize(
    ("name", "plain", "secure"),
    [
        ("DATABASE_URL", FIRST, f"{FIRST}?sslmode=verify-full"),
        ("REDIS_URL", "redis://:canary@cache", "rediss://:canary@cache"),
    ],
)
def test_the_value_of_an_arn_must_use_tls_in_production(
    aws: Aws, environment: pytest.MonkeyPatch, name: str, plain: str, secure: str
) -> None:
    for variable in ("DATABASE_URL", "REDIS_URL"):
        environment.setenv(variable, ARN)
    environment.setenv("NODE_ENV", "production")
    clear_caches()
    aws.value = plain
    with pytest.raises(ConfigurationError, match=f"{name} must use TLS") as caught:
        resolve(SecretStr(ARN), name)
    assert "canary" not in str(caught.value)
    aws.value = secure
    assert resolve(SecretStr(ARN), name) == secure
