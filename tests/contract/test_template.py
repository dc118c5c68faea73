"""template.yaml agrees with the code and the contract."""

import importlib
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI

from local.template.loader import load
from local.template.models import Mock, Template, Throttle
from local.template.reader import read_template
from medianest.api.headers import EXPOSED_HEADERS, SECURITY_HEADERS
from medianest.cleanup.service import TASKS
from medianest.core.error_codes import REGISTRY, ErrorCode
from medianest.core.variables import Environment
from medianest.requests.titles import fill
from tests.support.api import ROOT, TEMPLATE
from tools.docs.routes import served_routes

# Section 6 of the contract: requests per second and burst of each method with its own throttle.
# These and the throttles of admin routes are fixed; a new route may have any.
THROTTLES = {
    ("GET", "/api/health"): (50, 100),
    ("GET", "/api/openapi.json"): (10, 20),
    ("GET", "/api/docs"): (10, 20),
    ("GET", "/api/docs/{asset}"): (20, 40),
    ("POST", "/api/auth/plex/pin"): (5, 10),
    ("POST", "/api/auth/plex/verify"): (50, 100),
    ("POST", "/api/auth/login"): (5, 10),
    ("POST", "/api/auth/password"): (5, 10),
    ("GET", "/api/media/search"): (50, 100),
    ("POST", "/api/media/request"): (20, 40),
}
ADMIN_THROTTLE = (20, 40)
STAGE_THROTTLE = Throttle(100, 200)
ENVIRONMENT = {
    "DATABASE_URL": "postgresql://user@127.0.0.1:1/unreachable",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "JWT_SECRET": "N0t-a-secret_just-the-key-of-these-tests",
    "ENCRYPTION_KEY": "N0t-a-secret_just-another-key-of-these-tests",
    "PLEX_CLIENT_ID": "tests",
    "TMDB_API_KEY": "tests",
}
MODES = [("external", "external"), ("rds", "serverless"), ("aurora", "node"), ("rds", "none")]


def with_parameters(**parameters: str) -> Template:
    return read_template(ROOT / "template.yaml", opt=ROOT / ".venv/opt", parameters=parameters)


def function_routes() -> set[tuple[str, str, str]]:
    return {
        (route.target, route.method, route.path)
        for route in TEMPLATE.routes
        if isinstance(route.target, str) and route.method != "OPTIONS"
    }


def mocks() -> list[tuple[str, str, Mock]]:
    return [
        (route.method, route.path, route.target)
        for route in TEMPLATE.routes
        if isinstance(route.target, Mock)
    ]


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    documented = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    return documented | {("HEAD", path) for method, path in documented if method == "GET"}


