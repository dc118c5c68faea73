"""The main job over HTTP, and what the gateway answers itself."""

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from medianest.api.headers import SECURITY_HEADERS
from tests.e2e.conftest import OwnEngines
from tests.support.local import LocalService, local_service

MATRIX = {"mediaType": "movie", "tmdbId": 603}


def assert_house_headers(headers: dict[str, str]) -> None:
    for name, value in SECURITY_HEADERS.items():
        assert headers[name.lower()] == value
    assert len(headers["x-request-id"]) == 36
    assert "server" not in headers


@pytest.fixture
def fresh(tmp_path: Path, own_engines: OwnEngines) -> Iterator[LocalService]:
    """Run a service of the test's own, in which nobody has signed in."""
    with (
        own_engines("fresh") as own,
        local_service(tmp_path / "data", environment=own) as running,
    ):
        yield running


def test_a_film_is_found_requested_and_approved(fresh: LocalService) -> None:
    service = fresh
    plex_url, _ = service.standin_urls
    alice, bob = (service.sign_in(plex_url, name) for name in ("alice", "bob"))
    found = service.call("GET", "/api/media/search", token=bob, query={"q": "matrix"})
    assert found.data[0]["tmdbId"] == 603
    made = service.call("POST", "/api/media/request", token=bob, body=MATRIX)
    assert made.status == 201
    assert service.call("GET", "/api/admin/requests", token=bob).code == "FORBIDDEN"
    waiting = service.call(
        "GET", "/api/admin/requests", token=alice, query={"status": "pending"}
    ).data
    assert [item["id"] for item in waiting] == [made.data["id"]]
    decided = service.call(
        "POST", f"/api/admin/requests/{made.data['id']}/approve", token=alice, body={}
    )
    assert decided.data["status"] == "approved"
    seen = service.call("GET", "/api/media/requests", token=bob).data
    assert [item["status"] for item in seen] == ["approved"]
    assert service.call("POST", "/api/auth/logout", token=bob).status == 204
    assert service.call("GET", "/api/auth/me", token=bob).code == "JWT_INVALID"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api", 404, "NOT_FOUND"),
        ("GET", "/api/nothing", 404, "NOT_FOUND"),
        ("GET", "/api/health/", 404, "NOT_FOUND"),
        ("GET", "/api/Health", 404, "NOT_FOUND"),
        ("GET", "//api/health", 404, "NOT_FOUND"),
        ("GET", "/api/admin/secret", 404, "NOT_FOUND"),
        ("GET", "/api/admin;x/users", 404, "NOT_FOUND"),
        ("GET", "/api/%61dmin/users", 404, "NOT_FOUND"),
        ("POST", "/api/health", 405, "METHOD_NOT_ALLOWED"),
        ("HEAD", "/api/auth/logout", 405, ""),
        ("TRACE", "/api/health", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/api/admin/users", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/auth/logout", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_unknown_paths_and_methods_are_404_and_405(
    service: LocalService, method: str, path: str, status: int, code: str
) -> None:
    # http.client, since it sends a path as it is.
    address = urlsplit(service.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
    connection.request(method, path, headers={"X-HTTP-Method-Override": "GET"})
    response = connection.getresponse()
    text = response.read().decode()
    headers = {name.lower(): value for name, value in response.getheaders()}
    connection.close()
    assert response.status == status
    assert_house_headers(headers)
    if code:
        assert f'"code":"{code}"' in text
        assert headers["content-type"] == "application/json; charset=utf-8"
    if status == 405:
        assert "OPTIONS" in headers["allow"]
        assert method not in headers["allow"].split(", ")


def test_a_get_of_the_health_check_is_answered(service: LocalService) -> None:
    answer = service.call("GET", "/api/health")
    assert answer.status == 200
    assert answer.data["status"] == "healthy"
    assert_house_headers(answer.headers)


def test_a_form_body_to_an_unknown_method_is_405(service: LocalService) -> None:
    for media_type in ("application/x-www-form-urlencoded", "text/plain"):
        answer = service.call("PUT", "/api/health", body=1, headers={"Content-Type": media_type})
        assert answer.code == "METHOD_NOT_ALLOWED"


def test_a_preflight_is_answered_with_the_allowed_methods(service: LocalService) -> None:
    answer = service.call("OPTIONS", "/api/media/request", headers={"Origin": "https://a.example"})
    assert answer.status == 204
    assert answer.text == ""
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert "access-control-allow-credentials" not in answer.headers
    assert_house_headers(answer.headers)


def test_a_body_of_eleven_megabytes_is_413(service: LocalService) -> None:
    answer = service.call("POST", "/api/auth/plex/verify", body={"pinId": "x" * 11_000_000})
    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
    assert_house_headers(answer.headers)


@pytest.mark.parametrize("size", [65_537, 70_000, 1_000_000])
def test_a_body_over_64_kib_is_413(service: LocalService, size: int) -> None:
    answer = service.call("POST", "/api/auth/plex/verify", body={"pinId": "x" * size})
    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert_house_headers(answer.headers)


def test_too_many_at_once_are_throttled_for_everybody(service: LocalService) -> None:
    with ThreadPoolExecutor(40) as pool:
        calls = [
            pool.submit(service.call, "POST", "/api/auth/plex/pin", body={}) for _ in range(40)
        ]
    answers = [each.result() for each in calls]
    refused = [answer for answer in answers if answer.status == 429]
    assert {answer.status for answer in answers} == {200, 429}
    assert len(refused) >= 10
    for answer in refused:
        assert answer.code == "RATE_LIMITED"
        assert int(answer.headers["retry-after"]) >= 1
        assert_house_headers(answer.headers)
    assert service.patiently("POST", "/api/auth/plex/pin", body={}).status == 200
