"""Secrets given by ARN, read from AWS (emulated by moto) or from a stand-in for its extension."""

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, LiteralString, cast
from urllib.parse import parse_qs, urlsplit

import boto3
import certifi
import psycopg
import pytest
import redis
from moto import mock_aws
from psycopg import sql
from pydantic import SecretStr

from medianest.core import environment as core_environment
from medianest.core import secrets
from medianest.core.cache import shared_cache
from medianest.core.db import database
from medianest.core.environment import ConfigurationError
from tests.support.api import call, event_of, invoke
from tests.support.engines import drop_role
from tests.support.tls import self_signed, server_context, tls_proxy

TOKEN = "the session token of this environment"
REGION = "eu-west-1"
CACHES = (core_environment.environment, database, shared_cache, secrets._provider)


class Aws:
    """Secrets Manager and Parameter Store, emulated by moto."""

    def __init__(self) -> None:
        self.secrets = boto3.client("secretsmanager", REGION)
        self.parameters = boto3.client("ssm", REGION)

    def secret(self, name: str, value: str | bytes) -> str:
        kind = "SecretString" if isinstance(value, str) else "SecretBinary"
        return str(self.secrets.create_secret(Name=name, **{kind: value})["ARN"])

    def parameter(self, name: str, value: str) -> str:
        self.parameters.put_parameter(Name=name, Value=value, Type="SecureString")
        return str(self.parameters.get_parameter(Name=name)["Parameter"]["ARN"])


def reset_process_state() -> None:
    """Close the connections and clear the caches, as in a new process."""
    database().close()
    for cached in CACHES:
        cached.cache_clear()
    secrets._cached.clear()


@pytest.fixture
def variables(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[pytest.MonkeyPatch]:
    """Set environment variables for a test; the next read of the environment sees them."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("ALLOW_PRIVATE_SERVERS", "false")
    reset_process_state()
    yield monkeypatch
    monkeypatch.undo()
    reset_process_state()


@pytest.fixture
def aws(variables: object) -> Iterator[Aws]:
    with mock_aws():
        yield Aws()


@dataclass
class Extension:
    """The response of the extension's stand-in, and the calls that it received."""

    port: int = 0
    status: int = 200
    body: bytes = b"{}"
    may_respond: threading.Event = field(default_factory=threading.Event)
    calls: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def respond_with(self, answer: object) -> None:
        self.status, self.body = 200, json.dumps(answer).encode()


class Handler(BaseHTTPRequestHandler):
    """The extension's protocol: a GET with the session token of the environment."""

    def do_GET(self) -> None:
        extension = cast("Any", self.server).extension
        address = urlsplit(self.path)
        extension.calls.append((address.path, parse_qs(address.query)))
        extension.may_respond.wait(60)
        authorized = self.headers["X-Aws-Parameters-Secrets-Token"] == TOKEN
        self.send_response(extension.status if authorized else 401)
        self.end_headers()
        self.wfile.write(extension.body if authorized else b"no")

    def log_message(self, *_: object) -> None:
        """Write no access log."""


@pytest.fixture
def extension(variables: pytest.MonkeyPatch) -> Iterator[Extension]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in = Extension(server.server_port)
    stand_in.may_respond.set()
    cast("Any", server).extension = stand_in
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    variables.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(stand_in.port))
    yield stand_in
    stand_in.may_respond.set()
    server.shutdown()
    server.server_close()
    thread.join()


def resolve(arn: str, name: str = "TMDB_API_KEY", *, fresh: bool = False) -> str:
    return secrets.resolve(SecretStr(arn), name, fresh=fresh)


def test_secret_is_read_from_secrets_manager(aws: Aws) -> None:
    assert resolve(aws.secret("medianest/tmdb-api-key", "a-key")) == "a-key"


def test_parameter_is_read_decrypted_from_parameter_store(aws: Aws) -> None:
    assert resolve(aws.parameter("/medianest/tmdb-api-key", "a-key")) == "a-key"
    assert resolve(aws.parameter("flat", "another-key")) == "another-key"


