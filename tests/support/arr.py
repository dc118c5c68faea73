"""Calls of Radarr and Sonarr in tests: the clients, and stand-ins that are served for one test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from medianest.arr.client import ArrClient
from medianest.core import guard
from tests.support.standin import Client, client_of, served

OPTIONS_OF_RADARR: dict[str, Any] = {"quality_profile_id": 4, "root_folder_path": "/media/films"}
OPTIONS_OF_SONARR: dict[str, Any] = {"quality_profile_id": 4, "root_folder_path": "/media/shows"}


def call(method: str, url: str, **rest: Any) -> guard.Response:
    """Make one guarded call that gives up earlier than in operation."""
    return guard.request(method, url, **rest | {"call_seconds": 1.0})


class ArrStandin:
    """A stand-in for Radarr or Sonarr, with its client."""

    def __init__(self, http: Client, api_key: str) -> None:
        self.http = http
        self.api_key = api_key
        self.client = self.client_with(api_key)

    def client_with(self, api_key: str) -> ArrClient:
        """Return a client with another API key."""
        return ArrClient(self.http.origin, api_key, {}, call)

    def api(self, method: str, path: str, body: object = None, key: str | None = None) -> Any:
        """Make a call, and return status and body."""
        headers = {"X-Api-Key": self.api_key if key is None else key}
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = self.http.send(method, f"/api/v3/{path}", headers, body)
        return answer.status, json.loads(answer.data) if answer.data else None

    def read(self, path: str) -> Any:
        """Return the body of a GET that succeeds."""
        status, body = self.api("GET", path)
        assert status == 200
        return body

    def sent(self) -> list[str]:
        """Return the calls since the last time that are no GET, as `POST movie`."""
        calls = self.http.get("/standin/requests").json()
        self.http.send("DELETE", "/standin/requests")
        return [
            f"{each['method']} {each['path'].removeprefix('/api/v3/')}"
            for each in calls
            if each["method"] != "GET"
        ]

    def commands(self) -> list[tuple[Any, ...]]:
        """Return the commands: name, then season or films."""
        return [
            (each["name"], each["body"].get("seasonNumber", each["body"].get("movieIds")))
            for each in self.read("command")
        ]

    def import_files(self, **body: object) -> None:
        """Let files arrive."""
        assert self.http.send("POST", "/standin/import", body=body).status == 200


@contextmanager
def served_arr(app: web.Application, api_key: str) -> Iterator[ArrStandin]:
    """Serve a stand-in for Radarr or Sonarr during the block."""
    with served(app) as origin, client_of(origin) as http:
        yield ArrStandin(http, api_key)


def allow() -> bool:
    """Allow every change."""
    return True
