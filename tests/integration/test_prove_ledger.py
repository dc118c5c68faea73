"""The ledger of `make prove` finds lost, duplicate and unaudited writes."""

import uuid
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.prove.clients import claims_of
from tests.prove.ledger import Findings, Ledger
from tests.support import plex
from tests.support.api import call

type Db = psycopg.Connection[tuple[Any, ...]]

FILMS = (603, 27205, 157336)


@dataclass
class Recording:
    """A consistent ledger, and the tokens and requests of the users in it."""

    ledger: Ledger
    tokens: dict[str, str]
    requests: list[str]

    def sign_in(self, plex_url: str, name: str) -> None:
        token = plex.sign_in(plex_url, name)["token"]
        self.tokens[name] = token
        claims = claims_of(token)
        self.ledger.signed_in(claims["sub"], claims["jti"], token)

    def create_request(self, name: str, film: int) -> None:
        key, body = str(uuid.uuid4()), {"mediaType": "movie", "tmdbId": film}
        token = self.tokens[name]
        self.ledger.creation_sent(key, claims_of(token)["sub"], body)
        headers = {"Idempotency-Key": key}
        answer = call("POST", "/api/media/request", token=token, body=body, headers=headers)
        assert self.ledger.created(key, answer.data["id"]) == ""
        self.requests.append(answer.data["id"])


@pytest.fixture
def recording(db: Db, keys: object, plex_url: str) -> Recording:
    """Create three requests, decide one, cancel one; refresh one session and revoke another."""
    recording = Recording(Ledger(), {}, [])
    for name in ("alice", "bob", "carol"):
        recording.sign_in(plex_url, name)
    for film in FILMS:
        recording.create_request("bob", film)
    path = f"/api/admin/requests/{recording.requests[0]}/approve"
    assert call("POST", path, token=recording.tokens["alice"], body={}).status == 200
    recording.ledger.changed(recording.requests[0], "approved", acknowledged=True)
    path = f"/api/media/requests/{recording.requests[1]}"
    assert call("DELETE", path, token=recording.tokens["bob"]).status == 204
    recording.ledger.changed(recording.requests[1], "cancelled", acknowledged=True)
    previous = claims_of(recording.tokens["bob"])
    answer = call("POST", "/api/auth/refresh", token=recording.tokens["bob"], body={})
    new_token = answer.data["token"]
    recording.ledger.refreshed(
        previous["sub"], previous["jti"], claims_of(new_token)["jti"], new_token
    )
    carol = recording.tokens["carol"]
    assert call("POST", "/api/auth/logout", token=carol, body={}).status == 204
    recording.ledger.ended(claims_of(carol)["jti"], acknowledged=True)
    return recording


def count_findings(recording: Recording, db: Db) -> tuple[int, int, int]:
    findings: Findings = recording.ledger.check(db)
    return len(findings.lost), len(findings.duplicated), len(findings.unaudited)


def test_consistent_ledger_has_no_findings(recording: Recording, db: Db) -> None:
    assert recording.ledger.check(db) == Findings()
    assert recording.ledger.writes == 3 + 2 + 3 + 1 + 2


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM media_requests WHERE tmdb_id = 157336",
        "UPDATE media_requests SET status = 'pending', processed_at = NULL WHERE tmdb_id = 603",
        "DELETE FROM sessions WHERE revoked_at IS NULL",
        "UPDATE sessions SET revoked_at = NULL",
        "UPDATE audit_logs SET details = '{\"count\": 0}' WHERE action = 'session.refreshed'",
    ],
    ids=["request", "decision", "session", "revocation", "refresh"],
)
def test_lost_write_is_found(recording: Recording, db: Db, loss: str) -> None:
    db.execute(loss.encode())
    assert count_findings(recording, db)[0] > 0


def test_unanswered_write_is_found(recording: Recording, db: Db) -> None:
    recording.ledger.creation_sent("a key", claims_of(recording.tokens["bob"])["sub"], {})
    assert recording.ledger.check(db).lost == ["key a key never got a response"]


def test_two_requests_for_one_idempotency_key_are_found(recording: Recording, db: Db) -> None:
    key = next(iter(recording.ledger.creations))
    assert recording.ledger.created(key, str(uuid.uuid4())) != ""


@pytest.mark.parametrize(
    "duplicate",
    [
        (
            "WITH copy AS (INSERT INTO media_requests (user_id, media_type, tmdb_id, title)"
            " SELECT user_id, media_type, tmdb_id, title FROM media_requests LIMIT 1 RETURNING id)"
            " INSERT INTO audit_logs (action, target_id, request_id, ip, user_agent)"
            " SELECT 'request.created', id, '', '127.0.0.1', '' FROM copy"
        ),
        (
            "INSERT INTO audit_logs (action, target_id, request_id, ip, user_agent, user_id)"
            " SELECT 'request.declined', target_id, '', '127.0.0.1', '', user_id FROM audit_logs"
            " WHERE action = 'request.approved'"
        ),
        (
            "INSERT INTO request_items"
            " (request_id, media_type, tmdb_id, active)"
            " SELECT request_id, media_type, 1 + tmdb_id, true FROM request_items"
        ),
        (
            "INSERT INTO audit_logs (action, request_id, ip, user_agent, user_id)"
            " SELECT 'auth.sign_in', '', '127.0.0.1', '', user_id FROM audit_logs"
            " WHERE action = 'auth.sign_in'"
        ),
        'UPDATE idempotency_keys SET response = response || \'{"id": "another"}\'',
    ],
    ids=["request", "decision", "request-item", "sign-in", "idempotency-key"],
)
def test_duplicate_write_is_found(recording: Recording, db: Db, duplicate: str) -> None:
    db.execute(duplicate.encode())
    assert count_findings(recording, db)[1] > 0


def test_title_in_two_active_requests_is_found(recording: Recording, db: Db) -> None:
    db.execute("DROP INDEX request_items_active_movie")
    db.execute(
        "INSERT INTO request_items (request_id, media_type, tmdb_id, active)"
        " SELECT request_id, media_type, tmdb_id, true FROM request_items WHERE tmdb_id = 603"
    )
    duplicated = recording.ledger.check(db).duplicated
    db.execute("DELETE FROM request_items")
    db.execute(
        "CREATE UNIQUE INDEX request_items_active_movie ON request_items (tmdb_id)"
        " WHERE active AND media_type = 'movie'"
    )
    assert "movie 603 has two active requests" in duplicated


@pytest.mark.parametrize(
    "action",
    [
        "request.created",
        "request.approved",
        "request.cancelled",
        "auth.sign_in",
        "auth.sign_out",
        "user.created",
    ],
)
def test_change_without_its_audit_row_is_found(recording: Recording, db: Db, action: str) -> None:
    db.execute(
        "DELETE FROM audit_logs WHERE id ="
        " (SELECT id FROM audit_logs WHERE action = %s ORDER BY id LIMIT 1)",
        (action,),
    )
    assert count_findings(recording, db)[2] > 0


@pytest.mark.parametrize(
    "action",
    [
        "request.created",
        "request.approved",
        "request.cancelled",
        "auth.sign_in",
        "auth.sign_out",
        "user.created",
    ],
)
def test_audit_row_without_its_change_is_found(recording: Recording, db: Db, action: str) -> None:
    db.execute(
        "INSERT INTO audit_logs"
        " (action, target_id, details, request_id, ip, user_agent, user_id)"
        " SELECT action, gen_random_uuid(), details, '', ip, '', user_id FROM audit_logs"
        " WHERE action = %s LIMIT 1",
        (action,),
    )
    assert count_findings(recording, db)[2] > 0