def test_rotated_secret_is_used_after_five_minutes_or_on_demand(
    aws: Aws, variables: pytest.MonkeyPatch
) -> None:
    arn = aws.secret("medianest/tmdb-api-key", "first")
    now = time.time()
    assert resolve(arn) == "first"
    aws.secrets.put_secret_value(SecretId=arn, SecretString="second")
    assert resolve(arn) == "first"
    variables.setattr("medianest.core.secrets.time.time", lambda: now + 10)
    assert resolve(arn, fresh=True) == "second"
    aws.secrets.put_secret_value(SecretId=arn, SecretString="third")
    variables.setattr("medianest.core.secrets.time.time", lambda: now + 311)
    assert resolve(arn) == "third"


@pytest.mark.parametrize("service", ["secretsmanager", "ssm"])
def test_missing_secret_is_reported_with_the_name_of_the_variable(aws: Aws, service: str) -> None:
    kind = "secret:none" if service == "secretsmanager" else "parameter/none"
    arn = f"arn:aws:{service}:{REGION}:123456789012:{kind}"
    with pytest.raises(ConfigurationError, match="TMDB_API_KEY cannot be read") as caught:
        resolve(arn)
    assert "none" not in str(caught.value)


def test_binary_secret_is_refused(aws: Aws) -> None:
    arn = aws.secret("medianest/tmdb-api-key", b"canary")
    with pytest.raises(ConfigurationError, match="empty or not text") as caught:
        resolve(arn)
    assert "canary" not in str(caught.value)


def test_unreachable_aws_fails_within_ten_seconds(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("AWS_ACCESS_KEY_ID", "x")
    variables.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as silent:  # accepts, never answers
        variables.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.server_port}")
        started = time.monotonic()
        with pytest.raises(ConfigurationError, match="TMDB_API_KEY cannot be read"):
            resolve(f"arn:aws:secretsmanager:{REGION}:123456789012:secret:none")
    assert time.monotonic() - started < 10


def test_extension_is_used_where_it_is_configured(extension: Extension) -> None:
    arn = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:medianest/x-AbCdEf"
    extension.respond_with({"ARN": arn, "SecretString": "a-key"})
    assert [resolve(arn) for _ in range(3)] == ["a-key"] * 3
    assert extension.calls == [("/secretsmanager/get", {"secretId": [arn]})]


def test_extension_is_used_for_parameters(extension: Extension) -> None:
    arn = f"arn:aws:ssm:{REGION}:123456789012:parameter/medianest/x"
    extension.respond_with({"Parameter": {"ARN": arn, "Value": "a-key"}, "ResultMetadata": {}})
    assert resolve(arn) == "a-key"
    assert extension.calls == [
        ("/systemsmanager/parameters/get", {"name": [arn], "withDecryption": ["true"]})
    ]


def test_boto3_is_not_imported_with_the_extension(extension: Extension) -> None:
    extension.respond_with({"SecretString": "a-key"})
    script = (
        "import sys; from pydantic import SecretStr; from medianest.core import secrets;"
        "print(secrets.resolve(SecretStr('arn:aws:secretsmanager:r:1:secret:x'), 'TMDB_API_KEY'));"
        "assert 'boto3' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "a-key\n"), done.stderr


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b"not ready to serve traffic, please wait"),
        (400, b'{"Message": "not ready to serve traffic, please wait"}'),
        (401, b"no"),
        (500, b'{"SecretString": "canary"}'),
        (302, b""),
        (200, b""),
        (200, b"<html>canary"),
        (200, b'{"SecretString": "can'),
        (200, b'["canary"]'),
        (200, b'"canary"'),
        (200, b"{}"),
        (200, b'{"SecretString": ""}'),
        (200, b'{"SecretString": null}'),
        (200, b'{"SecretBinary": "canary"}'),
        (200, b'{"SecretString": "' + b"x" * 3_000_000 + b'"}'),
    ],
)
def test_invalid_response_of_the_extension_falls_back_to_aws(
    aws: Aws, extension: Extension, logs: io.StringIO, status: int, body: bytes
) -> None:
    arn = aws.secret("medianest/tmdb-api-key", "a-key")
    extension.status, extension.body = status, body
    assert resolve(arn) == "a-key"
    assert "secrets_extension_failed" in logs.getvalue()
    assert "canary" not in logs.getvalue()


