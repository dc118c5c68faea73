"""Simulated users: each picks its next action at random, from a seed."""

import base64
import json
import random
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote

from tests.prove.calls import Http, Reply
from tests.prove.ledger import Ledger
from tests.support.api import ROOT
from tests.support.plex import approve

CATALOGUE = json.loads((ROOT / "local/standins/tmdb/catalogue.json").read_text())
FILMS = [movie["id"] for movie in CATALOGUE["movies"]]
SEASONS = [
    (show["id"], int(season))
    for show in CATALOGUE["shows"]
    for season in show.get("seasons", {})
    if season != "0"
]
WORDS = ["the", "star", "love", "man", "king", "night", "war", "dark", "matrix", "life"]
# With this pause, ten users that retry their sign-in stay below the throttle of API Gateway.
RETRY_SECONDS = 4.0
PREFERRED_SHARE = 0.15
# The maximum number of creations with an unknown outcome per user.
MAX_UNSETTLED = 3
USER_WEIGHTS = {
    "me": 16, "search": 14, "details": 9, "my_requests": 10, "one_request": 6, "create": 16,
    "cancel": 5, "health": 3, "sessions": 3, "refresh": 3, "sign_in_again": 4,
}  # fmt: skip
ADMIN_WEIGHTS = {
    "me": 5, "pending": 8, "decide": 12, "bulk": 5, "users": 5, "audit": 5, "stats": 5,
    "search": 3, "refresh": 2,
}  # fmt: skip

_ACTION_OF = {"pin": "sign_in_again", "verify": "sign_in_again", "logout": "sign_in_again"}


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return claims


