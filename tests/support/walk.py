"""Call all routes, one after the other, as users would."""

from collections.abc import Callable
from typing import Any

from tests.support import plex
from tests.support.api import Answer, call
from tests.support.openapi import concrete

FILM = {"mediaType": "movie", "tmdbId": 603}
SERVER_KEY = "planted-0123456789abcdef-9f3c"
SERVER = {
    "kind": "radarr",
    "name": "walk",
    "baseUrl": "https://127.0.0.1:1025",
    "apiKey": SERVER_KEY,
}
PASSWORD = "Cellar-door_42"
ACCOUNT = {"email": "dora@example.com", "username": "dora", "password": PASSWORD, "role": "user"}


class Walk:
    """A walk through all routes: calls that all succeed, and the response body of each route."""

    def __init__(
        self, people: dict[str, str], plex_url: str, invoke: Callable[..., Answer] = call
    ) -> None:
        self.tokens = dict(people)
        self.plex_url = plex_url
        self.invoke = invoke
        self.bodies: dict[tuple[str, str], str] = {}

    def call(
        self, caller: str | None, method: str, path: str, id_: str = "", **options: Any
    ) -> Any:
        """Call a route; `id_` replaces the parameter of its path."""
        token = self.tokens[caller] if caller else None
        named_path = path.replace("{id}", id_) if id_ else concrete(path)
        answer = self.invoke(method, named_path, token=token, **options)
        assert answer.status < 300, (method, named_path, answer.text)
        self.bodies[method, path] = answer.text
        return answer.data if answer.text.startswith('{"success') else None

    def sign_in(self) -> None:
        account = self.call("alice", "POST", "/api/admin/users", body=ACCOUNT)
        body = {"quota": {"movies": {"limit": 5, "days": 7}}}
        self.call("alice", "PATCH", "/api/admin/users/{id}", account["id"], body=body)
        self.call("alice", "GET", "/api/admin/users/{id}", account["id"])
        login = {"identifier": "dora", "password": PASSWORD}
        self.tokens["dora"] = self.call(None, "POST", "/api/auth/login", body=login)["token"]
        change = {"currentPassword": PASSWORD, "newPassword": PASSWORD + "!"}
        self.call("dora", "POST", "/api/auth/password", body=change)
        pin = self.call(None, "POST", "/api/auth/plex/pin", body={})
        plex.approve(self.plex_url, pin["code"], "dave")
        body = {"pinId": pin["pinId"]}
        self.tokens["dave"] = self.call(None, "POST", "/api/auth/plex/verify", body=body)["token"]
        for path in ("/api/auth/me", "/api/auth/csrf", "/api/auth/sessions"):
            self.call("dave", "GET", path)

    def request_and_decide(self) -> None:
        create, requests = "/api/media/request", "/api/media/requests/{id}"
        titles = [
            FILM,
            {"mediaType": "tv", "tmdbId": 1396},
            {"mediaType": "movie", "tmdbId": 27205},
        ]
        ids = [self.call("bob", "POST", create, body=title)["id"] for title in titles]
        self.call("bob", "GET", requests, ids[0])
        self.call("bob", "GET", "/api/media/requests")
        self.call("bob", "GET", "/api/media/search", query={"q": "matrix"})
        self.call("bob", "GET", "/api/media/{mediaType}/{tmdbId}")
        self.call("alice", "GET", "/api/admin/requests")
        self.call("alice", "POST", "/api/admin/requests/{id}/approve", ids[0], body={"note": "x"})
        body = {"reason": "x"}
        self.call("alice", "POST", "/api/admin/requests/{id}/decline", ids[1], body=body)
        self.call("bob", "DELETE", requests, ids[2])
        decisions = {"decision": "decline", "ids": ids, "reason": "x"}
        self.call("alice", "POST", "/api/admin/requests/decisions", body=decisions)

    def read_admin_pages(self) -> None:
        body = {"value": {"limit": 1000, "window": 1}}
        self.call("alice", "PUT", "/api/admin/config/{key}", body=body)
        for path in ("users", "config", "stats"):
            self.call("alice", "GET", f"/api/admin/{path}")
        self.call("alice", "GET", "/api/admin/audit-logs", query={"limit": "100"})
        for path in ("/api/health", "/api/docs", "/api/docs/{asset}", "/api/openapi.json"):
            self.call(None, "GET", path)

    def read_new_routes(self) -> None:
        """Call the routes that the stored previous release does not have."""
        self.call("dave", "GET", "/api/auth/session")
        self.call(None, "GET", "/api/auth/options")
        self.call("bob", "GET", "/api/media/discover", query={"list": "requested"})
        self.call("bob", "GET", "/api/media/quota")
        self.call("alice", "GET", "/api/admin/requests/counts")
        self.manage_servers()

    def manage_servers(self) -> None:
        servers, rules = "/api/admin/servers", "/api/admin/routing-rules"
        one = f"{servers}/{{id}}"
        id_ = self.call("alice", "POST", servers, body=SERVER)["id"]
        self.call("alice", "GET", servers)
        self.call("alice", "GET", one, id_)
        self.call("alice", "PATCH", one, id_, body={"headers": {"X-Door": SERVER_KEY}})
        # Nobody listens there, so the test reports a failure.
        self.call("alice", "POST", f"{one}/test", id_)
        self.call("alice", "GET", f"{one}/inventory", id_)
        body = {"rules": [{"mediaType": "movie", "serverId": id_}]}
        self.call("alice", "PUT", rules, body=body)
        self.call("alice", "GET", rules)
        self.fulfil()
        self.call("alice", "GET", "/api/admin/audit-logs", query={"limit": "100"})
        self.call("alice", "DELETE", one, id_)

    def fulfil(self) -> None:
        """Approve a film while a server takes films, and do what admins do about it."""
        film = {"mediaType": "movie", "tmdbId": 157336}
        request_id = self.call("bob", "POST", "/api/media/request", body=film)["id"]
        one = "/api/admin/requests/{id}"
        self.call("alice", "POST", f"{one}/approve", request_id)
        self.call("alice", "POST", f"{one}/retry", request_id)
        [job] = self.call("alice", "GET", "/api/admin/jobs", query={"kind": "handover"})
        self.call("alice", "GET", "/api/admin/jobs/{id}", job["id"])
        self.call("alice", "POST", "/api/admin/jobs/{id}/cancel", job["id"])
        self.call("alice", "POST", "/api/admin/jobs/{id}/retry", job["id"])
        self.call("alice", "POST", "/api/admin/jobs/retry", body={})
        self.call("alice", "POST", "/api/admin/fulfilment/adopt", body={})
        self.call("alice", "POST", f"{one}/withdraw", request_id, body={"reason": "x"})

    def end_sessions(self) -> None:
        self.tokens["dave"] = self.call("dave", "POST", "/api/auth/refresh")["token"]
        sessions = self.invoke("GET", "/api/auth/sessions", token=self.tokens["dave"]).data
        self.call("dave", "DELETE", "/api/auth/sessions/{id}", sessions[0]["id"])
        dora = self.invoke("GET", "/api/auth/me", token=self.tokens["dora"]).data["id"]
        self.call("bob", "POST", "/api/auth/logout")
        self.call("alice", "DELETE", "/api/admin/users/{id}/sessions", dora)
        self.call("alice", "DELETE", "/api/admin/users/{id}", dora)