def test_silent_extension_times_out_after_two_seconds(aws: Aws, extension: Extension) -> None:
    arn = aws.secret("medianest/tmdb-api-key", "a-key")
    extension.respond_with({"SecretString": "too late"})
    extension.may_respond.clear()
    started = time.monotonic()
    assert resolve(arn) == "a-key"
    assert 1.9 < time.monotonic() - started < 20


def test_missing_extension_falls_back_to_aws(aws: Aws, variables: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as gone:
        variables.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(gone.server_port))
    assert resolve(aws.secret("medianest/tmdb-api-key", "a-key")) == "a-key"


def test_failure_of_extension_and_aws_names_the_variable(aws: Aws, extension: Extension) -> None:
    extension.status = 500
    with pytest.raises(ConfigurationError, match="TMDB_API_KEY cannot be read: AWS returned"):
        resolve(f"arn:aws:secretsmanager:{REGION}:123456789012:secret:none")


def test_fresh_value_bypasses_the_cache_of_the_extension(
    aws: Aws, extension: Extension, variables: pytest.MonkeyPatch
) -> None:
    arn = aws.secret("medianest/tmdb-api-key", "new")
    extension.respond_with({"SecretString": "old"})
    assert resolve(arn) == "old"
    later = time.time() + 10
    variables.setattr("medianest.core.secrets.time.time", lambda: later)
    assert resolve(arn, fresh=True) == "new"
    assert resolve(arn) == "new"


