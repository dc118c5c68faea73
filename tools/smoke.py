"""Try a deployed service as a user would, and say what it did: `make smoke URL=…`."""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import urllib3

# A person approves the sign-in at Plex meanwhile; a sign-in handle expires after ten minutes.
_SIGN_IN_SECONDS = 600
_POLL_SECONDS = 2
# A sleeping database wakes within this time.
_WAKE_SECONDS = 90
# The answers until the person approves; plex.tv or the database may also be away for a moment.
_WAITS = {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_TIMEOUT = urllib3.Timeout(connect=5, read=30)
_http = urllib3.PoolManager(retries=False)


class SmokeError(Exception):
    """The service did not do what it should; the message says what it did instead."""


class Service:
    """The service at an address, for one person."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self.token = ""

    def send(
        self, method: str, path: str, body: object = None
    ) -> tuple[int, Mapping[str, Any], float]:
        """Return status, body and seconds of a call; raises SmokeError without a response."""
        headers = {"User-Agent": "medianest-smoke"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        started = time.perf_counter()
        try:
            answer = _http.request(
                method, self._url + path, json=body, headers=headers, timeout=_TIMEOUT
            )
        except urllib3.exceptions.HTTPError as error:
            raise SmokeError(f"{path} cannot be reached ({type(error).__name__})") from error
        seconds = time.perf_counter() - started
        return answer.status, _body(answer), seconds

    def expect(self, method: str, path: str, body: object = None) -> tuple[Any, float]:
        """Return `data` and seconds of a call; raises SmokeError unless it succeeds.

        While the database wakes up, the call is repeated, as the page does.
        """
        until = time.monotonic() + _WAKE_SECONDS
        while True:
            status, answer, seconds = self.send(method, path, body)
            if status == HTTPStatus.NO_CONTENT or answer.get("success") is True:
                return answer.get("data"), seconds
            error = _error(answer)
            if error.get("code") != "DATABASE_WAKING_UP" or time.monotonic() > until:
                told = error.get("message", "this is no response of MediaNest")
                code = error.get("code", "without a code")
                raise SmokeError(f"{method} {path}: {status} {code}: {told}")
            _say("     The database wakes up")
            time.sleep(_POLL_SECONDS)

    def page(self) -> tuple[bool, float]:
        """Return whether a page is served, and the seconds that it took.

        An API without a page answers with an error of its own; raises SmokeError for anything else.
        """
        started = time.perf_counter()
        try:
            answer = _http.request(
                "GET", f"{self._url}/", headers={"Accept": "text/html"}, timeout=_TIMEOUT
            )
        except urllib3.exceptions.HTTPError as error:
            raise SmokeError(f"{self._url} cannot be reached ({type(error).__name__})") from error
        seconds = time.perf_counter() - started
        if answer.status == HTTPStatus.OK and b"<title>MediaNest" in answer.data:
            return True, seconds
        if _error(_body(answer)).get("code") == "NOT_FOUND":
            return False, seconds
        raise SmokeError(f"GET /: {answer.status}, and this is not the page of MediaNest")


def _body(answer: urllib3.BaseHTTPResponse) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.data or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _error(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    found = answer.get("error")
    return found if isinstance(found, dict) else {}


def main() -> int:
    """Run all steps and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="make smoke",
        description="The variable MEDIANEST_TOKEN has a token, instead of a sign-in with Plex.",
    )
    parser.add_argument(
        "url", help="the output Url of the stack, such as https://media.example.org"
    )
    url = parser.parse_args().url
    if not url.startswith(("https://", "http://")):
        parser.error(f"URL must start with https://, not {url!r}")
    service = Service(url)
    try:
        _try(service)
    except SmokeError as error:
        _say(f"FAIL {error}.")
        return 1
    _say("The service works.")
    return 0


def _try(service: Service) -> None:
    has_page, seconds = service.page()
    _say(f"ok   {'the page' if has_page else 'an API without a page'} responds", seconds)
    health, seconds = service.expect("GET", "/api/health")
    _say(f"ok   the service {health['version']} is {health['status']}", seconds)
    service.token = os.environ.get("MEDIANEST_TOKEN", "") or _sign_in(service)
    me, seconds = service.expect("GET", "/api/auth/me")
    _say(f"ok   you are {me['username']} ({me['role']})", seconds)
    titles, seconds = service.expect("GET", "/api/media/search?q=love")
    _say(f"ok   a search finds {len(titles)} titles", seconds)
    _request(service, titles)
    if not os.environ.get("MEDIANEST_TOKEN"):
        _, seconds = service.expect("POST", "/api/auth/logout")
        _say("ok   you are signed out", seconds)


def _sign_in(service: Service) -> str:
    pin, _ = service.expect("POST", "/api/auth/plex/pin")
    _say(f"     Sign in: open {pin['authUrl']}")
    until = time.monotonic() + _SIGN_IN_SECONDS
    while time.monotonic() < until:
        status, answer, seconds = service.send(
            "POST", "/api/auth/plex/verify", {"pinId": pin["pinId"]}
        )
        if status == HTTPStatus.OK:
            _say("ok   Plex confirms the sign-in", seconds)
            return str(answer["data"]["token"])
        error = _error(answer)
        if status not in _WAITS:
            raise SmokeError(f"the sign-in ends with {status} {error.get('code', '')}")
        time.sleep(_POLL_SECONDS)
    raise SmokeError("nobody approved the sign-in within ten minutes")


def _request(service: Service, titles: list[Mapping[str, Any]]) -> None:
    """Request a title and cancel that at once; a title that would be approved is not requested."""
    quota, _ = service.expect("GET", "/api/media/quota")
    approved = quota["autoApprove"]
    movies_first = sorted(titles, key=lambda each: each["mediaType"] != "movie")
    free = [
        each
        for each in movies_first
        if "request" not in each and not approved[str(each["mediaType"])]
    ]
    if not free:
        _say("     no request: your requests are approved at once, or each title has one")
        return
    title = free[0]
    limit = quota.get("movies" if title["mediaType"] == "movie" else "seasons")
    if limit and limit["used"] >= limit["limit"]:
        _say("     no request: your quota is used up")
        return
    body = {"mediaType": title["mediaType"], "tmdbId": title["tmdbId"]}
    request, seconds = service.expect("POST", "/api/media/request", body)
    _say(f"ok   “{title['title']}” is requested ({request['status']})", seconds)
    _, seconds = service.expect("DELETE", f"/api/media/requests/{request['id']}")
    _say("ok   the request is cancelled", seconds)


def _say(text: str, seconds: float | None = None) -> None:
    print(text if seconds is None else f"{text} ({seconds * 1000:.0f} ms)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
