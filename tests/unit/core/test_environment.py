"""Environment variables: validated together, all errors reported at once, no secret in an error."""

import json
import re
import secrets
import traceback
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError

from medianest.core.environment import ConfigurationError, is_secret, load
from medianest.core.signing_keys import check_jwt_secret
from medianest.core.variables import Environment
from tests.support.cases import case

SECRETS = {name.upper() for name, field in Environment.model_fields.items() if is_secret(field)}
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:medianest-AbCdEf"
RANDOM_SECRET = "qV3_8yXwK0hJ-4bTnE2rLzUaPsC6dGmF"


def problems_of(environ: dict[str, str], *required: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(environ, *required)
    return str(caught.value)


def test_an_empty_environment_gives_the_defaults() -> None:
    loaded = load({})
    assert loaded.node_env == "development"
    assert loaded.log_level == "INFO"
    assert loaded.cors_origin == "*"
    assert loaded.database_url is None
    assert loaded.redis_url is None
    assert loaded.jwt_secret is None
    assert loaded.plex_client_id is None
    assert loaded.tmdb_api_key is None
    assert loaded.plex_api_url == "https://plex.tv"
    assert loaded.tmdb_api_url == "https://api.themoviedb.org/3"


def test_a_complete_environment_is_loaded() -> None:
    loaded = load(
        {
            "NODE_ENV": "production",
            "LOG_LEVEL": "ERROR",
            "CORS_ORIGIN": "https://media.example.org",
            "DATABASE_URL": "postgresql://u:p@db/medianest?sslmode=verify-full",
            "REDIS_URL": "rediss://cache:6379/0",
            "JWT_SECRET": RANDOM_SECRET,
            "PLEX_CLIENT_ID": "an-installation",
            "PLEX_SERVER_ID": "a-server",
            "TMDB_API_KEY": "a-key",
            "SOMETHING_ELSE": "ignored",
        },
        "DATABASE_URL",
        "REDIS_URL",
        "JWT_SECRET",
        "PLEX_CLIENT_ID",
        "TMDB_API_KEY",
    )
    assert loaded.node_env == "production"
    assert loaded.plex_client_id == "an-installation"
    assert loaded.plex_server_id == "a-server"
    assert loaded.jwt_secret is not None
    assert loaded.jwt_secret.get_secret_value() == RANDOM_SECRET
    assert loaded.database_url is not None
    assert loaded.database_url.get_secret_value() == (
        "postgresql://u:p@db/medianest?sslmode=verify-full"
    )


def test_all_problems_are_reported_at_once() -> None:
    message = problems_of(
        {
            "NODE_ENV": "staging",
            "LOG_LEVEL": "LOUD",
            "CORS_ORIGIN": "media.example.org",
            "DATABASE_URL": "mysql://db",
            "APP_DATABASE_URL": "{}",
            "REDIS_URL": "http://cache",
            "JWT_SECRET": "short",
            "PLEX_CLIENT_ID": "x" * 201,
            "PLEX_SERVER_ID": "x" * 201,
            "PLEX_API_URL": "ftp://plex.tv",
            "PLEX_AUTH_URL": "plex",
            "TMDB_API_URL": "https://",
        },
        "TMDB_API_KEY",
        "JWT_SECRET",
    )
    for name in (
        "NODE_ENV",
        "LOG_LEVEL",
        "CORS_ORIGIN",
        "DATABASE_URL",
        "APP_DATABASE_URL",
        "REDIS_URL",
        "JWT_SECRET",
        "PLEX_CLIENT_ID",
        "PLEX_SERVER_ID",
        "PLEX_API_URL",
        "PLEX_AUTH_URL",
        "TMDB_API_URL",
    ):
        assert len(re.findall(rf"\b{name} ", message)) == 1, name
        assert name.lower() not in message
    assert "TMDB_API_KEY is required" in message
    assert "JWT_SECRET is required" not in message


INVALID_VALUES = [
    ("NODE_ENV", "Production"),
    ("NODE_ENV", "test"),
    ("LOG_LEVEL", "TRACE"),
    ("LOG_LEVEL", "20"),
    ("PUBLIC_URL", "https://media.example.org/"),
    ("PUBLIC_URL", "http://media.example.org"),
    ("ORIGIN_VERIFY_SECRET", "x" * 31),
    ("ORIGIN_VERIFY_SECRET", '{"send": "x"}'),
    ("ORIGIN_VERIFY_SECRET", "arn:aws:s3:::bucket"),
    ("COOKIE_SECURE", "no"),
    ("COOKIE_SECURE", "True"),
    ("CORS_ORIGIN", "media.example.org"),
    ("CORS_ORIGIN", "https://media.example.org/"),
    ("CORS_ORIGIN", "https://media.example.org/app"),
    ("CORS_ORIGIN", "https://a.example.org,"),
    ("CORS_ORIGIN", "https://a.example.org,*"),
    ("CORS_ORIGIN", "https://a.example.org https://b.example.org"),
    ("CORS_ORIGIN", "https://a.example.org?x=1"),
    ("CORS_ORIGIN", "https://a.example.org#top"),
    ("CORS_ORIGIN", "https://user@a.example.org"),
    ("CORS_ORIGIN", "null"),
    ("CORS_ORIGIN", "https://"),
    ("CORS_ORIGIN", "https://[::1"),
    ("DATABASE_URL", "mysql://db/medianest"),
    ("DATABASE_URL", "db/medianest"),
    ("DATABASE_URL", "postgresql"),
    ("DATABASE_URL", "sqlite:///medianest"),
    ("DATABASE_URL", "postgresql://u:p@ss@db/medianest"),
    ("DATABASE_URL", "postgresql://u:p/ss@db/medianest"),
    ("APP_DATABASE_URL", "mysql://db/medianest"),
    ("DATABASE_HOST", "db/x"),
    ("REDIS_HOST", "u:p@cache"),
    ("REDIS_URL", "valkey.example.org:6379"),
    ("REDIS_URL", "http://cache:6379"),
    ("REDIS_URL", "redis"),
    ("JWT_SECRET", "x"),
    ("JWT_SECRET", RANDOM_SECRET[:31]),
    ("JWT_SECRET", "a" * 64),
    ("PLEX_CLIENT_ID", "x" * 201),
    ("PLEX_CLIENT_ID", "a line\nbreak"),
    ("PLEX_SERVER_ID", "x" * 201),
    ("PLEX_SERVER_ID", "http://192.168.1.2:32400"),
    ("PLEX_SERVER_ID", "a server"),
    ("PLEX_API_URL", "https://plex.tv:port"),
    ("REDIS_URL", "redis://cache:port/0"),
    ("REDIS_URL", "redis:///0"),
    ("REDIS_URL", "redis://:pa/ss@cache"),
    ("PLEX_API_URL", "plex.tv"),
    ("PLEX_API_URL", "file:///etc/passwd"),
    ("PLEX_AUTH_URL", "javascript:alert(1)"),
    ("TMDB_API_URL", "https:///3"),
    ("TMDB_API_URL", "https://me:secret@proxy.example.org/3"),
    ("TMDB_API_URL", "http://[::1"),
    ("DATABASE_URL", "arn:aws:s3:::bucket"),
    ("TMDB_API_KEY", "arn:"),
    # A token is sent as a header.
    ("TMDB_API_KEY", "a.b.c\n"),
    ("TMDB_API_KEY", "a.b\t.c"),
    ("TMDB_API_KEY", " key"),
    ("TMDB_API_KEY", "schlüssel"),
    ("DATABASE_CONNECT_TIMEOUT_SECONDS", "1"),
    ("DATABASE_CONNECT_TIMEOUT_SECONDS", "2.5"),
    ("DATABASE_CONNECT_TIMEOUT_SECONDS", "61"),
    ("DATABASE_ANSWER_TIMEOUT_SECONDS", "3"),
    ("DATABASE_ANSWER_TIMEOUT_SECONDS", "nan"),
    ("CACHE_CONNECT_TIMEOUT_SECONDS", "3"),
    ("CACHE_TIMEOUT_SECONDS", "0"),
    ("CACHE_TIMEOUT_SECONDS", "250ms"),
    ("UPSTREAM_TIMEOUT_SECONDS", "-1"),
    ("UPSTREAM_TIMEOUT_SECONDS", "inf"),
    ("TMDB_LANGUAGE", "english"),
    ("TMDB_LANGUAGE", "en-US&page=2"),
    ("TMDB_SEARCH_CACHE_SECONDS", "0"),
    ("TMDB_SEARCH_CACHE_SECONDS", "86401"),
    ("TMDB_DETAILS_CACHE_SECONDS", "1.5"),
    ("TMDB_STALE_SECONDS", "-1"),
]


def test_the_error_for_an_invalid_value_has_the_upper_case_name() -> None:
    for name, value in INVALID_VALUES:
        with case(name, value):
            message = problems_of({name: value})
            assert message.startswith(
                (f"Bad configuration: {name} must ", f"Bad configuration: {name} is ")
            )
            assert name.lower() not in message
            # The message has our wording, and the value unless that is a secret.
            assert not re.search(r"Input|String|should|pattern|\^|Invalid|unpack", message)
            is_shown = name not in SECRETS and "@" not in value
            assert (", not " in message) == is_shown


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("NODE_ENV", "Production", 'must be development or production, not "Production"'),
        ("LOG_LEVEL", "loud", 'must be DEBUG, INFO, WARNING or ERROR, not "loud"'),
        ("TMDB_LANGUAGE", "de_DE", 'must be a language such as de or de-DE, not "de_DE"'),
        ("CACHE_TIMEOUT_SECONDS", "9", 'must be a number of seconds from 0.05 to 2, not "9"'),
        (
            "TMDB_STALE_SECONDS",
            "1.5",
            'must be a whole number of seconds from 0 to 2592000, not "1.5"',
        ),
        (
            "PLEX_API_URL",
            "x" * 100,
            f'must be a URL that starts with https:// or http://, not "{"x" * 60}…"',
        ),
    ],
)
def test_an_error_describes_the_valid_values(name: str, value: str, message: str) -> None:
    assert problems_of({name: value}) == f"Bad configuration: {name} {message}"


