"""The stand-in for plex.tv, over real HTTP."""

import re
import time
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import urllib3

from local.standins import Standins
from local.standins.plex.app import create_app
from local.standins.plex.people import PEOPLE
from local.standins.plex.resources import SERVER_ID
from tests.support.standin import Client, client_of, served

CLIENT = {"Accept": "application/json", "X-Plex-Client-Identifier": "medianest-test"}
OTHER_CLIENT = {**CLIENT, "X-Plex-Client-Identifier": "another-client"}


@pytest.fixture
def plex_tv(upstreams: Standins) -> Iterator[Client]:
    with client_of(upstreams.plex_url) as client:
        yield client


def create_pin(client: Client, *, strong: str = "true") -> dict[str, Any]:
    answer = client.send("POST", f"/api/v2/pins?strong={strong}", CLIENT)
    assert answer.status == 201
    pin: dict[str, Any] = answer.json()
    return pin


def approve(client: Client, pin: dict[str, Any], username: str) -> urllib3.BaseHTTPResponse:
    path = f"/standin/pins/{pin['code']}/approve"
    return client.send("POST", path, body={"username": username})


def sign_in(client: Client, username: str) -> dict[str, str]:
    pin = create_pin(client)
    assert approve(client, pin, username).status == 200
    token = client.get(f"/api/v2/pins/{pin['id']}", CLIENT).json()["authToken"]
    return {**CLIENT, "X-Plex-Token": token}


def plex_error(answer: urllib3.BaseHTTPResponse) -> tuple[int, int]:
    return answer.status, answer.json()["errors"][0]["code"]


def test_pin_has_a_token_only_after_approval(plex_tv: Client) -> None:
    pin = create_pin(plex_tv)
    assert isinstance(pin["id"], int)
    assert re.fullmatch(r"[a-z0-9]{25}", pin["code"])
    assert pin["authToken"] is None
    assert pin["expiresIn"] == 1800
    assert pin["clientIdentifier"] == "medianest-test"

    path = f"/api/v2/pins/{pin['id']}"
    assert plex_tv.get(path, CLIENT).json()["authToken"] is None
    assert approve(plex_tv, pin, "alice").json() == {"approved": True, "username": "alice"}
    assert len(plex_tv.get(path, CLIENT).json()["authToken"]) >= 20


def test_pin_ids_are_sequential_and_short_codes_have_four_characters(plex_tv: Client) -> None:
    first = create_pin(plex_tv, strong="false")
    second = create_pin(plex_tv, strong="false")
    assert second["id"] == first["id"] + 1
    assert len(first["code"]) == 4
    assert first["expiresIn"] == 900


def test_strong_parameter_is_read_from_the_query_only(plex_tv: Client) -> None:
    path = plex_tv.origin + "/api/v2/pins"
    responses = [
        plex_tv.pool.request("POST", path, fields={"strong": "true"}, headers=CLIENT),
        plex_tv.pool.request(
            "POST", path, fields={"strong": "true"}, headers=CLIENT, encode_multipart=False
        ),
        plex_tv.pool.request("POST", path, json={"strong": True}, headers=CLIENT),
        plex_tv.send("POST", "/api/v2/pins?strong=yes", CLIENT),
        plex_tv.send("POST", "/api/v2/pins", {**CLIENT, "strong": "true"}),
    ]
    assert [len(response.json()["code"]) for response in responses] == [4] * 5
    assert len(create_pin(plex_tv)["code"]) == 25


def test_sign_in_page_refuses_a_short_code(plex_tv: Client) -> None:
    short = create_pin(plex_tv, strong="false")
    refused = approve(plex_tv, short, "alice")
    assert refused.status == 400
    assert "plex.tv/link" in refused.json()["error"]
    assert plex_tv.get(f"/api/v2/pins/{short['id']}", CLIENT).json()["authToken"] is None


@pytest.mark.parametrize(
    ("client_id", "status"),
    [("medianest-test", 200), ("another-client", 404), ("", 404), (None, 404), (["x"], 404)],
)
def test_sign_in_page_refuses_the_pin_of_another_client(
    plex_tv: Client, client_id: object, status: int
) -> None:
    pin = create_pin(plex_tv)
    body = {"username": "alice", "clientID": client_id}
    answer = plex_tv.send("POST", f"/standin/pins/{pin['code']}/approve", body=body)
    assert answer.status == status
    token = plex_tv.get(f"/api/v2/pins/{pin['id']}", CLIENT).json()["authToken"]
    assert (token is not None) == (status == 200)


def test_pin_with_another_code_in_the_query_is_not_found(plex_tv: Client) -> None:
    pin = create_pin(plex_tv)
    path = f"/api/v2/pins/{pin['id']}"
    assert plex_tv.get(f"{path}?code={pin['code']}", CLIENT).status == 200
    assert plex_error(plex_tv.get(f"{path}?code=other", CLIENT)) == (404, 1020)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v2/pins"),
        ("GET", "/api/v2/pins/x"),
        ("GET", "/api/v2/pins/" + "9" * 5000),
        ("GET", "/api/v2/nothing"),
        ("POST", "/api/v2/user"),
    ],
    ids=lambda value: value[:20],
)
def test_unknown_path_or_method_is_not_found(plex_tv: Client, method: str, path: str) -> None:
    answer = plex_tv.send(method, path, CLIENT)
    assert (answer.status, answer.json()["errors"][0]["status"]) == (404, 404)


