"""events/ has one correct file for each route and schedule of template.yaml.

The name of a route's file is the path without `/api`, parameters and `.json`; a schedule's file has
the names of its function and schedule. A function without routes and schedules is invoked by hand;
its file has its name. Preflights have no file, because browsers send them.
"""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from local.gateway.proxy_event import GatewayRequest, proxy_event
from local.queues.mapping import sqs_event
from local.queues.queue import MessageQueue
from local.standins.radarr import app as radarr
from local.template.models import Route, Schedule
from local.template.reader import read_template
from medianest.jobs import bell
from tests.support.api import ROOT, TEMPLATE
from tools.docs import events
from tools.docs.events import kebab, schedule_file

# Fields that API Gateway generates for each request or deployment.
GENERATED_FIELDS = {"extendedRequestId", "resourceId"}


ROUTES = [
    route
    for route in TEMPLATE.routes
    if isinstance(route.target, str) and route.method not in {"HEAD", "OPTIONS"}
]
SCHEDULES = list(TEMPLATE.schedules.values())
CALLED = {route.target for route in ROUTES} | {schedule.function for schedule in SCHEDULES}
# Some functions exist only with a certain parameter.
TEMPLATE_WITH_ROTATION = read_template(
    ROOT / "template.yaml", opt=ROOT / ".venv/opt", parameters={"JwtRotationDays": "31"}
)
# A function with a queue has a message of the queue as its own event.
QUEUED = {source.function for source in TEMPLATE.event_sources}
MANUAL_EVENTS = [
    kebab(name.removesuffix("Function"))
    for name in TEMPLATE_WITH_ROTATION.functions
    if name not in CALLED or name in QUEUED
]


def route_file(route: Route) -> str:
    methods = {each.method.lower() for each in ROUTES if each.path == route.path}
    return events.route_file(route.method, route.path, methods)


def read(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


def without_generated(event: dict[str, Any]) -> dict[str, Any]:
    context = event["requestContext"]
    return event | {
        "requestContext": {key: context[key] for key in context.keys() - GENERATED_FIELDS},
        "generated": context.keys() & GENERATED_FIELDS,
    }


def test_routes_and_schedules_have_one_file_each_and_no_file_is_left_over() -> None:
    expected = [*map(route_file, ROUTES), *map(schedule_file, SCHEDULES), *MANUAL_EVENTS]
    existing = {path.stem for path in (ROOT / "events").glob("*.json")}
    assert len(expected) == len(set(expected)), "two routes share a file: see tools/docs/events.py"
    assert sorted(set(expected) - existing) == [], "run `make docs`, which writes events/"
    assert sorted(existing - set(expected)) == [], (
        "remove the sample events of routes and schedules that do not exist"
    )


def test_every_placeholder_is_explained() -> None:
    explained = (ROOT / "events/README.md").read_text() + (ROOT / "docs/sam-local.md").read_text()
    placeholders = {
        word
        for name in map(route_file, ROUTES)
        for word in re.findall(r"REPLACE_WITH_A_\w+", json.dumps(read(name)))
    }
    assert len(placeholders) == 5
    assert {word for word in placeholders if word not in explained} == set()


@pytest.mark.parametrize("route", ROUTES, ids=route_file)
def test_a_route_event_equals_the_event_of_api_gateway(route: Route) -> None:
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
    expected = proxy_event(call, resource=route.path, parameters=parameters, body=body)
    assert without_generated(event) == without_generated(expected)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=schedule_file)
def test_a_schedule_event_is_the_input_of_the_schedule(schedule: Schedule) -> None:
    assert read(schedule_file(schedule)) == schedule.event


@pytest.mark.parametrize("name", MANUAL_EVENTS)
def test_an_event_sent_by_hand_is_an_object(name: str) -> None:
    assert isinstance(read(name), dict)


def bells() -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = read("worker")["Records"]
    return records


def test_the_event_of_the_worker_has_the_format_of_its_mapping() -> None:
    sent = MessageQueue(TEMPLATE.queues["BellQueue"])
    for record in bells():
        sent.send(record["body"])
    (source,) = TEMPLATE.event_sources
    expected = sqs_event(source.queue, sent.receive(source.batch_size))["Records"]
    assert read("worker").keys() == {"Records"}
    for record, other in zip(bells(), expected, strict=True):
        assert record.keys() == other.keys()
        assert record["attributes"].keys() == other["attributes"].keys()
        assert {type(each) for each in record["attributes"].values()} == {str}
        for name in ("body", "md5OfBody", "messageAttributes", "eventSource"):
            assert record[name] == other[name]
        assert record["awsRegion"] == record["eventSourceARN"].split(":")[3]
    assert len({each["messageId"] for each in bells()}) == len(bells())


def test_the_bells_of_the_event_are_those_that_the_service_sends() -> None:
    # One that rings now, and a delayed one whose time has come.
    first, second = (bell.parse(record["body"]) for record in bells())
    assert first is None
    assert second is not None
    assert not second.is_early


def test_the_page_about_sam_local_replaces_values_that_its_events_have() -> None:
    page = (ROOT / "docs/sam-local.md").read_text()
    replaced = re.findall(r"-e 's([/#])(.+?)\1(.+?)\1'", page)
    assert len(replaced) == 3
    for _, old, _ in replaced:
        assert old in (ROOT / "events/admin-servers-post.json").read_text()
    assert replaced[-1][2] == radarr.API_KEY