def test_the_error_for_an_invalid_server_id_names_its_source() -> None:
    assert "/identity shows as machineIdentifier" in problems_of({"PLEX_SERVER_ID": "http://nas"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NODE_ENV", "production"),
        ("NODE_ENV", "development"),
        ("DATABASE_URL", "postgresql://db/medianest"),
        ("DATABASE_URL", "postgres://db/medianest"),
        ("DATABASE_URL", "postgresql://u:p%40%2Fss@db/medianest?options=-c%20x@y"),
        ("APP_DATABASE_URL", "postgresql://app@db/medianest"),
        ("DATABASE_HOST", "db.abc.eu-west-1.rds.amazonaws.com"),
        ("REDIS_HOST", "127.0.0.1"),
        ("REDIS_URL", "redis://cache:6379/0"),
        ("REDIS_URL", "rediss://cache:6379/0"),
        ("JWT_SECRET", RANDOM_SECRET),
        ("PLEX_CLIENT_ID", "x" * 200),
        ("PLEX_SERVER_ID", "x" * 200),
        ("PLEX_API_URL", "http://localhost:9999"),
        ("PLEX_AUTH_URL", "https://app.plex.tv/auth"),
        ("TMDB_API_KEY", "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.a-b_c"),
        ("TMDB_API_URL", "https://tmdb.example.org/3"),
        ("DATABASE_CONNECT_TIMEOUT_SECONDS", "2"),
        ("DATABASE_ANSWER_TIMEOUT_SECONDS", "7.5"),
        ("CACHE_CONNECT_TIMEOUT_SECONDS", "1"),
        ("CACHE_TIMEOUT_SECONDS", "1"),
        ("UPSTREAM_TIMEOUT_SECONDS", "10"),
        ("TMDB_LANGUAGE", "de"),
        ("TMDB_LANGUAGE", "pt-BR"),
        ("TMDB_SEARCH_CACHE_SECONDS", "1"),
        ("TMDB_DETAILS_CACHE_SECONDS", "604800"),
        ("TMDB_STALE_SECONDS", "0"),
    ],
)
def test_a_valid_value_is_accepted(name: str, value: str) -> None:
    assert getattr(load({name: value}), name.lower()) is not None


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize("arn", [ARN, "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/medianest"])
@pytest.mark.parametrize(
    "name",
    [
        *("DATABASE_URL", "APP_DATABASE_URL", "REDIS_URL", "JWT_SECRET", "TMDB_API_KEY"),
        "ORIGIN_VERIFY_SECRET",
    ],
)
def test_a_secret_may_be_an_arn(name: str, arn: str, environment: str) -> None:
    secret = getattr(load({name: arn, "NODE_ENV": environment}, name), name.lower())
    assert secret.get_secret_value() == arn