def test_pin_of_another_client_or_unknown_pin_is_not_found(plex_tv: Client) -> None:
    pin = create_pin(plex_tv)
    assert plex_error(plex_tv.get(f"/api/v2/pins/{pin['id']}", OTHER_CLIENT)) == (404, 1020)
    assert plex_error(plex_tv.get("/api/v2/pins/1", CLIENT)) == (404, 1020)


def test_missing_client_identifier_is_rejected(plex_tv: Client) -> None:
    headers = {"Accept": "application/json"}
    assert plex_error(plex_tv.send("POST", "/api/v2/pins?strong=true", headers)) == (400, 1000)
    pin = create_pin(plex_tv)
    assert plex_error(plex_tv.get(f"/api/v2/pins/{pin['id']}", headers)) == (400, 1000)
    signed_in = sign_in(plex_tv, "alice")
    token = {"X-Plex-Token": signed_in["X-Plex-Token"], **headers}
    for path in ("/api/v2/user", "/api/v2/resources", "/api/v2/ping"):
        assert plex_error(plex_tv.get(path, token)) == (400, 1000)
        assert plex_tv.get(path, signed_in).status == 200


def test_expired_pin_is_not_found() -> None:
    with served(create_app(pin_lifetime=0.2)) as origin, client_of(origin) as client:
        pin = create_pin(client)
        time.sleep(0.3)
        assert plex_error(client.get(f"/api/v2/pins/{pin['id']}", CLIENT)) == (404, 1020)
        assert approve(client, pin, "alice").status == 404


def test_approval_needs_a_known_code_and_person_and_works_once(plex_tv: Client) -> None:
    pin = create_pin(plex_tv)
    unknown_person = approve(plex_tv, pin, "mallory")
    assert unknown_person.status == 400
    assert "alice" in unknown_person.json()["error"]
    assert approve(plex_tv, {"code": "nothing"}, "alice").status == 404
    assert approve(plex_tv, pin, "bob").status == 200
    assert approve(plex_tv, pin, "alice").status == 409


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"alice"'])
def test_approval_with_a_malformed_body_is_rejected(plex_tv: Client, body: bytes) -> None:
    pin = create_pin(plex_tv)
    url = f"{plex_tv.origin}/standin/pins/{pin['code']}/approve"
    assert plex_tv.pool.request("POST", url, body=body).status == 400


def test_response_is_xml_unless_json_is_accepted(plex_tv: Client) -> None:
    headers = {"X-Plex-Client-Identifier": "medianest-test"}
    answer = plex_tv.send("POST", "/api/v2/pins?strong=true", headers)
    assert answer.headers["Content-Type"].startswith("application/xml")
    pin = ET.fromstring(answer.data)
    assert pin.tag == "pin"
    assert pin.get("authToken") == ""
    assert len(pin.get("code", "")) == 25
    assert pin.find("location") is not None

    refused = ET.fromstring(plex_tv.get("/api/v2/user", headers).data)
    assert [error.get("code") for error in refused.iter("error")] == ["1001"]


def test_sign_in_page_lists_the_people_and_says_that_it_is_a_stand_in(plex_tv: Client) -> None:
    page = plex_tv.get("/auth")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "stand-in for plex.tv" in page.data.decode()
    assert all(person.username in page.data.decode() for person in PEOPLE)


def test_user_route_returns_the_user_of_the_token(plex_tv: Client) -> None:
    user = plex_tv.get("/api/v2/user", sign_in(plex_tv, "alice")).json()
    assert (user["id"], user["username"], user["email"]) == (1001, "alice", "alice@example.com")
    child = plex_tv.get("/api/v2/user", sign_in(plex_tv, "kids")).json()
    assert (child["id"], child["title"], child["email"]) == (1005, "kids", None)
    assert child["restricted"] is True


@pytest.mark.parametrize("path", ["/api/v2/user", "/api/v2/resources", "/api/v2/ping"])
def test_unknown_or_malformed_token_is_refused(plex_tv: Client, path: str) -> None:
    assert plex_error(plex_tv.get(path, CLIENT)) == (401, 1001)
    assert plex_error(plex_tv.get(path, {**CLIENT, "X-Plex-Token": "guess"})) == (401, 1001)
    malformed = plex_tv.get(path, {**CLIENT, "X-Plex-Token": "no token at all"})
    assert malformed.status == 422
    assert "Invalid token" in malformed.data.decode()


def test_token_is_read_from_the_header_only(plex_tv: Client) -> None:
    token = sign_in(plex_tv, "alice")["X-Plex-Token"]
    assert plex_error(plex_tv.get(f"/api/v2/user?X-Plex-Token={token}", CLIENT)) == (401, 1001)
    assert plex_tv.get("/api/v2/user", {**CLIENT, "X-Plex-Token": token}).status == 200


@pytest.mark.parametrize(
    ("username", "owned"),
    [("alice", True), ("bob", False), ("carol", False), ("kids", False), ("dave", None)],
)
def test_resources_list_the_server_for_members_only(
    plex_tv: Client, username: str, owned: bool | None
) -> None:
    path = "/api/v2/resources?includeHttps=1&includeRelay=1"
    resources = plex_tv.get(path, sign_in(plex_tv, username)).json()
    servers = [resource for resource in resources if resource["clientIdentifier"] == SERVER_ID]
    assert [resource["owned"] for resource in servers] == ([] if owned is None else [owned])
    assert all("server" in resource["provides"].split(",") for resource in servers)
    assert len(resources) - len(servers) == 2


def test_ping_returns_pong(plex_tv: Client) -> None:
    assert plex_tv.get("/api/v2/ping", sign_in(plex_tv, "bob")).json() == {"pong": True}
