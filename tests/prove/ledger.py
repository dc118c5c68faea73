"""A record of acknowledged writes, to compare with the database."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import psycopg

from tests.prove import audits

type Db = psycopg.Connection[tuple[Any, ...]]


@dataclass
class Creation:
    """A creation with an idempotency key; `id` is set once it was acknowledged."""

    user_id: str
    body: dict[str, Any]
    id: str = ""
    refused: bool = False


@dataclass
class Findings:
    """Differences between the record and the database."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    unaudited: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """Return all findings."""
        return [*self.lost, *self.duplicated, *self.unaudited]


class Ledger:
    """Records every write of the load: acknowledged, rejected, or with an unknown outcome."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.creations: dict[str, Creation] = {}
        # By request: the acknowledged effects, and those of calls with an unknown outcome.
        self.acknowledged: dict[str, list[str]] = defaultdict(list)
        self.possible: dict[str, set[str]] = defaultdict(set)
        # By session: the user, the token, and the state: live, ended or unknown.
        self.sessions: dict[str, tuple[str, str, str]] = {}
        self.refreshes: Counter[str] = Counter()
        self.possible_refreshes: Counter[str] = Counter()
        self.sign_ins: Counter[str] = Counter()
        self.possible_sign_ins: Counter[str] = Counter()

    def creation_sent(self, key: str, user_id: str, body: dict[str, Any]) -> None:
        """Record a creation before it is sent."""
        with self._lock:
            self.creations[key] = Creation(user_id, body)

    def created(self, key: str, request_id: str) -> str:
        """Record that a request was created; return the deviation, if any."""
        with self._lock:
            creation = self.creations[key]
            if creation.id and creation.id != request_id:
                return f"key {key} created {creation.id}, and then {request_id}"
            creation.id = request_id
            return ""

    def refused(self, key: str) -> None:
        """Record that a creation was rejected."""
        with self._lock:
            self.creations[key].refused = True

    def changed(self, request_id: str, effect: str, *, acknowledged: bool) -> None:
        """Record that a request was `approved`, `declined` or `cancelled`."""
        with self._lock:
            if acknowledged:
                self.acknowledged[request_id].append(effect)
            else:
                self.possible[request_id].add(effect)

    def signed_in(self, user_id: str, session_id: str, token: str) -> None:
        """Record a new session."""
        with self._lock:
            self.sign_ins[user_id] += 1
            self.sessions[session_id] = (user_id, token, "live")

    def refreshed(self, user_id: str, previous_id: str, new_id: str, token: str) -> None:
        """Record that a refresh replaced a session."""
        with self._lock:
            self.refreshes[user_id] += 1
            self.sessions[previous_id] = (*self.sessions[previous_id][:2], "ended")
            self.sessions[new_id] = (user_id, token, "live")

    def ended(self, session_id: str, *, acknowledged: bool) -> None:
        """Record that a session was revoked."""
        with self._lock:
            state = "ended" if acknowledged else "unknown"
            self.sessions[session_id] = (*self.sessions[session_id][:2], state)

    def refresh_unknown(self, user_id: str, session_id: str) -> None:
        """Record a refresh with an unknown outcome."""
        with self._lock:
            self.possible_refreshes[user_id] += 1
            self.sessions[session_id] = (*self.sessions[session_id][:2], "unknown")

    def sign_in_unknown(self, user_id: str) -> None:
        """Record a sign-in with an unknown outcome."""
        with self._lock:
            self.possible_sign_ins[user_id] += 1

    @property
    def writes(self) -> int:
        """Return the number of acknowledged writes."""
        return (
            sum(bool(creation.id) for creation in self.creations.values())
            + sum(len(effects) for effects in self.acknowledged.values())
            + self.sign_ins.total()
            + self.refreshes.total()
            + sum(state == "ended" for _, _, state in self.sessions.values())
        )

    def revoked_tokens(self, limit: int) -> list[str]:
        """Return the tokens of revoked sessions, latest first."""
        ended = [token for _, token, state in self.sessions.values() if state == "ended"]
        return ended[::-1][:limit]

    def check(self, db: Db) -> Findings:
        """Compare with the database; no write may be in progress."""
        findings = Findings()
        self._check_requests(db, findings)
        self._check_effects(db, findings)
        self._check_sessions(db, findings)
        findings.duplicated += audits.duplicates(db)
        findings.unaudited += audits.unaudited(db)
        return findings

    def _check_requests(self, db: Db, findings: Findings) -> None:
        created_ids = Counter(
            row[0]
            for row in db.execute(
                "SELECT target_id FROM audit_logs WHERE action = 'request.created'"
            )
        )
        acknowledged_ids = {creation.id for creation in self.creations.values() if creation.id}
        for key, creation in self.creations.items():
            if not creation.id and not creation.refused:
                findings.lost.append(f"key {key} never got a response")
            elif creation.id and creation.id not in created_ids:
                findings.lost.append(f"request {creation.id} was acknowledged but never created")
        findings.duplicated += [
            f"request {each} was created but not acknowledged"
            for each in created_ids.keys() - acknowledged_ids
        ]
        keys = db.execute(
            "SELECT key, count(DISTINCT response->>'id'), min(response->>'id')"
            " FROM idempotency_keys GROUP BY key"
        ).fetchall()
        for key, number, request_id in keys:
            recorded = self.creations.get(key)
            if recorded is None or number != 1 or recorded.id != request_id:
                findings.duplicated.append(f"key {key} has {request_id} in the database")

    def _check_effects(self, db: Db, findings: Findings) -> None:
        rows = db.execute("SELECT id::text, status FROM media_requests").fetchall()
        status = {request_id: str(state) for request_id, state in rows}
        for creation in self.creations.values():
            if not creation.id:
                continue
            acknowledged = self.acknowledged.get(creation.id, [])
            possible = self.possible.get(creation.id, set())
            request = f"request {creation.id}"
            actual = status.get(creation.id, "cancelled")
            if len(acknowledged) > 1:
                findings.duplicated.append(f"{request} was {' and '.join(acknowledged)}")
            elif acknowledged and actual != acknowledged[0]:
                findings.lost.append(f"{request} was {acknowledged[0]}, and is {actual}")
            elif not acknowledged and actual not in {"pending", *possible}:
                findings.lost.append(f"{request} is {actual}, which no client requested")

    def _check_sessions(self, db: Db, findings: Findings) -> None:
        rows = db.execute("SELECT id::text, revoked_at IS NULL FROM sessions").fetchall()
        live = {session_id for session_id, is_live in rows if is_live}
        for session_id, (_, _, state) in self.sessions.items():
            if state == "live" and session_id not in live:
                findings.lost.append(f"session {session_id} is missing")
            if state == "ended" and session_id in live:
                findings.lost.append(f"session {session_id} was revoked but is live")
        for kind, action, acknowledged, possible in (
            ("sign-ins", "auth.sign_in", self.sign_ins, self.possible_sign_ins),
            ("refreshes", "session.refreshed", self.refreshes, self.possible_refreshes),
        ):
            counts = audits.counted(db, action)
            for user_id in {*counts, *acknowledged}:
                number, minimum = counts.get(user_id, 0), acknowledged[user_id]
                difference = f"{number} audited {kind} of {user_id}, {minimum} acknowledged"
                if number < minimum:
                    findings.lost.append(difference)
                if number > minimum + possible[user_id]:
                    findings.duplicated.append(difference)
