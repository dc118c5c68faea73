"""Hooks for schemathesis: keep its sessions valid, correct its data, check access to resources.

It calls as the user root, who is an admin.
"""

import itertools
import json
import os
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import schemathesis
import urllib3

from local.run_config import PROJECT

# A schemathesis.Case, whose type annotations do not describe bodies.
type Case = Any

PASSWORD = os.environ["PASSWORD"]
PEOPLE = set(os.environ["PEOPLE"].split())
# OTHER_USER must not get resources of root. Calls that end a session use sessions of EXPENDABLE.
OTHER_USER, EXPENDABLE = "ann", "ben"
SIGN_IN = ("/api/auth/login", "/api/auth/plex/verify")
ENDING = ("/api/auth/logout", "/api/auth/refresh")
# Operations that return ids of resources with an owner, and the paths of these resources.
RETURNS_IDS = ("POST /api/media/request", "GET /api/media/requests", "GET /api/auth/sessions")
OWNED = ("/api/auth/sessions/{id}", "/api/media/requests/{id}")

http = urllib3.PoolManager()
numbers = itertools.count(1)
catalogue = json.loads((PROJECT / "local/standins/tmdb/catalogue.json").read_text(encoding="utf-8"))
movies = itertools.cycle(title["id"] for title in catalogue["movies"])
shows = itertools.cycle(title["id"] for title in catalogue["shows"])

SERVERS = "/api/admin/servers"
UNUSED_SERVER = "https://films.example.org"

# The fields of each body that a correction replaces, so that the service never sees them.
REPLACED = {
    "PATCH /api/admin/servers/{id}": frozenset(
        {"apiKey", "baseUrl", "enabled", "headers", "isDefault", "name", "options"}
    ),
    "POST /api/admin/requests/{id}/approve": frozenset({"options", "serverId"}),
    "POST /api/admin/servers": frozenset({"baseUrl", "headers", "name", "options"}),
    "PUT /api/admin/config/{key}": frozenset({"expected", "value"}),
    "PUT /api/admin/routing-rules": frozenset({"options", "serverId"}),
}
# The bodies of the cases of these operations.
bodies: set[str] = set()
# The fields and parameters that a wrong type was sent for.
wrong: set[tuple[str | None, ...]] = set()
# Of the other wrong types, one in this many is sent.
WRONG_TYPES = 3
wrong_types = itertools.count()

# The limit of responses per operation, and of ids per response, that the other user tries.
TRIES = 3
tried: Counter[str] = Counter()
# The Authorization header of each user whose session no call has ended.
sessions: dict[str, str] = {}
# The servers that each Authorization header sees, while no call changes them.
lists_of_servers: dict[str, list[dict[str, Any]]] = {}


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: Case) -> bool:
    """Leave out cases of the coverage phase that show nothing new."""
    if case.meta is None or case.meta.phase.name != "coverage":
        return True
    if case.meta.generation.mode.is_positive:
        return is_new(case)
    return case.meta.phase.data.scenario != "incorrect_type" or is_chosen(case)


def is_chosen(case: Case) -> bool:
    """Choose the first wrong type of each field, and some others in turn, so that all are sent."""
    data = case.meta.phase.data
    field = (case.operation.label, data.parameter_location, data.parameter, data.location)
    if field not in wrong:
        wrong.add(field)
        return True
    return next(wrong_types) % WRONG_TYPES == 0


def is_new(case: Case) -> bool:
    """Return whether no earlier case has the same body after its correction."""
    label = case.operation.label
    if label not in REPLACED:
        return True
    body = json.dumps([label, rest_of(case.body, REPLACED[label])], sort_keys=True, default=str)
    if body in bodies:
        return False
    bodies.add(body)
    return True


