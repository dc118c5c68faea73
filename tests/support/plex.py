"""Sign in through the stand-in for plex.tv."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import urllib3

from tests.support.api import Answer, call

_http = urllib3.PoolManager()


def approve(plex_url: str, code: str, person: str) -> None:
    """Do what a person does on the hosted sign-in page."""
    response = _http.request(
        "POST", f"{plex_url}/standin/pins/{code}/approve", json={"username": person}
    )
    assert response.status == 200, response.data


def approve_at(auth_url: str, person: str) -> None:
    """Open the hosted sign-in page and do what a person does there."""
    page = urlsplit(auth_url)
    asked = parse_qs(page.fragment.removeprefix("?"), strict_parsing=True)
    response = _http.request(
        "POST",
        f"{page.scheme}://{page.netloc}/standin/pins/{asked['code'][0]}/approve",
        json={"username": person, "clientID": asked["clientID"][0]},
    )
    assert response.status == 200, response.data


def control(url: str, method: str, path: str, body: Any = None) -> Any:
    """Talk to a stand-in's control routes: faults and the requests it has seen."""
    response = _http.request(method, f"{url}/standin/{path}", json=body)
    assert response.status < 300, response.data
    return json.loads(response.data) if response.data else None


def begin(plex_url: str, person: str | None) -> str:
    """Begin a sign-in and, for a person, approve it; return the handle."""
    pin = call("POST", "/api/auth/plex/pin", body={}).data
    if person is not None:
        assert pin["authUrl"].startswith(f"{plex_url}/auth#?")
        approve_at(pin["authUrl"], person)
    handle: str = pin["pinId"]
    return handle


def verify(handle: str, **fields: Any) -> Answer:
    """Finish a sign-in."""
    return call("POST", "/api/auth/plex/verify", body={"pinId": handle, **fields})


def sign_in(plex_url: str, person: str) -> Any:
    """Sign a person in and return what the API answered."""
    return verify(begin(plex_url, person)).data


def promote(plex_url: str, people: dict[str, str], name: str, by: str = "alice") -> None:
    """Make somebody an admin, which ends their sessions, and sign them in again."""
    user_id = call("GET", "/api/auth/me", token=people[name]).data["id"]
    path = f"/api/admin/users/{user_id}"
    assert call("PATCH", path, token=people[by], body={"role": "admin"}).status == 200
    people[name] = sign_in(plex_url, name)["token"]