def test_production_refuses_urls_without_tls_and_reports_all_at_once() -> None:
    without_tls = {
        "DATABASE_URL": "postgresql://u:canary@db/medianest",
        "APP_DATABASE_URL": "postgresql://app:canary@db/medianest",
        "REDIS_URL": "redis://:canary@cache",
        "PLEX_API_URL": "http://plex.example",
        "PLEX_AUTH_URL": "http://app.plex.example",
        "TMDB_API_URL": "http://tmdb.example",
        "PUBLIC_URL": "http://localhost:3001",
    }
    load({"NODE_ENV": "development", **without_tls})
    message = problems_of({"NODE_ENV": "production", **without_tls})
    for name in without_tls:
        assert f"{name} must use TLS in production" in message
    assert "canary" not in message


def test_production_refuses_a_session_cookie_without_tls() -> None:
    assert not load({"COOKIE_SECURE": "false"}).has_secure_cookie
    assert load({"NODE_ENV": "production", "COOKIE_SECURE": "true"}).has_secure_cookie
    assert problems_of({"NODE_ENV": "production", "COOKIE_SECURE": "false"}) == (
        'Bad configuration: COOKIE_SECURE must use TLS in production: true, not "false"'
    )


def test_production_accepts_urls_with_tls() -> None:
    load(
        {
            "NODE_ENV": "production",
            "CORS_ORIGIN": "*",
            "DATABASE_URL": "postgres://db/medianest?connect_timeout=3&sslmode=verify-full",
            "REDIS_URL": "rediss://cache",
            "PLEX_API_URL": "https://plex.example",
        }
    )


