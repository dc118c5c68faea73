"""A record of acknowledged writes, to compare with the database."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import psycopg

from tests.prove import audits

type Db = psycopg.Connection[tuple[Any, ...]]


@dataclass
class Create:
    """A creation with an idempotency key; `id` is set once it was acknowledged."""

    user_id: str
    body: dict[str, Any]
    id: str = ""
    refused: bool = False


@dataclass
class Findings:
    """Differences between the record and the database."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unaudited: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """Return all findings."""
        return [*self.lost, *self.doubled, *self.unaudited]


class Ledger:
    """Records every write of the load: acknowledged, rejected, or with an unknown outcome."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.creates: dict[str, Create] = {}
        # By request: the acknowledged effects, and the possible ones.
        self.done: dict[str, list[str]] = defaultdict(list)
        self.maybe: dict[str, set[str]] = defaultdict(set)
        # By session: the user, the token, and the state: live, ended or unsure.
        self.sessions: dict[str, tuple[str, str, str]] = {}
        self.refreshes: Counter[str] = Counter()
        self.maybe_refreshes: Counter[str] = Counter()
        self.sign_ins: Counter[str] = Counter()
        self.maybe_sign_ins: Counter[str] = Counter()

    def wants(self, key: str, user_id: str, body: dict[str, Any]) -> None:
        """Record a creation before it is sent."""
        with self._lock:
            self.creates[key] = Create(user_id, body)

    def created(self, key: str, request_id: str) -> str:
        """Record that a request was created; return the deviation, if any."""
        with self._lock:
            create = self.creates[key]
            if create.id and create.id != request_id:
                return f"key {key} created {create.id}, and then {request_id}"
            create.id = request_id
            return ""

    def refused(self, key: str) -> None:
        """Record that a creation was rejected."""
        with self._lock:
            self.creates[key].refused = True

    def changed(self, request_id: str, effect: str, *, sure: bool) -> None:
        """Record that a request was `approved`, `declined` or `cancelled`."""
        with self._lock:
            if sure:
                self.done[request_id].append(effect)
            else:
                self.maybe[request_id].add(effect)

    def signed_in(self, user_id: str, session_id: str, token: str) -> None:
        """Record a new session."""
        with self._lock:
            self.sign_ins[user_id] += 1
            self.sessions[session_id] = (user_id, token, "live")

    def refreshed(self, user_id: str, old: str, new: str, token: str) -> None:
        """Record that a refresh replaced a session."""
        with self._lock:
            self.refreshes[user_id] += 1
            self.sessions[old] = (*self.sessions[old][:2], "ended")
            self.sessions[new] = (user_id, token, "live")

    def ended(self, session_id: str, *, sure: bool) -> None:
        """Record that a session was revoked."""
        with self._lock:
            state = "ended" if sure else "unsure"
            self.sessions[session_id] = (*self.sessions[session_id][:2], state)

    def unsure(self, user_id: str, session_id: str) -> None:
        """Record a refresh with an unknown outcome."""
        with self._lock:
            self.maybe_refreshes[user_id] += 1
            self.sessions[session_id] = (*self.sessions[session_id][:2], "unsure")

    def maybe_signed_in(self, user_id: str) -> None:
        """Record a sign-in with an unknown outcome."""
        with self._lock:
            self.maybe_sign_ins[user_id] += 1

    @property
    def writes(self) -> int:
        """Return the number of acknowledged writes."""
        return (
            sum(bool(create.id) for create in self.creates.values())
            + sum(len(effects) for effects in self.done.values())
            + self.sign_ins.total()
            + self.refreshes.total()
            + sum(state == "ended" for _, _, state in self.sessions.values())
        )

    def dead_tokens(self, most: int) -> list[str]:
        """Return the tokens of revoked sessions, latest first."""
        ended = [token for _, token, state in self.sessions.values() if state == "ended"]
        return ended[::-1][:most]

    def check(self, db: Db) -> Findings:
        """Compare with the database; no write may be in progress."""
        findings = Findings()
        self._check_requests(db, findings)
        self._check_effects(db, findings)
        self._check_sessions(db, findings)
        findings.doubled += audits.doubled(db)
        findings.unaudited += audits.unaudited(db)
        return findings

    def _check_requests(self, db: Db, findings: Findings) -> None:
        made = Counter(
            row[0]
            for row in db.execute(
                "SELECT target_id FROM audit_logs WHERE action = 'request.created'"
            )
        )
        known = {create.id for create in self.creates.values() if create.id}
        for key, create in self.creates.items():
            if not create.id and not create.refused:
                findings.lost.append(f"key {key} never got a response")
            elif create.id and create.id not in made:
                findings.lost.append(f"request {create.id} was acknowledged but never created")
        findings.doubled += [
            f"request {each} was created but not acknowledged" for each in made.keys() - known
        ]
        keys = db.execute(
            "SELECT key, count(DISTINCT response->>'id'), min(response->>'id')"
            " FROM idempotency_keys GROUP BY key"
        ).fetchall()
        for key, number, request_id in keys:
            create_of = self.creates.get(key)
            if create_of is None or number != 1 or create_of.id != request_id:
                findings.doubled.append(f"key {key} has {request_id} in the database")

    def _check_effects(self, db: Db, findings: Findings) -> None:
        rows = db.execute("SELECT id::text, status FROM media_requests").fetchall()
        status = {request_id: str(state) for request_id, state in rows}
        for create in self.creates.values():
            if not create.id:
                continue
            done, maybe = self.done.get(create.id, []), self.maybe.get(create.id, set())
            found = status.get(create.id, "cancelled")
            if len(done) > 1:
                findings.doubled.append(f"request {create.id} was {' and '.join(done)}")
            elif done and found != done[0]:
                findings.lost.append(f"request {create.id} was {done[0]}, and is {found}")
            elif not done and found not in {"pending", *maybe}:
                findings.lost.append(f"request {create.id} is {found}, which no client requested")

    def _check_sessions(self, db: Db, findings: Findings) -> None:
        rows = db.execute("SELECT id::text, revoked_at IS NULL FROM sessions").fetchall()
        live = {session_id for session_id, is_live in rows if is_live}
        for session_id, (_, _, state) in self.sessions.items():
            if state == "live" and session_id not in live:
                findings.lost.append(f"session {session_id} is missing")
            if state == "ended" and session_id in live:
                findings.lost.append(f"session {session_id} was revoked but is live")
        for kind, action, sure, maybe in (
            ("sign-ins", "auth.sign_in", self.sign_ins, self.maybe_sign_ins),
            ("refreshes", "session.refreshed", self.refreshes, self.maybe_refreshes),
        ):
            counts = audits.counted(db, action)
            for user_id in {*counts, *sure}:
                number, least = counts.get(user_id, 0), sure[user_id]
                difference = f"{number} audited {kind} of {user_id}, {least} acknowledged"
                if number < least:
                    findings.lost.append(difference)
                if number > least + maybe[user_id]:
                    findings.doubled.append(difference)
