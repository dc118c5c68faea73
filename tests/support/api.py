"""Call the functions as API Gateway does: pass a proxy event to the handler."""

import importlib
import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

from local.gateway.proxy_event import GatewayRequest, proxy_event
from local.template.models import Template
from local.template.reader import read_template
from tests.support.openapi import assert_described

ROOT = Path(__file__).parents[2]
TEMPLATE = read_template(ROOT / "template.yaml", opt=ROOT / ".venv/opt")
# Method and path of each route that a function serves, without preflights and HEAD.
ROUTES = sorted(
    (route.method, route.path)
    for route in TEMPLATE.routes
    if isinstance(route.target, str) and route.method not in {"HEAD", "OPTIONS"}
)


@dataclass(frozen=True)
class LambdaContext:
    """The context object that Lambda passes with the event."""

    function_name: str = "medianest-test"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:medianest-test"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    seconds_left: float = 15.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left * 1000)


@dataclass(frozen=True)
class Answer:
    """A response with its body decoded."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        assert self.json["success"] is True, self.text
        return self.json["data"]

    @property
    def code(self) -> str:
        assert self.json["success"] is False, self.text
        return str(self.json["error"]["code"])

    @property
    def details(self) -> Any:
        return self.json["error"].get("details")


def route_of(
    method: str, path: str, template: Template = TEMPLATE
) -> tuple[str, str, dict[str, str]]:
    """Return the function, the resource and the path parameters of a call."""
    for route in template.routes:
        if route.method != method or not isinstance(route.target, str):
            continue
        match = _pattern_of(route.path).fullmatch(path)
        if match:
            parameters = {name: unquote(value) for name, value in match.groupdict().items()}
            return route.target, route.path, parameters
    raise AssertionError(f"no route {method} {path}")


@cache
def _pattern_of(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


def call(method: str, path: str, **options: Any) -> Answer:
    """Make one call with the options of `event_of`; check the response against the API document."""
    function, event = event_of(method, path, **options)
    answer = invoke(function, event)
    if answer.status == 400 and answer.text:
        for problem in answer.details or ():
            assert_no_pydantic_wording(problem["message"])
    if method not in {"HEAD", "OPTIONS"}:
        resource = event["resource"]
        assert_described(method, resource, answer.status, answer.headers, answer.text)
    return answer


# Wording of pydantic, and characters that occur only in regular expressions.
_PYDANTIC_WORDING = re.compile(
    r"Input |Extra inputs|Field required|(String|List|Dictionary|Value|Data|Object|Tuple)s? "
    r"(should|error|must)|Unable to|valid (integer|string|dictionary|boolean|list|UUID|datetime)"
    r"|pattern|pydantic|instance of|\\|\^|\[|\$"
)


def id_of(token: str) -> str:
    """Return the id of the user to whom a token belongs."""
    return str(call("GET", "/api/auth/me", token=token).data["id"])


def assert_no_pydantic_wording(message: str) -> None:
    """Fail if a message has pydantic's wording or contains a regular expression."""
    assert message
    assert not _PYDANTIC_WORDING.search(message), message


def event_of(
    method: str,
    path: str,
    *,
    body: Any = None,
    raw: bytes | None = None,
    query: Mapping[str, Any] | None = None,
    token: str | None = None,
    headers: Mapping[str, str | list[str]] | None = None,
    ip: str = "203.0.113.7",
) -> tuple[str, dict[str, Any]]:
    """Return the function and the event of a call; `body` is sent as JSON, `raw` unchanged."""
    sent_headers: dict[str, list[str]] = {"User-Agent": ["tests"]}
    if body is not None:
        raw = json.dumps(body).encode()
    if raw is not None:
        sent_headers["Content-Type"] = ["application/json"]
    if token is not None:
        sent_headers["Authorization"] = [f"Bearer {token}"]
    for name, value in (headers or {}).items():
        sent_headers[name] = value if isinstance(value, list) else [value]
    function, resource, parameters = route_of(method, path)
    event = proxy_event(
        GatewayRequest(
            id=str(uuid.uuid4()),
            started=time.time(),
            method=method,
            path=path,
            query=urlencode(query or {}, doseq=True),
            headers=sent_headers,
            source_ip=ip,
            stage=TEMPLATE.stage,
        ),
        resource=resource,
        parameters=parameters,
        body=raw or b"",
    )
    return function, event


def invoke(function: str, event: dict[str, Any]) -> Answer:
    """Pass an event to a function's handler in this process and return the response."""
    folder = TEMPLATE.functions[function].code.name
    module = importlib.import_module(f"functions.{folder}.app")
    # Encode and decode as Lambda does, so that a value that JSON cannot encode fails the test.
    response = json.loads(
        json.dumps(module.handler(json.loads(json.dumps(event)), LambdaContext()))
    )
    assert response["isBase64Encoded"] is False
    headers = dict(response["headers"])
    for name, values in response["multiValueHeaders"].items():
        headers[name] = ", ".join(values)
    return Answer(response["statusCode"], headers, response["body"])


def run_schedule(name: str, *, seconds_left: float = 60.0) -> dict[str, Any]:
    """Run a schedule of the template in this process and return the handler's result."""
    schedule = TEMPLATE.schedules[name]
    folder = TEMPLATE.functions[schedule.function].code.name
    module = importlib.import_module(f"functions.{folder}.app")
    result: dict[str, Any] = module.handler(
        schedule.event, LambdaContext(seconds_left=seconds_left)
    )
    return result
