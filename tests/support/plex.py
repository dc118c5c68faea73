"""Sign in through the stand-in for plex.tv."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import urllib3

from tests.support.api import Answer, call

_http = urllib3.PoolManager()
_with_fault: set[str] = set()


def approve(plex_url: str, code: str, person: str) -> None:
    """Approve a PIN, as a person does on the sign-in page of Plex."""
    response = _http.request(
        "POST", f"{plex_url}/standin/pins/{code}/approve", json={"username": person}
    )
    assert response.status == 200, response.data


def approve_at(auth_url: str, person: str) -> None:
    """Approve a PIN through the URL of the sign-in page."""
    page = urlsplit(auth_url)
    parameters = parse_qs(page.fragment.removeprefix("?"), strict_parsing=True)
    response = _http.request(
        "POST",
        f"{page.scheme}://{page.netloc}/standin/pins/{parameters['code'][0]}/approve",
        json={"username": person, "clientID": parameters["clientID"][0]},
    )
    assert response.status == 200, response.data


def control(url: str, method: str, path: str, body: Any = None) -> Any:
    """Call a control route of a stand-in: faults and received requests."""
    if path == "fault":
        _with_fault.add(url)
    response = _http.request(method, f"{url}/standin/{path}", json=body)
    assert response.status < 300, response.data
    return json.loads(response.data) if response.data else None


def end_fault(url: str) -> None:
    """Switch off a fault of a stand-in, with a call only if a test has switched one on."""
    if url in _with_fault:
        control(url, "DELETE", "fault")
        _with_fault.remove(url)


def begin(plex_url: str, person: str | None) -> str:
    """Start a sign-in, approve it if a person is given, and return the handle."""
    pin = call("POST", "/api/auth/plex/pin", body={}).data
    if person is not None:
        assert pin["authUrl"].startswith(f"{plex_url}/auth#?")
        approve_at(pin["authUrl"], person)
    handle: str = pin["pinId"]
    return handle


def verify(handle: str, **fields: Any) -> Answer:
    """Complete a sign-in."""
    return call("POST", "/api/auth/plex/verify", body={"pinId": handle, **fields})


def sign_in(plex_url: str, person: str) -> Any:
    """Sign a person in and return the data of the response."""
    return verify(begin(plex_url, person)).data


def promote(plex_url: str, people: dict[str, str], name: str, by: str = "alice") -> None:
    """Make a user an admin, which revokes their sessions, and sign them in again."""
    user_id = call("GET", "/api/auth/me", token=people[name]).data["id"]
    path = f"/api/admin/users/{user_id}"
    assert call("PATCH", path, token=people[by], body={"role": "admin"}).status == 200
    people[name] = sign_in(plex_url, name)["token"]