WITHOUT_TLS = [
    "",
    "?sslmode=",
    "?sslmode=disable",
    "?sslmode=allow",
    "?sslmode=prefer",
    # These encrypt without verifying the server.
    "?sslmode=require",
    "?sslmode=verify-ca",
    "?sslmode=VERIFY-FULL",
    "?SSLMODE=verify-full",
    "?sslmode=verify-full&sslmode=disable",
    "#?sslmode=disable",
    "?application_name=sslmode=verify-full",
]


@pytest.mark.parametrize("host", ["db.example", "127.0.0.1", "[::1", "ⓒanary:x@db"])
def test_production_refuses_a_database_url_that_does_not_enforce_tls(host: str) -> None:
    for query in WITHOUT_TLS:
        message = problems_of(
            {"NODE_ENV": "production", "DATABASE_URL": f"postgresql://{host}/medianest{query}"}
        )
        assert message == (
            "Bad configuration: DATABASE_URL must use TLS in production: sslmode=verify-full"
        ), query


RDS_LOGIN = {
    "username": "medianest_app",
    "password": "p@ss/wo:rd?#%&'\" é",
    "engine": "postgres",
    "host": "medianest.abc.eu-west-1.rds.amazonaws.com",
    "port": 5432,
    "dbname": "medianest",
    "dbInstanceIdentifier": "medianest",
}


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize("name", ["DATABASE_URL", "APP_DATABASE_URL"])
def test_a_database_login_in_the_format_of_rds_becomes_a_url_with_tls(
    name: str, environment: str
) -> None:
    loaded = load({name: json.dumps(RDS_LOGIN), "NODE_ENV": environment})
    url = getattr(loaded, name.lower()).get_secret_value()
    assert conninfo_to_dict(url) == {
        "user": "medianest_app",
        "password": RDS_LOGIN["password"],
        "host": "medianest.abc.eu-west-1.rds.amazonaws.com",
        "port": "5432",
        "dbname": "medianest",
        "sslmode": "verify-full",
    }


@given(user=st.text(min_size=1), password=st.text(min_size=1), database=st.text())
def test_any_user_and_password_are_percent_encoded_into_the_url(
    user: str, password: str, database: str
) -> None:
    assume("\0" not in user + password + database)
    login = {"username": user, "password": password, "host": "db", "dbname": database}
    secret = load({"DATABASE_URL": json.dumps(login), "NODE_ENV": "production"}).database_url
    assert secret is not None
    parts = conninfo_to_dict(secret.get_secret_value())
    assert (parts["user"], parts["password"]) == (user, password)
    assert parts.get("dbname", "") == database
    assert parts["port"] == "5432"