def rest_of(body: Any, names: frozenset[str]) -> Any:
    """Return a body without the fields of these names."""
    if isinstance(body, dict):
        return {name: rest_of(each, names) for name, each in body.items() if name not in names}
    return [rest_of(each, names) for each in body] if isinstance(body, list) else body


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Change a call before schemathesis sends it."""
    spare(case)
    if case.meta is not None and case.meta.generation.mode.is_positive:
        correct = CORRECTIONS.get(case.operation.label)
        if correct is not None:
            correct(case)


def spare(case: Case) -> None:
    """Make calls harmless that would end a session, delete a user or change a limit."""
    token = str(case.headers.get("Authorization", "")).removeprefix("Bearer ")
    session = session_of(token)
    if case.method != "GET" and case.path_parameters.get("id") in {*PEOPLE, session}:
        case.path_parameters["id"] = str(uuid.uuid4())
    if str(case.path_parameters.get("key", "")).startswith(("rateLimit.", "session.")):
        case.path_parameters["key"] = "no.such"
    # Without the stand-ins, no title is handed over, and no job can be retried.
    if case.operation.label == "DELETE /api/admin/servers/{id}":
        unused = {each["id"] for each in servers(case) if each["baseUrl"] == UNUSED_SERVER}
        if case.path_parameters.get("id") not in unused:
            case.path_parameters["id"] = str(uuid.uuid4())
    # A sign-in ends the session that the call presents.
    if case.path in SIGN_IN:
        case.headers.pop("Authorization", None)
    if case.path in ENDING and session:
        case.headers["Authorization"] = session_for(case, EXPENDABLE)


def servers(case: Case) -> list[dict[str, Any]]:
    """Return the download servers; an empty list if the case may not see them."""
    authorization = str(case.headers.get("Authorization", ""))
    if authorization not in lists_of_servers:
        answer = send(case, "GET", SERVERS, None, authorization)
        lists_of_servers[authorization] = answer.json().get("data", [])
    return lists_of_servers[authorization]


def forget_servers(method: str, path: str, status: int) -> None:
    """Forget the lists of servers if a call has added, changed or deleted one."""
    if method != "GET" and path.startswith(SERVERS) and status < 300:
        lists_of_servers.clear()


def session_of(token: str) -> str:
    """Return the session id in a token of the service, or "" for another text."""
    try:
        return str(jwt.decode(token, options={"verify_signature": False})["jti"])
    except jwt.InvalidTokenError:
        return ""


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext, case: Case, response: schemathesis.Response
) -> None:
    """Forget a session that a call has ended, and servers that it has changed."""
    forget_servers(case.method, case.path, response.status_code)
    if case.path in ENDING and response.status_code < 300:
        sessions.pop(EXPENDABLE, None)


def session_for(case: Case, name: str) -> str:
    """Return the Authorization header of a session of a user, who signs in if there is none.

    A sign-in hashes a password, which costs as much as ten other calls.
    """
    if name not in sessions:
        sessions[name] = sign_in(case, name)
    return sessions[name]


def sign_in(case: Case, name: str) -> str:
    """Sign a user in; return the Authorization header of the session."""
    body = {"identifier": name, "password": PASSWORD}
    return f"Bearer {send(case, 'POST', '/api/auth/login', body).json()['data']['token']}"


def send(
    case: Case, method: str, path: str, body: object = None, authorization: str = ""
) -> urllib3.BaseHTTPResponse:
    """Send an extra call to the service that a case is for."""
    url = case.operation.schema.get_base_url() + path
    headers = {"Authorization": authorization} if authorization else {}
    answer = http.request(method, url, json=body, headers=headers)
    forget_servers(method, path, answer.status)
    return answer


@schemathesis.check
def accessible_to_its_owner_only(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: Case
) -> None:
    """Check that another user gets 404 for each resource of root."""
    label = case.operation.label
    if label not in RETURNS_IDS or response.status_code not in {200, 201} or tried[label] >= TRIES:
        return
    data = response.json()["data"]
    ids = [each["id"] for each in (data if isinstance(data, list) else [data])]
    tried[label] += 1
    other_user = session_for(case, OTHER_USER)
    for method, path in itertools.product(("GET", "DELETE"), OWNED):
        for each in ids[:TRIES]:
            answer = send(case, method, path.format(id=each), authorization=other_user)
            if answer.status not in {404, 405}:
                raise AssertionError(f"another user got {answer.status}: {method} {path}")


# Corrections for rules that a schema of OpenAPI 3.0 cannot express.


def use_valid_period(case: Case) -> None:
    """Use a period that does not end before it begins."""
    if "from" in case.query:
        case.query.pop("to", None)


def send_reason_with_decline_only(case: Case) -> None:
    """Send a reason with a decline, which requires one, and no remark with an approval."""
    remark = {"reason": case.body.get("reason") or "No"}
    if case.body["decision"] == "approve":
        remark = {}
    case.body = {"decision": case.body["decision"], "ids": case.body["ids"]} | remark


def end_another_session(case: Case) -> None:
    """End another session of root, once: each costs a sign-in."""
    label = case.operation.label
    if case.meta.phase.name != "stateful" and not tried[label]:
        tried[label] += 1
        case.path_parameters["id"] = session_of(sign_in(case, "root").removeprefix("Bearer "))


def use_harmless_setting(case: Case) -> None:
    """Change a setting that does not affect the following calls."""
    case.path_parameters["key"] = "audit.retention"
    case.body = {"value": {"days": 89 + next(numbers)}}


def use_unused_account(case: Case) -> None:
    """Send a unique name and a strong password."""
    name = f"guest{next(numbers)}"
    case.body = case.body | {
        "email": f"{name}@example.com",
        "username": name,
        "password": PASSWORD,
    }


def use_known_title(case: Case) -> None:
    """Request a title of the catalogue, with an unused idempotency key."""
    case.body.pop("seasons", None)
    case.body["tmdbId"] = next(movies if case.body["mediaType"] == "movie" else shows)
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"key-{next(numbers)}"


def use_pending_request(case: Case) -> None:
    """Decide or cancel a new request, unless a previous step of a stateful test names one."""
    token = case.headers.get("Authorization")
    if case.meta.phase.name != "stateful" and token:
        film_request = {"mediaType": "movie", "tmdbId": next(movies)}
        answer = send(case, "POST", "/api/media/request", film_request, token)
        case.path_parameters["id"] = answer.json()["data"]["id"]


def approve_without_server(case: Case) -> None:
    """Approve a new request, and let the routing rules choose its server."""
    use_pending_request(case)
    if isinstance(case.body, dict):
        case.body.pop("serverId", None)
        case.body.pop("options", None)


def use_waiting_request(case: Case) -> None:
    """Retry a request whose server does not exist, unless a previous step names one."""
    if case.meta.phase.name != "stateful" and case.headers.get("Authorization"):
        case.path_parameters["id"] = waiting_request(case)


def use_waiting_job(case: Case) -> None:
    """Retry or cancel a job whose server does not exist, unless a previous step names one."""
    token = case.headers.get("Authorization")
    if case.meta.phase.name != "stateful" and token:
        waiting_request(case)
        # The newest first; a worker may have it at this moment.
        jobs = send(case, "GET", "/api/admin/jobs?kind=handover", None, token)
        case.path_parameters["id"] = jobs.json()["data"][0]["id"]


def waiting_request(case: Case) -> str:
    """Approve a new request for a server that does not exist; return its id."""
    token = case.headers["Authorization"]
    unused = [
        each
        for each in servers(case)
        if (each["kind"], each["baseUrl"], each["enabled"]) == ("radarr", UNUSED_SERVER, True)
    ]
    if not unused:
        body = {
            "kind": "radarr",
            "name": f"server {next(numbers)}",
            "baseUrl": UNUSED_SERVER,
            "apiKey": "0123456789abcdef0123456789abcdef",
            "options": {"qualityProfileId": 1, "rootFolderPath": "/films"},
        }
        unused = [send(case, "POST", SERVERS, body, token).json()["data"]]
    film = {"mediaType": "movie", "tmdbId": next(movies)}
    request_id = send(case, "POST", "/api/media/request", film, token).json()["data"]["id"]
    path = f"/api/admin/requests/{request_id}/approve"
    send(case, "POST", path, {"serverId": unused[0]["id"]}, token)
    return str(request_id)


def use_unused_server(case: Case) -> None:
    """Add a server with a unique name and options of both kinds, and remove the previous one."""
    for server in servers(case):
        if server["baseUrl"] == UNUSED_SERVER:
            path = f"/api/admin/servers/{server['id']}"
            send(case, "DELETE", path, None, case.headers.get("Authorization"))
    case.body = case.body | {
        "name": f"server {next(numbers)}",
        "baseUrl": UNUSED_SERVER,
        "headers": {"CF-Access-Client-Id": "a1b2.access"},
        "options": {"search": True},
    }


def use_harmless_change(case: Case) -> None:
    """Change the name of a server, which must be unique, and no address."""
    case.body = {"name": f"server {next(numbers)}"}


def use_known_servers(case: Case) -> None:
    """Route to servers that exist, with options of both kinds."""
    kinds = {"radarr": "movie", "sonarr": "tv"}
    known = {kinds[server["kind"]]: server["id"] for server in servers(case)}
    for rule in case.body["rules"]:
        rule |= {"serverId": known[rule["mediaType"]], "options": {}}


CORRECTIONS: Mapping[str, Callable[[Case], None]] = {
    "DELETE /api/auth/sessions/{id}": end_another_session,
    "DELETE /api/media/requests/{id}": use_pending_request,
    "GET /api/admin/audit-logs": use_valid_period,
    "POST /api/admin/requests/decisions": send_reason_with_decline_only,
    "PATCH /api/admin/servers/{id}": use_harmless_change,
    "POST /api/admin/requests/{id}/approve": approve_without_server,
    "POST /api/admin/requests/{id}/decline": use_pending_request,
    "POST /api/admin/requests/{id}/retry": use_waiting_request,
    "POST /api/admin/jobs/{id}/cancel": use_waiting_job,
    "POST /api/admin/jobs/{id}/retry": use_waiting_job,
    "POST /api/admin/servers": use_unused_server,
    "POST /api/admin/users": use_unused_account,
    "POST /api/media/request": use_known_title,
    "PUT /api/admin/config/{key}": use_harmless_setting,
    "PUT /api/admin/routing-rules": use_known_servers,
}
