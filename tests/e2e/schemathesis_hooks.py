"""Keeps those signed in as whom schemathesis calls, makes sense of what it sends, checks one more.

Calls are root's, who is an admin.
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

# A schemathesis.Case, whose types leave open what a body is.
type Case = Any

PASSWORD = os.environ["PASSWORD"]
PEOPLE = set(os.environ["PEOPLE"].split())
# Who must not get what root has made, and whose sessions are there to be ended.
STRANGER, EXPENDABLE = "ann", "ben"
SIGN_IN = ("/api/auth/login", "/api/auth/plex/verify")
ENDING = ("/api/auth/logout", "/api/auth/refresh")
# What belongs to somebody, and who tells the ids of it.
TELLS_IDS = ("POST /api/media/request", "GET /api/media/requests", "GET /api/auth/sessions")
OWNED = ("/api/auth/sessions/{id}", "/api/media/requests/{id}")

http = urllib3.PoolManager()
numbers = itertools.count(1)
catalogue = json.loads((PROJECT / "local/standins/tmdb/catalogue.json").read_text(encoding="utf-8"))
movies = itertools.cycle(title["id"] for title in catalogue["movies"])
shows = itertools.cycle(title["id"] for title in catalogue["shows"])


# Of each operation that answers with ids, how many times the stranger tries them.
TRIES = 3
tried: Counter[str] = Counter()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Change a call before it is made."""
    spare(case)
    if case.meta is not None and case.meta.generation.mode.is_positive:
        make_sense = SENSE.get(case.operation.label)
        if make_sense is not None:
            make_sense(case)


def spare(case: Case) -> None:
    """Turn what would end a session or a user, or change a limit, into something harmless."""
    token = str(case.headers.get("Authorization", "")).removeprefix("Bearer ")
    session = session_of(token)
    if case.method != "GET" and case.path_parameters.get("id") in {*PEOPLE, session}:
        case.path_parameters["id"] = str(uuid.uuid4())
    if str(case.path_parameters.get("key", "")).startswith(("rateLimit.", "session.")):
        case.path_parameters["key"] = "no.such"
    # Who signs in anew leaves the session that is shown.
    if case.path in SIGN_IN:
        case.headers.pop("Authorization", None)
    if case.path in ENDING and session:
        case.headers["Authorization"] = sign_in(case, EXPENDABLE)


def session_of(token: str) -> str:
    """Return the session of a token of the service's, of anything else nothing."""
    try:
        return str(jwt.decode(token, options={"verify_signature": False})["jti"])
    except jwt.InvalidTokenError:
        return ""


def sign_in(case: Case, name: str) -> str:
    """Sign somebody in; return the Authorization of the session."""
    body = {"identifier": name, "password": PASSWORD}
    return f"Bearer {ask(case, 'POST', '/api/auth/login', body).json()['data']['token']}"


def ask(
    case: Case, method: str, path: str, body: object = None, authorization: str = ""
) -> urllib3.BaseHTTPResponse:
    """Make a call of our own to the service that a case is for."""
    url = case.operation.schema.get_base_url() + path
    headers = {"Authorization": authorization} if authorization else {}
    return http.request(method, url, json=body, headers=headers)


@schemathesis.check
def only_for_its_owner(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: Case
) -> None:
    """Check that whatever root gets the id of is, for a stranger, not there."""
    label = case.operation.label
    if label not in TELLS_IDS or response.status_code not in {200, 201} or tried[label] >= TRIES:
        return
    data = response.json()["data"]
    ids = [each["id"] for each in (data if isinstance(data, list) else [data])]
    tried[label] += 1
    stranger = sign_in(case, STRANGER)
    for method, path in itertools.product(("GET", "DELETE"), OWNED):
        for each in ids[:TRIES]:
            answer = ask(case, method, path.format(id=each), authorization=stranger)
            if answer.status not in {404, 405}:
                raise AssertionError(f"a stranger got {answer.status}: {method} {path}")


# What no schema of OpenAPI 3.0 can say.


def time_goes_on(case: Case) -> None:
    """Ask for a time that does not end before it begins."""
    if "from" in case.query:
        case.query.pop("to", None)


def one_word_for_a_decision(case: Case) -> None:
    """Give a reason with a refusal, which needs one, and nothing else with anything."""
    words = {"reason": case.body.get("reason") or "No"}
    if case.body["decision"] == "approve":
        words = {}
    case.body = {"decision": case.body["decision"], "ids": case.body["ids"]} | words


def setting_of_its_kind(case: Case) -> None:
    """Change a setting that changes nothing for the calls that follow."""
    case.path_parameters["key"] = "audit.retention"
    case.body = {"value": {"days": 89 + next(numbers)}}


def somebody_new(case: Case) -> None:
    """Give an account a name of its own and a password that is strong."""
    name = f"guest{next(numbers)}"
    case.body = case.body | {
        "email": f"{name}@example.com",
        "username": name,
        "password": PASSWORD,
    }


def title_that_is_there(case: Case) -> None:
    """Ask for something that the catalogue has, with a key that was not used yet."""
    case.body.pop("seasons", None)
    case.body["tmdbId"] = next(movies if case.body["mediaType"] == "movie" else shows)
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"key-{next(numbers)}"


def request_to_be_decided(case: Case) -> None:
    """Decide or cancel what nobody has yet, unless a step before this one says which."""
    token = case.headers.get("Authorization")
    if case.meta.phase.name != "stateful" and token:
        wanted = {"mediaType": "movie", "tmdbId": next(movies)}
        answer = ask(case, "POST", "/api/media/request", wanted, token)
        case.path_parameters["id"] = answer.json()["data"]["id"]


SENSE: Mapping[str, Callable[[Case], None]] = {
    "DELETE /api/media/requests/{id}": request_to_be_decided,
    "GET /api/admin/audit-logs": time_goes_on,
    "POST /api/admin/requests/decisions": one_word_for_a_decision,
    "POST /api/admin/requests/{id}/approve": request_to_be_decided,
    "POST /api/admin/requests/{id}/decline": request_to_be_decided,
    "POST /api/admin/users": somebody_new,
    "POST /api/media/request": title_that_is_there,
    "PUT /api/admin/config/{key}": setting_of_its_kind,
}