@pytest.mark.parametrize(
    ("login", "url"),
    [
        ({"password": "p@ss/:", "host": "cache"}, "rediss://:p%40ss%2F%3A@cache:6379/0"),
        (
            {"username": "app", "password": "p", "host": "c.cache.amazonaws.com", "port": "6380"},
            "rediss://app:p@c.cache.amazonaws.com:6380/0",
        ),
    ],
)
def test_a_cache_login_becomes_a_url_with_tls(login: dict[str, str], url: str) -> None:
    loaded = load({"REDIS_URL": json.dumps(login), "NODE_ENV": "production"})
    assert loaded.redis_url is not None
    assert loaded.redis_url.get_secret_value() == url


def test_a_login_without_a_host_uses_the_host_variable() -> None:
    login = json.dumps({"username": "u", "password": "p"})
    loaded = load(
        {
            "DATABASE_URL": login,
            "APP_DATABASE_URL": json.dumps({"username": "a", "password": "p", "host": "other"}),
            "REDIS_URL": login,
            "DATABASE_HOST": "db.example",
            "REDIS_HOST": "cache.example",
        }
    )
    urls = [loaded.database_url, loaded.app_database_url, loaded.redis_url]
    assert [secret and secret.get_secret_value() for secret in urls] == [
        "postgresql://u:p@db.example:5432/?sslmode=verify-full",
        "postgresql://a:p@other:5432/?sslmode=verify-full",
        "rediss://u:p@cache.example:6379/0",
    ]
    message = problems_of({"DATABASE_URL": login, "REDIS_URL": login})
    assert "DATABASE_URL is a login with a missing or invalid host" in message
    assert "REDIS_URL is a login with a missing or invalid host" in message


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"username": ""}, "username"),
        ({"password": None}, "password"),
        ({"host": "db.example/x?sslmode=disable"}, "host"),
        ({"host": "u:canary@db"}, "host"),
        ({"host": None, "port": 0}, "host, port"),
        ({"port": "canary"}, "port"),
        ({"dbname": 7}, "dbname"),
    ],
)
def test_the_error_for_an_invalid_login_does_not_contain_it(
    change: dict[str, object], reason: str
) -> None:
    login = RDS_LOGIN | {"password": "canary"} | change
    with pytest.raises(ConfigurationError) as caught:
        load({"DATABASE_URL": json.dumps(login)})
    assert (
        str(caught.value)
        == f"Bad configuration: DATABASE_URL is a login with a missing or invalid {reason}"
    )
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("text", ["{", "{canary", '{"password": "canary"'])
def test_a_value_that_starts_like_json_but_is_invalid_is_refused(text: str) -> None:
    message = problems_of({"DATABASE_URL": text, "REDIS_URL": text})
    assert "DATABASE_URL starts with { but is not valid JSON" in message
    assert "REDIS_URL starts with { but is not valid JSON" in message
    assert "canary" not in message


