"""Generate events/: a sample event for each route and each schedule of the template.

The file of a route has the name of its path without `/api`, parameters and `.json`; the file of a
schedule has the names of its function and schedule. The values are the examples of the API
document; a value that only the reader knows, such as a token, is a placeholder.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from local.gateway.proxy_event import GatewayRequest, proxy_event
from local.run_config import PROJECT
from local.template.models import Schedule
from local.template.reader import read_template
from tools.docs.openapi import openapi

# 2026-01-01 at noon.
_STARTED = 1_767_268_800
_HOST = "medianest1.execute-api.us-east-1.amazonaws.com"
# By operation, the values that the reader must replace.
_PLACEHOLDERS: Mapping[str, Mapping[str, str]] = {
    "signIn": {"identifier": "USER_NAME", "password": "PASSWORD"},
    "changePassword": {"currentPassword": "PASSWORD", "newPassword": "NEW_PASSWORD"},
    "finishPlexSignIn": {"pinId": "PIN_ID"},
}


def events() -> dict[str, str]:
    """Return the text of each file by its path within the project."""
    template = read_template(PROJECT / "template.yaml", opt=PROJECT / ".venv" / "opt")
    found: dict[str, Any] = {}
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            name = route_file(method.upper(), path, operations)
            found[name] = _route_event(method.upper(), path, operation, template.stage)
    for schedule in template.schedules.values():
        found[schedule_file(schedule)] = schedule.event
    return {
        f"events/{name}.json": json.dumps(event, indent=2, ensure_ascii=False) + "\n"
        for name, event in found.items()
    }


# Beside /api/admin/jobs/{id}/retry, which would have the same name.
_NAMES = {"/api/admin/jobs/retry": "admin-jobs-retry-dead"}


def route_file(method: str, path: str, methods: Collection[str]) -> str:
    """Return the name of a route's file; `methods` are those of its path, in lower case."""
    if path in _NAMES:
        return _NAMES[path]
    parts = path.removeprefix("/api/").removesuffix(".json").split("/")
    words = [part for part in parts if not part.startswith("{")]
    # The method distinguishes routes with an id, deletions, and routes beside a GET.
    beside_get = method != "GET" and "get" in methods
    if parts[-1].startswith("{") or method == "DELETE" or beside_get:
        words.append(method.lower())
    return "-".join(words)


def schedule_file(schedule: Schedule) -> str:
    """Return the name of a schedule's file."""
    return f"{kebab(schedule.function.removesuffix('Function'))}-{kebab(schedule.name)}"


def kebab(name: str) -> str:
    """Convert a name from camel case to kebab case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _route_event(
    method: str, path: str, operation: Mapping[str, Any], stage: str
) -> dict[str, Any]:
    values = {
        kind: {
            parameter["name"]: str(parameter["example"])
            for parameter in operation.get("parameters", ())
            if parameter["in"] == kind and parameter["name"] != "If-None-Match"
        }
        for kind in ("path", "query", "header")
    }
    body = _body(operation)
    headers = {
        "Accept": "application/json",
        **({"Authorization": "Bearer REPLACE_WITH_A_TOKEN"} if operation["security"] else {}),
        **({"Content-Type": "application/json"} if body else {}),
        "Host": _HOST,
        **values["header"],
        "User-Agent": "medianest-events/1",
        "X-Amzn-Trace-Id": f"Root=1-{_STARTED:08x}-{'0' * 24}",
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    call = GatewayRequest(
        id=str(UUID(int=0)),
        started=_STARTED,
        method=method,
        path=path.format(**values["path"]),
        query=urlencode(values["query"]),
        headers={name: [value] for name, value in headers.items()},
        source_ip="203.0.113.7",
        stage=stage,
    )
    event = proxy_event(call, resource=path, parameters=values["path"], body=body.encode())
    # API Gateway generates these for each request and each deployment.
    event["requestContext"] |= {"extendedRequestId": "AAAAAAAAAAAAAAA=", "resourceId": "000000"}
    return event


def _body(operation: Mapping[str, Any]) -> str:
    if "requestBody" not in operation:
        return ""
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    first = next(iter(examples.values()))["value"]
    placeholders = _PLACEHOLDERS.get(operation["operationId"], {})
    replacements = {name: f"REPLACE_WITH_A_{word}" for name, word in placeholders.items()}
    return json.dumps(first | replacements, ensure_ascii=False)