class Client:
    """A user with a session, or about to sign in."""

    def __init__(
        self,
        http: Http,
        plex_url: str,
        ledger: Ledger,
        name: str,
        *,
        weights: Mapping[str, int],
        seed: int,
    ) -> None:
        self.name = name
        self.token: str | None = None
        self.user_id = ""
        self.session_id = ""
        self._http = http
        self._plex_url = plex_url
        self._ledger = ledger
        self._random = random.Random(f"{name} {seed}")
        self._weighted_actions = list(weights), list(weights.values())
        self._mine: list[str] = []
        self._pending_ids: list[str] = []  # pending requests that an admin has listed
        self._unsettled: dict[str, float] = {}  # by key: when to retry
        self._session_uncertain = False
        self._sign_in_at = 0.0

    def act(self, preferred: Collection[str] = ()) -> None:
        """Make one call, preferably of a `preferred` kind that this user makes."""
        if self.token is None or (self._session_uncertain and self._random.random() < 0.25):
            if time.monotonic() >= self._sign_in_at and not self.sign_in():
                self._sign_in_at = time.monotonic() + RETRY_SECONDS
            return
        names, weights = self._weighted_actions
        candidates = sorted({_ACTION_OF.get(kind, kind) for kind in preferred} & set(names))
        # Prefer a kind for a share of the calls only: API Gateway throttles sign-ins of all users.
        if candidates and self._random.random() < PREFERRED_SHARE:
            name = self._random.choice(candidates)
        else:
            name = self._random.choices(names, weights)[0]
        action: Callable[[], None] = getattr(self, f"_{name}")
        action()

    def sign_in(self) -> bool:
        """Start, approve and finish a sign-in; the previous session stays valid."""
        pin = self._http.call("pin", "POST", "/api/auth/plex/pin", body={})
        if not pin.ok:
            return False
        approve(self._plex_url, pin.body["data"]["code"], self.name)
        body = {"pinId": pin.body["data"]["pinId"]}
        reply = self._http.call("verify", "POST", "/api/auth/plex/verify", body=body)
        if reply.outcome_unknown and self.user_id:
            self._ledger.sign_in_unknown(self.user_id)
        if not reply.ok:
            return False
        self.user_id = reply.body["data"]["user"]["id"]
        self._use_token(reply.body["data"]["token"])
        self._ledger.signed_in(self.user_id, self.session_id, reply.body["data"]["token"])
        self._session_uncertain = False
        return True

    def settle(self, seconds: float) -> None:
        """Retry the creations without a response until each gets one."""
        deadline = time.monotonic() + seconds
        while self._unsettled and time.monotonic() < deadline:
            if self.token is None and not self.sign_in():
                time.sleep(0.5)
                continue
            self._create_again(next(iter(self._unsettled)))
            if self._unsettled:
                time.sleep(0.2)

    def repeat(self, key: str, request_id: str, body: dict[str, Any]) -> str:
        """Repeat a creation with its key; return the deviation in the response."""
        reply = self._send(key, body)
        if reply.ok and reply.body["data"]["id"] == request_id:
            return ""
        if reply.code == "REQUEST_CANCELLED":
            return ""
        return f"key {key} created {request_id}; the retry got {reply.body}"

    def _use_token(self, token: str) -> None:
        self.token = token
        self.session_id = claims_of(token)["jti"]

    def _call(self, kind: str, method: str, path: str, **options: Any) -> Reply:
        excused = options.pop("excused", frozenset())
        if self._session_uncertain:
            # A refresh or sign-out without a response may have been committed.
            excused |= {"JWT_INVALID"}
        reply = self._http.call(kind, method, path, token=self.token, excused=excused, **options)
        if reply.code == "JWT_INVALID":
            self.token = None
        return reply

    def _me(self) -> None:
        self._call("me", "GET", "/api/auth/me")

    def _sessions(self) -> None:
        self._call("sessions", "GET", "/api/auth/sessions")

    def _health(self) -> None:
        self._http.call("health", "GET", "/api/health")

    def _search(self) -> None:
        words = self._random.choice(WORDS)
        if self._random.random() < 0.5:  # a query that is not cached
            words += f" {self._random.randrange(100_000)}"
        self._call("search", "GET", f"/api/media/search?q={quote(words)}")

    def _details(self) -> None:
        self._call("details", "GET", f"/api/media/movie/{self._random.choice(FILMS)}")

    def _my_requests(self) -> None:
        self._call("my_requests", "GET", "/api/media/requests?limit=10")

    def _one_request(self) -> None:
        if not self._mine:
            self._create()
        else:
            self._call(
                "one_request", "GET", f"/api/media/requests/{self._random.choice(self._mine)}"
            )

    def _create(self) -> None:
        due = [key for key, at in self._unsettled.items() if at <= time.monotonic()]
        if due:
            self._create_again(due[0])
        elif len(self._unsettled) < MAX_UNSETTLED:
            key = str(uuid.uuid4())
            body: dict[str, Any] = {"mediaType": "movie", "tmdbId": self._random.choice(FILMS)}
            if self._random.random() < 0.3:
                show, season = self._random.choice(SEASONS)
                body = {"mediaType": "tv", "tmdbId": show, "seasons": [season]}
            self._ledger.creation_sent(key, self.user_id, body)
            self._create_again(key)

    def _create_again(self, key: str) -> None:
        reply = self._send(key, self._ledger.creations[key].body)
        if reply.ok:
            self._unsettled.pop(key, None)
            request_id = reply.body["data"]["id"]
            deviation = self._ledger.created(key, request_id)
            if deviation:
                raise AssertionError(deviation)
            self._mine.append(request_id)
        elif reply.outcome_unknown or reply.status in {401, 429} or self._is_in_progress(reply):
            self._unsettled[key] = time.monotonic() + RETRY_SECONDS
        else:
            self._unsettled.pop(key, None)
            self._ledger.refused(key)

    @staticmethod
    def _is_in_progress(reply: Reply) -> bool:
        return reply.code == "IDEMPOTENCY_IN_PROGRESS"

    def _send(self, key: str, body: dict[str, Any]) -> Reply:
        return self._call(
            "create",
            "POST",
            "/api/media/request",
            body=body,
            headers={"Idempotency-Key": key},
            # The first attempt may still be in progress, and its request decided or cancelled.
            excused=frozenset({"IDEMPOTENCY_IN_PROGRESS", "REQUEST_CANCELLED"}),
        )

    def _cancel(self) -> None:
        if not self._mine:
            self._create()
            return
        request_id = self._mine.pop(self._random.randrange(len(self._mine)))
        reply = self._call("cancel", "DELETE", f"/api/media/requests/{request_id}")
        if reply.ok or reply.outcome_unknown:
            self._ledger.changed(request_id, "cancelled", acknowledged=reply.ok)

    def _refresh(self) -> None:
        previous_id = self.session_id
        reply = self._call("refresh", "POST", "/api/auth/refresh", body={})
        if reply.ok:
            self._use_token(reply.body["data"]["token"])
            self._ledger.refreshed(
                self.user_id, previous_id, self.session_id, reply.body["data"]["token"]
            )
        elif reply.outcome_unknown:
            self._ledger.refresh_unknown(self.user_id, previous_id)
            self._session_uncertain = True

    def _sign_in_again(self) -> None:
        previous_id, token = self.session_id, self.token
        if not self.sign_in():
            return
        reply = self._http.call("logout", "POST", "/api/auth/logout", body={}, token=token)
        if reply.ok or reply.outcome_unknown:
            self._ledger.ended(previous_id, acknowledged=reply.ok)

    def _pending(self) -> None:
        reply = self._call("pending", "GET", "/api/admin/requests?status=pending&limit=20")
        self._pending_ids = [each["id"] for each in reply.body["data"]] if reply.ok else []

    def _decide(self) -> None:
        if not self._pending_ids:
            self._pending()
        if not self._pending_ids:
            return
        request_id = self._pending_ids.pop(self._random.randrange(len(self._pending_ids)))
        decision, effect, body = self._decision()
        path = f"/api/admin/requests/{request_id}/{decision}"
        reply = self._call("decide", "POST", path, body=body)
        if reply.ok or reply.outcome_unknown:
            self._ledger.changed(request_id, effect, acknowledged=reply.ok)

    def _bulk(self) -> None:
        if not self._pending_ids:
            self._pending()
        ids, self._pending_ids = self._pending_ids[:5], self._pending_ids[5:]
        if not ids:
            return
        decision, effect, body = self._decision()
        path = "/api/admin/requests/decisions"
        reply = self._call("bulk", "POST", path, body={"decision": decision, "ids": ids, **body})
        if reply.ok:
            for item in reply.body["data"]:
                if "status" in item:
                    self._ledger.changed(item["id"], effect, acknowledged=True)
        elif reply.outcome_unknown:
            for request_id in ids:
                self._ledger.changed(request_id, effect, acknowledged=False)

    def _decision(self) -> tuple[str, str, dict[str, str]]:
        # Approve few requests, because an approved title cannot be requested again.
        if self._random.random() < 0.15:
            return "approve", "approved", {}
        return "decline", "declined", {"reason": "no room"}

    def _users(self) -> None:
        self._call("users", "GET", "/api/admin/users?limit=10")

    def _audit(self) -> None:
        self._call("audit", "GET", "/api/admin/audit-logs?limit=10")

    def _stats(self) -> None:
        self._call("stats", "GET", "/api/admin/stats")