def test_function_reads_its_settings_from_arns(
    aws: Aws, environment: dict[str, str], variables: pytest.MonkeyPatch, logs: io.StringIO
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL"):
        variables.setenv(name, aws.secret(name, environment[name]))
    answer = call("GET", "/api/health")
    assert answer.status == 200, logs.getvalue()
    assert answer.data["status"] == "healthy"


def test_function_verifies_tokens_with_the_key_of_an_arn(
    aws: Aws,
    variables: pytest.MonkeyPatch,
    people: dict[str, str],
) -> None:
    variables.setenv("JWT_SECRET", aws.secret("JWT_SECRET", os.environ["JWT_SECRET"]))
    reset_process_state()
    assert call("GET", "/api/auth/me", token=people["alice"]).status == 200
    variables.setenv("JWT_SECRET", aws.secret("another", "qV3_8yXwK0hJ-4bTnE2rLzUaPsC6dGmF"))
    reset_process_state()
    assert call("GET", "/api/auth/me", token=people["alice"]).code == "JWT_INVALID"


def test_function_reads_the_proof_of_the_distribution_from_an_arn(
    aws: Aws, variables: pytest.MonkeyPatch, db: object
) -> None:
    old, new = "4f9d" * 12, "b07c" * 12
    arn = aws.secret("ORIGIN_VERIFY_SECRET", old)
    variables.setenv("ORIGIN_VERIFY_SECRET", arn)
    reset_process_state()

    def status(proof: str) -> int:
        headers = {"X-Origin-Verify": proof, "X-MediaNest-Viewer-Address": "198.51.100.1"}
        return invoke(*event_of("GET", "/api/auth/options", headers=headers)).status

    assert (status(old), status(new)) == (200, 403)
    rotating = json.dumps({"send": new, "accept": [old]})
    aws.secrets.put_secret_value(SecretId=arn, SecretString=rotating)
    now = time.time()
    variables.setattr("medianest.core.secrets.time.time", lambda: now + 311)
    assert (status(old), status(new), status("x" * 48)) == (200, 200, 403)


def test_production_refuses_addresses_without_tls(
    aws: Aws, environment: dict[str, str], variables: pytest.MonkeyPatch, logs: io.StringIO
) -> None:
    variables.setenv("NODE_ENV", "production")
    for name in ("PLEX_API_URL", "PLEX_AUTH_URL", "TMDB_API_URL"):
        variables.delenv(name)
    for name in ("DATABASE_URL", "REDIS_URL"):
        variables.setenv(name, aws.secret(name, environment[name]))
    answer = call("GET", "/api/health")
    assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
    assert "DATABASE_URL must use TLS in production" in logs.getvalue()
    password = urlsplit(environment["DATABASE_URL"]).password
    assert password
    assert password not in logs.getvalue() + answer.text


def test_production_does_not_connect_to_a_server_without_tls(
    aws: Aws, environment: dict[str, str], variables: pytest.MonkeyPatch, logs: io.StringIO
) -> None:
    variables.setenv("NODE_ENV", "production")
    for name in ("PLEX_API_URL", "PLEX_AUTH_URL", "TMDB_API_URL"):
        variables.delenv(name)
    variables.setenv(
        "DATABASE_URL", aws.secret("d", f"{environment['DATABASE_URL']}?sslmode=verify-full")
    )
    variables.setenv("REDIS_URL", aws.secret("r", f"rediss{environment['REDIS_URL'][5:]}"))
    assert call("GET", "/api/health").code == "DATABASE_CONNECTION_ERROR"
    assert "server does not support SSL" in logs.getvalue()
    assert shared_cache().ping() is False


@dataclass
class Role:
    """A database role whose password a test changes."""

    owner: psycopg.Connection[tuple[Any, ...]]
    name: str
    server: str

    def run(self, query: LiteralString, *values: str) -> None:
        literals = map(sql.Literal, values)
        self.owner.execute(sql.SQL(query).format(*literals, role=sql.Identifier(self.name)))

    def address(self, password: str) -> str:
        return f"postgresql://{self.name}:{password}@{self.server}"

    def login(self, password: str, port: int) -> str:
        """Return a login secret as RDS stores it, for the engine behind a TLS port."""
        database = self.server.rpartition("/")[2]
        return json.dumps(
            {
                "username": self.name,
                "password": password,
                "host": "localhost",
                "port": port,
                "dbname": database,
            }
        )

    def change(self, password: str) -> None:
        self.run("ALTER ROLE {role} PASSWORD {}", password)


@pytest.fixture
def role(
    database_url: str,
    environment: dict[str, str],
    worker_id: str,
    reconnect: Callable[[], None],
) -> Iterator[Role]:
    with psycopg.connect(database_url, autocommit=True) as owner:
        # Roles belong to the server, which all workers share.
        server = environment["DATABASE_URL"].rpartition("@")[2]
        created = Role(owner, f"test_rotated_{worker_id}", server)
        drop_role(owner, created.name)
        created.run("CREATE ROLE {role} LOGIN PASSWORD {}", "first")
        yield created
        drop_role(owner, created.name)
        reconnect()  # PgBouncer may keep a connection of the dropped role


def test_changed_database_password_is_read_again_at_once(
    aws: Aws,
    environment: dict[str, str],
    variables: pytest.MonkeyPatch,
    role: Role,
) -> None:
    arn = aws.secret("DATABASE_URL", role.address("first"))
    variables.setenv("DATABASE_URL", arn)
    variables.setattr(secrets, "FRESH_SECONDS", 0.0)
    assert call("GET", "/api/health").status == 200
    role.change("second")
    aws.secrets.put_secret_value(SecretId=arn, SecretString=role.address("second"))
    assert call("GET", "/api/health").status == 200  # the open connection stays usable
    database().close()
    assert call("GET", "/api/health").status == 200
    database().close()


@pytest.fixture
def secured(
    environment: dict[str, str], variables: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[int, int]]:
    """Return the TLS ports of PostgreSQL and Valkey, with a certificate that clients trust."""
    certificate, key = self_signed(tmp_path)
    variables.setattr(certifi, "where", lambda: str(certificate))
    variables.setenv("SSL_CERT_FILE", str(certificate))
    context = server_context(certificate, key)
    with (
        tls_proxy(environment["DATABASE_URL"], context, postgres=True) as first,
        tls_proxy(environment["REDIS_URL"], context, postgres=False) as second,
    ):
        yield first, second


@pytest.fixture
def cache_password(keys: redis.Redis) -> Iterator[str]:
    """Return the password of the cache user `app`."""
    password = "p@ss/wo:rd?#% é"
    keys.acl_setuser("app", enabled=True, passwords=[f"+{password}"], keys="*", commands=["+@all"])
    yield password
    keys.acl_deluser("app")


def test_production_function_connects_with_login_secrets_of_aws(
    aws: Aws,
    variables: pytest.MonkeyPatch,
    role: Role,
    secured: tuple[int, int],
    cache_password: str,
    logs: io.StringIO,
) -> None:
    variables.setenv("NODE_ENV", "production")
    for name in ("PLEX_API_URL", "PLEX_AUTH_URL", "TMDB_API_URL"):
        variables.delenv(name)
    role.change(cache_password)
    cache_login = {"username": "app", "password": cache_password, "host": "localhost"}
    variables.setenv("DATABASE_URL", aws.secret("d", role.login(cache_password, secured[0])))
    variables.setenv("REDIS_URL", aws.secret("r", json.dumps({**cache_login, "port": secured[1]})))
    answer = call("GET", "/api/health")
    assert answer.status == 200, logs.getvalue()
    assert answer.data["status"] == "healthy"


def test_changed_password_in_a_login_secret_is_read_again_at_once(
    aws: Aws,
    variables: pytest.MonkeyPatch,
    role: Role,
    secured: tuple[int, int],
    logs: io.StringIO,
) -> None:
    arn = aws.secret("DATABASE_URL", role.login("first", secured[0]))
    variables.setenv("DATABASE_URL", arn)
    variables.setattr(secrets, "FRESH_SECONDS", 0.0)
    assert call("GET", "/api/health").status == 200
    role.change("s€cond/@")
    aws.secrets.put_secret_value(SecretId=arn, SecretString=role.login("s€cond/@", secured[0]))
    assert call("GET", "/api/health").status == 200  # the open connection stays usable
    database().close()
    assert call("GET", "/api/health").status == 200
    assert "database_password_refreshed" in logs.getvalue()
    assert "cond" not in logs.getvalue()


def test_invalid_new_url_is_not_logged(
    aws: Aws, variables: pytest.MonkeyPatch, role: Role, logs: io.StringIO
) -> None:
    arn = aws.secret("DATABASE_URL", role.address("first"))
    variables.setenv("DATABASE_URL", arn)
    variables.setattr(secrets, "FRESH_SECONDS", 0.0)
    assert call("GET", "/api/health").status == 200
    database().close()
    role.change("second")
    aws.secrets.put_secret_value(SecretId=arn, SecretString=role.address("canary%zz"))
    assert call("GET", "/api/health").code == "INTERNAL_ERROR"
    assert "DATABASE_URL is not a valid PostgreSQL URL" in logs.getvalue()
    assert "canary" not in logs.getvalue()


def test_password_that_stays_wrong_is_a_database_connection_error(
    aws: Aws,
    environment: dict[str, str],
    variables: pytest.MonkeyPatch,
    logs: io.StringIO,
    role: Role,
) -> None:
    arn = aws.secret("DATABASE_URL", role.address("first"))
    variables.setenv("DATABASE_URL", arn)
    variables.setattr(secrets, "FRESH_SECONDS", 0.0)
    role.change("second")
    assert call("GET", "/api/health").code == "DATABASE_CONNECTION_ERROR"
    aws.secrets.put_secret_value(SecretId=arn, SecretString=role.address("third"))
    assert call("GET", "/api/health").code == "DATABASE_CONNECTION_ERROR"
    assert not any(f":{word}@" in logs.getvalue() for word in ("first", "second", "third"))


def test_changed_url_replaces_the_open_connection(
    aws: Aws,
    environment: dict[str, str],
    variables: pytest.MonkeyPatch,
    role: Role,
) -> None:
    def connected_as() -> object:
        with database().transaction() as connection:
            row = connection.execute("SELECT current_user").fetchone()
        assert row is not None
        return row[0]

    variables.setenv("DATABASE_URL", aws.secret("d", environment["DATABASE_URL"]))
    cache_arn = aws.secret("r", environment["REDIS_URL"])
    variables.setenv("REDIS_URL", cache_arn)
    assert connected_as() != role.name
    assert shared_cache().ping()
    aws.secrets.put_secret_value(SecretId="d", SecretString=role.address("first"))
    aws.secrets.put_secret_value(SecretId=cache_arn, SecretString="redis://127.0.0.1:1/0")
    later = time.time() + 301
    variables.setattr("medianest.core.secrets.time.time", lambda: later)
    assert connected_as() == role.name
    assert not shared_cache().ping()
    database().close()
