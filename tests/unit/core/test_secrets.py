"""Secrets: a value is itself, an ARN is looked up once."""

import sys
from types import ModuleType

import pytest
from pydantic import SecretStr

from medianest.core.config import ConfigurationError
from medianest.core.secrets import resolve

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:medianest-AbCdEf"


class SecretsManager(ModuleType):
    """Stands in for the Powertools module, which needs boto3."""

    def __init__(self, values: dict[str, object]) -> None:
        super().__init__("aws_lambda_powertools.utilities.parameters")
        self.values = values
        self.asked: list[str] = []

    def get_secret(self, name: str) -> object:
        self.asked.append(name)
        return self.values[name]


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch) -> SecretsManager:
    import aws_lambda_powertools.utilities as parent  # noqa: PLC0415

    module = SecretsManager({ARN: "the value", ARN + "2": "another value"})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(parent, "parameters", module, raising=False)
    return module


def test_a_value_is_itself(secrets_manager: SecretsManager) -> None:
    assert resolve(SecretStr("just a value"), "TMDB_API_KEY") == "just a value"
    assert secrets_manager.asked == []


def test_an_arn_is_looked_up_once(secrets_manager: SecretsManager) -> None:
    assert [resolve(SecretStr(ARN), "JWT_SECRET") for _ in range(3)] == ["the value"] * 3
    assert secrets_manager.asked == [ARN]


def test_each_arn_has_its_own_value(secrets_manager: SecretsManager) -> None:
    assert resolve(SecretStr(ARN), "JWT_SECRET") == "the value"
    assert resolve(SecretStr(ARN + "2"), "DATABASE_URL") == "another value"
    assert secrets_manager.asked == [ARN, ARN + "2"]


def test_an_absent_secret_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^Bad configuration: DATABASE_URL is required$"):
        resolve(None, "DATABASE_URL")