@pytest.mark.parametrize("function", sorted({function for function, _, _ in function_routes()}))
def test_routes_of_the_template_equal_those_of_the_function(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module(f"functions.{TEMPLATE.functions[function].code.name}.app")
    declared = {(method, path) for owner, method, path in function_routes() if owner == function}
    assert routes_of(module.app) == declared, "run `make docs`, which writes template.yaml"


def test_sam_can_parse_the_template() -> None:
    # SAM's parser is PyYAML's own, which refuses more than libyaml's: a `?` in a list in brackets.
    text = (ROOT / "template.yaml").read_text()
    assert yaml.compose(text, Loader=yaml.SafeLoader) is not None


def test_every_path_sends_preflights_to_its_function_and_rejects_other_methods() -> None:
    owners = {(function, path) for function, _, path in function_routes()}
    preflights = {
        (route.target, route.path) for route in TEMPLATE.routes if route.method == "OPTIONS"
    }
    assert preflights == owners
    assert sorted(path for _, path, _ in mocks()) == sorted({path for _, path in owners})
    assert {method for method, _, _ in mocks()} == {"ANY"}


@pytest.mark.parametrize(("path", "mock"), [each[1:] for each in mocks()])
def test_a_405_lists_the_methods_of_its_path(path: str, mock: Mock) -> None:
    methods = sorted(method for _, method, route_path in function_routes() if route_path == path)
    assert mock.status == 405
    assert mock.headers["Allow"] == f"'{', '.join([*methods, 'OPTIONS'])}'"
    assert json.loads(mock.body) == envelope(ErrorCode.METHOD_NOT_ALLOWED)


def envelope(code: ErrorCode) -> dict[str, Any]:
    return {"success": False, "error": {"code": code, "message": REGISTRY[code].message}}


def assert_security_headers(headers: dict[str, str]) -> None:
    for name, value in SECURITY_HEADERS.items():
        assert headers[name] == f"'{value}'"
    assert headers["X-Request-Id"] == "context.requestId"
    assert headers["Access-Control-Allow-Origin"] == "'*'"
    assert headers["Access-Control-Expose-Headers"] == f"'{EXPOSED_HEADERS}'"
    assert "Access-Control-Allow-Credentials" not in headers


def test_gateway_responses_have_the_headers_of_all_responses() -> None:
    for response in TEMPLATE.gateway_responses.values():
        assert_security_headers(dict(response.headers))
        assert response.headers["Content-Type"] == "'application/json; charset=utf-8'"
    for _, _, mock in mocks():
        assert_security_headers(dict(mock.headers))


def test_distribution_sets_the_security_headers_of_the_api_on_everything() -> None:
    assert TEMPLATE.distribution is not None
    for behavior in TEMPLATE.distribution.behaviors:
        assert behavior.headers == SECURITY_HEADERS


@pytest.mark.parametrize("kind", sorted(TEMPLATE.gateway_responses))
def test_gateway_responses_match_the_error_reference(kind: str) -> None:
    response = TEMPLATE.gateway_responses[kind]
    assert response.body is not None
    body = json.loads(response.body)
    code = ErrorCode(body["error"]["code"])
    assert body == envelope(code)
    assert response.status == REGISTRY[code].status
    if code is ErrorCode.RATE_LIMITED:
        assert response.headers["Retry-After"] == "'1'"
    if code is ErrorCode.JWT_INVALID:
        assert response.headers["WWW-Authenticate"] == "'Bearer'"


def test_gateway_responses_allow_the_first_origin_of_the_list() -> None:
    template = with_parameters(CorsOrigin="https://web.example,http://localhost:5173")
    header_sets = [response.headers for response in template.gateway_responses.values()]
    header_sets += [
        route.target.headers for route in template.routes if isinstance(route.target, Mock)
    ]
    for headers in header_sets:
        assert headers["Access-Control-Allow-Origin"] == "'https://web.example'"
        assert headers["Access-Control-Allow-Credentials"] == "'true'"
        assert headers["Vary"] == "'Origin'"


def test_gateway_responses_cover_every_type() -> None:
    assert set(TEMPLATE.gateway_responses) == {
        "ACCESS_DENIED",
        "API_CONFIGURATION_ERROR",
        "AUTHORIZER_CONFIGURATION_ERROR",
        "AUTHORIZER_FAILURE",
        "BAD_REQUEST_BODY",
        "BAD_REQUEST_PARAMETERS",
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "EXPIRED_TOKEN",
        "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT",
        "INVALID_API_KEY",
        "INVALID_SIGNATURE",
        "MISSING_AUTHENTICATION_TOKEN",
        "QUOTA_EXCEEDED",
        "REQUEST_TOO_LARGE",
        "RESOURCE_NOT_FOUND",
        "THROTTLED",
        "UNAUTHORIZED",
        "UNSUPPORTED_MEDIA_TYPE",
        "WAF_FILTERED",
    }


def test_throttles_equal_the_table_of_the_contract() -> None:
    assert TEMPLATE.stage_throttle == STAGE_THROTTLE
    throttles = {
        (method, path): (throttle.rate, throttle.burst)
        for (path, method), throttle in TEMPLATE.method_throttles.items()
    }
    for route, throttle in THROTTLES.items():
        assert throttles[route] == throttle
    for _, method, path in function_routes():
        if path.startswith("/api/admin/"):
            assert throttles[method, path] == ADMIN_THROTTLE
        # A HEAD without its own throttle would bypass the throttle of the GET.
        if method == "GET":
            assert throttles.get(("HEAD", path)) == throttles.get((method, path))
    assert throttles.keys() <= {(method, path) for _, method, path in function_routes()}


def test_a_route_has_the_throttle_of_its_strictest_policy_unless_it_declares_another() -> None:
    for served in served_routes(TEMPLATE):
        throttle = TEMPLATE.method_throttles.get((served.path, served.method))
        declared = None if throttle is None else (throttle.rate, throttle.burst)
        assert declared == served.throttle, "run `make docs`, which writes template.yaml"


def test_api_gateway_may_call_the_function_of_each_path() -> None:
    resources = load(ROOT / "template.yaml")["Resources"]
    allowed = [
        (each["FunctionName"], each["SourceArn"])
        for each in (resource.get("Properties", {}) for resource in resources.values())
        if each.get("Principal") == "apigateway.amazonaws.com"
    ]
    patterns = [
        (function["Fn::Sub"][2:].partition(".")[0], source["Fn::Sub"].partition("${Api}/*/*")[2])
        for function, source in allowed
    ]
    for function, _, path in function_routes():
        assert any(
            owner == function and fnmatchcase(path, pattern) for owner, pattern in patterns
        ), f"template.yaml needs an AWS::Lambda::Permission of {function} for {path}"


@pytest.mark.parametrize(("database", "cache"), MODES)
def test_functions_have_only_known_environment_variables(database: str, cache: str) -> None:
    known = {name.upper() for name in Environment.model_fields}
    template = with_parameters(DatabaseMode=database, CacheMode=cache, JwtRotationDays="31")
    for function in template.functions.values():
        names = {name for name in function.environment if not name.startswith("POWERTOOLS_")}
        assert names <= known


@pytest.mark.parametrize(("database", "cache"), MODES)
def test_functions_get_the_host_of_a_managed_database_and_cache(database: str, cache: str) -> None:
    template = with_parameters(DatabaseMode=database, CacheMode=cache)
    for function in template.functions.values():
        names = set(function.environment)
        if "DATABASE_URL" not in names:
            continue
        assert ("DATABASE_HOST" in names) == (database != "external")
        is_managed = cache in {"serverless", "node"}
        assert ("REDIS_HOST" in names) == (is_managed and "REDIS_URL" in names)


def test_functions_have_the_environment_variables_that_they_require() -> None:
    for function in TEMPLATE.functions.values():
        if function.id == "PageFunction":
            continue  # it uses no database, and must always respond to CloudFormation
        source = (function.code / "app.py").read_text()
        declaration = re.search(r"(?:create_app|require)\((.*?)\)", source, re.DOTALL)
        assert declaration is not None
        required = set(re.findall(r'"([A-Z_]+)"', declaration[1]))
        assert "DATABASE_URL" in required
        assert required <= set(function.environment), function.id


def test_every_cleanup_task_has_a_schedule_and_an_alarm() -> None:
    scheduled = {
        schedule.event["task"]
        for schedule in TEMPLATE.schedules.values()
        if schedule.function == "CleanupFunction"
    }
    assert scheduled == {*TASKS, fill.TASK}, (
        "template.yaml needs one event of CleanupFunction for each task of medianest/cleanup"
    )
    resources = load(ROOT / "template.yaml")["Resources"].values()
    watched = {
        dimension["Value"]
        for resource in resources
        if resource.get("Properties", {}).get("MetricName") == "CleanupDeleted"
        for dimension in resource["Properties"]["Dimensions"]
        if dimension["Name"] == "task"
    }
    assert watched == set(TASKS), "template.yaml needs an alarm like CleanupSessionsAlarm for each"


def test_function_timeouts_are_below_the_gateways() -> None:
    # The functions' timeouts are longest with Aurora, which may be paused.
    for template in (TEMPLATE, with_parameters(DatabaseMode="aurora")):
        for function, _, _ in function_routes():
            assert template.functions[function].timeout < 29


def test_sql_is_written_in_repositories_only() -> None:
    # cache.py executes a pipeline of the cache, not SQL.
    allowed = {"db.py", "paging.py", "runner.py", "names.py", "role.py", "cache.py"}
    # The statements of the protocol are in one place with the states that they change.
    allowed.add("protocol.py")
    for path in Path(ROOT / "layers/shared/python/medianest").rglob("*.py"):
        if path.name not in allowed and not path.stem.endswith("repository"):
            assert not re.search(
                r"\.execute\(|\b(SELECT|INSERT INTO|UPDATE \w+ SET)\b", path.read_text()
            ), path
