"""A film from search to approval over HTTP, and the responses of the gateway itself."""

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


def assert_standard_headers(headers: dict[str, str]) -> None:
    for name, value in SECURITY_HEADERS.items():
        assert headers[name.lower()] == value
    assert len(headers["x-request-id"]) == 36
    assert "server" not in headers


@pytest.fixture
def fresh(tmp_path: Path, own_engines: OwnEngines) -> Iterator[LocalService]:
    """Run a service for one test, without any user."""
    with (
        own_engines("fresh") as variables,
        local_service(tmp_path / "data", environment=variables) as running,
    ):
        yield running


def test_film_is_searched_requested_and_approved(fresh: LocalService) -> None:
    service = fresh
    plex_url, _ = service.standin_urls
    alice, bob = (service.sign_in(plex_url, name) for name in ("alice", "bob"))
    results = service.call("GET", "/api/media/search", token=bob, query={"q": "matrix"})
    assert results.data[0]["tmdbId"] == 603
    created = service.call("POST", "/api/media/request", token=bob, body=MATRIX)
    assert created.status == 201
    assert service.call("GET", "/api/admin/requests", token=bob).code == "FORBIDDEN"
    pending = service.call(
        "GET", "/api/admin/requests", token=alice, query={"status": "pending"}
    ).data
    assert [item["id"] for item in pending] == [created.data["id"]]
    decided = service.call(
        "POST", f"/api/admin/requests/{created.data['id']}/approve", token=alice, body={}
    )
    assert decided.data["status"] == "approved"
    listed = service.call("GET", "/api/media/requests", token=bob).data
    assert [item["status"] for item in listed] == ["approved"]
    assert service.call("POST", "/api/auth/logout", token=bob).status == 204
    assert service.call("GET", "/api/auth/me", token=bob).code == "JWT_INVALID"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "NOT_FOUND"),
        ("GET", "/api/health/", 404, "NOT_FOUND"),
        ("GET", "/api/Health", 404, "NOT_FOUND"),
        ("GET", "/api/admin/secret", 404, "NOT_FOUND"),
        ("GET", "/api/admin;x/users", 404, "NOT_FOUND"),
        ("GET", "/api/%61dmin/users", 404, "NOT_FOUND"),
        ("POST", "/api/health", 405, "METHOD_NOT_ALLOWED"),
        ("HEAD", "/api/auth/logout", 405, ""),
        ("DELETE", "/api/admin/users", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/auth/logout", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_unknown_path_or_method_gets_404_or_405_with_the_standard_headers(
    service: LocalService, method: str, path: str, status: int, code: str
) -> None:
    # http.client does not normalize the path.
    address = urlsplit(service.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
    connection.request(method, path, headers={"X-HTTP-Method-Override": "GET"})
    response = connection.getresponse()
    text = response.read().decode()
    headers = {name.lower(): value for name, value in response.getheaders()}
    connection.close()
    assert response.status == status
    assert_standard_headers(headers)
    if code:
        assert f'"code":"{code}"' in text
        assert headers["content-type"] == "application/json; charset=utf-8"
    if status == 405:
        assert "OPTIONS" in headers["allow"]
        assert method not in headers["allow"].split(", ")


def test_known_method_is_answered_with_the_standard_headers(service: LocalService) -> None:
    answer = service.call("GET", "/api/health")
    assert answer.status == 200
    assert answer.data["status"] == "healthy"
    assert_standard_headers(answer.headers)


def test_unsupported_method_gets_405_for_other_media_types(service: LocalService) -> None:
    for media_type in ("application/x-www-form-urlencoded", "text/plain"):
        answer = service.call("PUT", "/api/health", body=1, headers={"Content-Type": media_type})
        assert answer.code == "METHOD_NOT_ALLOWED"


def test_preflight_names_the_method_of_the_route(service: LocalService) -> None:
    answer = service.call("OPTIONS", "/api/media/request", headers={"Origin": "https://a.example"})
    assert answer.status == 204
    assert answer.text == ""
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert "access-control-allow-credentials" not in answer.headers
    assert_standard_headers(answer.headers)


def test_body_of_eleven_megabytes_gets_413(service: LocalService) -> None:
    answer = service.call("POST", "/api/auth/plex/verify", body={"pinId": "x" * 11_000_000})
    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
    assert_standard_headers(answer.headers)


@pytest.mark.parametrize("size", [65_537, 70_000, 1_000_000])
def test_body_over_64_kib_gets_413(service: LocalService, size: int) -> None:
    answer = service.call("POST", "/api/auth/plex/verify", body={"pinId": "x" * size})
    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert_standard_headers(answer.headers)


def test_gateway_throttles_a_burst_of_all_callers_together(service: LocalService) -> None:
    with ThreadPoolExecutor(40) as pool:
        calls = [
            pool.submit(service.call, "POST", "/api/auth/plex/pin", body={}) for _ in range(40)
        ]
    responses = [each.result() for each in calls]
    throttled = [response for response in responses if response.status == 429]
    assert {response.status for response in responses} == {200, 429}
    assert len(throttled) >= 10
    for response in throttled:
        assert response.code == "RATE_LIMITED"
        assert int(response.headers["retry-after"]) >= 1
        assert_standard_headers(response.headers)
    assert service.patiently("POST", "/api/auth/plex/pin", body={}).status == 200