@pytest.mark.parametrize(
    ("name", "value", "canary"),
    [
        ("DATABASE_URL", "mysql://u:canary-1@db/medianest", "canary-1"),
        ("REDIS_URL", "http://:canary-2@cache", "canary-2"),
        ("JWT_SECRET", "canary-3", "canary-3"),
        ("ORIGIN_VERIFY_SECRET", "canary-5", "canary-5"),
        ("JWT_SECRET", "secret-canary-4-secret-canary-4-secret", "canary-4"),
    ],
)
def test_no_secret_is_in_an_error_or_its_traceback(name: str, value: str, canary: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({name: value, "NODE_ENV": "bad too"})
    assert canary not in "".join(traceback.format_exception(caught.value))
    assert name in str(caught.value)


def test_no_secret_is_in_the_error_of_the_model() -> None:
    with pytest.raises(ValidationError) as caught:
        Environment.model_validate({"jwt_secret": "canary", "database_url": "mysql://canary"})
    assert "canary" not in str(caught.value)


def test_no_secret_is_in_the_representation_of_the_environment() -> None:
    loaded = load(
        {
            "DATABASE_URL": "postgresql://u:canary@db/medianest",
            "REDIS_URL": "redis://:canary@cache",
            "JWT_SECRET": RANDOM_SECRET,
            "TMDB_API_KEY": "canary",
        }
    )
    assert "canary" not in f"{loaded!r} {loaded}"
    assert RANDOM_SECRET not in f"{loaded!r} {loaded}"


@pytest.mark.parametrize("name", ["DATABASE_URL", "JWT_SECRET", "PLEX_CLIENT_ID"])
@pytest.mark.parametrize("state", ["absent", "empty"])
def test_the_error_names_a_missing_or_empty_required_variable(name: str, state: str) -> None:
    environ = {} if state == "absent" else {name: ""}
    assert problems_of(environ, name) == f"Bad configuration: {name} is required"


def test_an_empty_optional_variable_counts_as_absent() -> None:
    loaded = load({"LOG_LEVEL": "", "CORS_ORIGIN": "", "JWT_SECRET": "", "NODE_ENV": ""})
    assert loaded == load({})


def test_a_variable_is_required_only_if_the_caller_names_it() -> None:
    load({"DATABASE_URL": "postgresql://db"}, "DATABASE_URL")
    message = problems_of({"DATABASE_URL": "postgresql://db"}, "DATABASE_URL", "REDIS_URL")
    assert message == "Bad configuration: REDIS_URL is required"


def test_variables_in_lower_case_are_ignored() -> None:
    assert problems_of({"database_url": "postgresql://db"}, "DATABASE_URL") == (
        "Bad configuration: DATABASE_URL is required"
    )


@pytest.mark.parametrize("level", ["debug", "Info", "WARNING", "eRRoR"])
def test_the_log_level_is_case_insensitive(level: str) -> None:
    assert load({"LOG_LEVEL": level}).log_level == level.upper()


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("*", frozenset[str]()),
        ("https://media.example.org", frozenset({"https://media.example.org"})),
        ("http://localhost:5173", frozenset({"http://localhost:5173"})),
        (
            "https://a.example.org, https://b.example.org:8443",
            frozenset({"https://a.example.org", "https://b.example.org:8443"}),
        ),
        # As browsers send it.
        (
            "https://A.Example.org:443,http://LOCALHOST:80,http://b.example:443",
            frozenset({"https://a.example.org", "http://localhost", "http://b.example:443"}),
        ),
    ],
)
def test_cors_origins_are_any_or_a_list(value: str, origins: frozenset[str]) -> None:
    assert load({"CORS_ORIGIN": value}).cors_origins == origins


def test_a_trailing_slash_of_a_url_is_removed() -> None:
    assert load({"PLEX_API_URL": "http://localhost:1/"}).plex_api_url == "http://localhost:1"


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "secret",
        "x" * 31,
        "é" * 15,
        "a" * 32,
        "abc" * 20,
        "changeme" * 8,
        "CHANGEME-CHANGEME-CHANGEME-CHANGEME",
        "change-me-change-me-change-me-please",
        "secret-key-that-is-long-enough-for-this",
        "your-secret-key-which-you-must-replace",
        "your-super-secret-jwt-key-change-this-in-production",
        "password1234567890password1234567890",
        "!!!secretsecretsecretsecretsecretsecret",
        # Other spellings of the same placeholders, and keyboard sequences.
        "your_super_secret_jwt_key_change_this",
        "change_me_before_you_put_this_anywhere",
        "0123456789abcdef" * 4,
        "12345678901234567890123456789012",
    ],
)
def test_a_weak_jwt_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=r"must be at least 32 bytes|well-known or repetitive"):
        check_jwt_secret(secret)


@given(st.binary(min_size=32, max_size=32).filter(lambda value: len(set(value)) >= 16))
def test_random_jwt_secrets_are_accepted_in_hex(value: bytes) -> None:
    # At least sixteen distinct bytes, as a random generator gives.
    check_jwt_secret(value.hex())


@pytest.mark.parametrize("make", [secrets.token_hex, secrets.token_urlsafe])
def test_generated_jwt_secrets_are_accepted(make: Callable[[int], str]) -> None:
    for _ in range(100):
        check_jwt_secret(make(32))


def test_the_length_of_a_jwt_secret_is_counted_in_bytes() -> None:
    check_jwt_secret("é1ñ2ü3ß4å5ø6æ7ç8ð9þ0žšč")
