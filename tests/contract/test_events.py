"""events/ has one correct file for each route and schedule of template.yaml.

A route's file is named after its path without `/api`, parameters and `.json`, a schedule's after
its function and its name. A function with neither is invoked by hand and has a file of its name.
Preflights have no file, because browsers send them.
"""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from local.gateway.proxy_event import GatewayRequest, proxy_event
from local.template.models import Route, Schedule
from local.template.reader import read_template
from tests.support.api import ROOT, TEMPLATE
from tools.docs import events
from tools.docs.events import kebab, schedule_file

# Fields that API Gateway generates for each request or deployment.
MADE_UP = {"extendedRequestId", "resourceId"}


ROUTES = [
    route
    for route in TEMPLATE.routes
    if isinstance(route.target, str) and route.method not in {"HEAD", "OPTIONS"}
]
SCHEDULES = list(TEMPLATE.schedules.values())
CALLED = {route.target for route in ROUTES} | {schedule.function for schedule in SCHEDULES}
# Some functions exist only with a certain parameter.
WHOLE = read_template(
    ROOT / "template.yaml", opt=ROOT / ".venv/opt", parameters={"JwtRotationDays": "31"}
)
BY_HAND = [kebab(name.removesuffix("Function")) for name in WHOLE.functions if name not in CALLED]


def route_file(route: Route) -> str:
    methods = {each.method.lower() for each in ROUTES if each.path == route.path}
    return events.route_file(route.method, route.path, methods)


def read(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


def without_generated(event: dict[str, Any]) -> dict[str, Any]:
    context = event["requestContext"]
    return event | {
        "requestContext": {key: context[key] for key in context.keys() - MADE_UP},
        "made up": context.keys() & MADE_UP,
    }


def test_each_route_and_schedule_has_one_file_and_each_file_one_of_them() -> None:
    wanted = [*map(route_file, ROUTES), *map(schedule_file, SCHEDULES), *BY_HAND]
    there = {path.stem for path in (ROOT / "events").glob("*.json")}
    assert len(wanted) == len(set(wanted)), "two routes share a file: see tools/docs/events.py"
    assert sorted(set(wanted) - there) == [], "run `make docs`, which writes events/"
    assert sorted(there - set(wanted)) == [], (
        "remove the sample events of routes and schedules that do not exist"
    )


def test_every_placeholder_is_explained() -> None:
    explained = (ROOT / "events/README.md").read_text() + (ROOT / "docs/sam-local.md").read_text()
    found = {
        word
        for name in map(route_file, ROUTES)
        for word in re.findall(r"REPLACE_WITH_A_\w+", json.dumps(read(name)))
    }
    assert len(found) == 5
    assert {word for word in found if word not in explained} == set()


@pytest.mark.parametrize("route", ROUTES, ids=route_file)
def test_a_route_event_is_what_api_gateway_sends(route: Route) -> None:
    event = read(route_file(route))
    parameters = event["pathParameters"] or {}
    assert set(parameters) == set(re.findall(r"{(\w+)}", route.path))
    call = GatewayRequest(
        id=event["requestContext"]["requestId"],
        started=event["requestContext"]["requestTimeEpoch"] / 1000,
        method=route.method,
        path=route.path.format(**parameters),
        query=urlencode(event["queryStringParameters"] or {}),
        headers=event["multiValueHeaders"],
        source_ip=event["requestContext"]["identity"]["sourceIp"],
        stage=TEMPLATE.stage,
    )
    body = (event["body"] or "").encode()
    sent = proxy_event(call, resource=route.path, parameters=parameters, body=body)
    assert without_generated(event) == without_generated(sent)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=schedule_file)
def test_a_schedule_event_is_the_input_of_the_schedule(schedule: Schedule) -> None:
    assert read(schedule_file(schedule)) == schedule.event


@pytest.mark.parametrize("name", BY_HAND)
def test_an_event_sent_by_hand_is_an_object(name: str) -> None:
    assert isinstance(read(name), dict)
