"""The ledger of `make prove` finds what is lost, doubled or not audited."""

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
class Book:
    """A ledger in which all is in order, and the people whose writes are in it."""

    ledger: Ledger
    tokens: dict[str, str]
    requests: list[str]

    def sign_in(self, plex_url: str, name: str) -> None:
        token = plex.sign_in(plex_url, name)["token"]
        self.tokens[name] = token
        claims = claims_of(token)
        self.ledger.signed_in(claims["sub"], claims["jti"], token)

    def ask(self, name: str, film: int) -> None:
        key, body = str(uuid.uuid4()), {"mediaType": "movie", "tmdbId": film}
        token = self.tokens[name]
        self.ledger.wants(key, claims_of(token)["sub"], body)
        headers = {"Idempotency-Key": key}
        answer = call("POST", "/api/media/request", token=token, body=body, headers=headers)
        assert self.ledger.created(key, answer.data["id"]) == ""
        self.requests.append(answer.data["id"])


@pytest.fixture
def book(db: Db, keys: object, plex_url: str) -> Book:
    """Make three requests, decide one, cancel one; refresh one session and end another."""
    book = Book(Ledger(), {}, [])
    for name in ("alice", "bob", "carol"):
        book.sign_in(plex_url, name)
    for film in FILMS:
        book.ask("bob", film)
    path = f"/api/admin/requests/{book.requests[0]}/approve"
    assert call("POST", path, token=book.tokens["alice"], body={}).status == 200
    book.ledger.changed(book.requests[0], "approved", sure=True)
    path = f"/api/media/requests/{book.requests[1]}"
    assert call("DELETE", path, token=book.tokens["bob"]).status == 204
    book.ledger.changed(book.requests[1], "cancelled", sure=True)
    old = claims_of(book.tokens["bob"])
    answer = call("POST", "/api/auth/refresh", token=book.tokens["bob"], body={})
    new = answer.data["token"]
    book.ledger.refreshed(old["sub"], old["jti"], claims_of(new)["jti"], new)
    carol = book.tokens["carol"]
    assert call("POST", "/api/auth/logout", token=carol, body={}).status == 204
    book.ledger.ended(claims_of(carol)["jti"], sure=True)
    return book


def found(book: Book, db: Db) -> tuple[int, int, int]:
    findings: Findings = book.ledger.check(db)
    return len(findings.lost), len(findings.doubled), len(findings.unaudited)


def test_what_is_in_order_is_found_so(book: Book, db: Db) -> None:
    assert book.ledger.check(db) == Findings()
    assert book.ledger.writes == 3 + 2 + 3 + 1 + 2


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM media_requests WHERE tmdb_id = 157336",
        "UPDATE media_requests SET status = 'pending', processed_at = NULL WHERE tmdb_id = 603",
        "DELETE FROM sessions WHERE revoked_at IS NULL",
        "UPDATE sessions SET revoked_at = NULL",
        "UPDATE audit_logs SET details = '{\"count\": 0}' WHERE action = 'session.refreshed'",
    ],
    ids=["a request", "a decision", "a session", "the end of a session", "a refresh"],
)
def test_what_is_lost_is_found(book: Book, db: Db, loss: str) -> None:
    db.execute(loss.encode())
    assert found(book, db)[0] > 0


def test_a_write_that_was_never_answered_is_found(book: Book, db: Db) -> None:
    book.ledger.wants("a key", claims_of(book.tokens["bob"])["sub"], {})
    assert book.ledger.check(db).lost == ["key a key never got a response"]


def test_two_requests_for_one_key_are_found(book: Book, db: Db) -> None:
    key = next(iter(book.ledger.creates))
    assert book.ledger.created(key, str(uuid.uuid4())) != ""


@pytest.mark.parametrize(
    "again",
    [
        (
            "WITH again AS (INSERT INTO media_requests (user_id, media_type, tmdb_id, title)"
            " SELECT user_id, media_type, tmdb_id, title FROM media_requests LIMIT 1 RETURNING id)"
            " INSERT INTO audit_logs (action, target_id, request_id, ip, user_agent)"
            " SELECT 'request.created', id, '', '127.0.0.1', '' FROM again"
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
    ids=["a request", "a decision", "an item", "a sign-in", "what a key stands for"],
)
def test_what_is_doubled_is_found(book: Book, db: Db, again: str) -> None:
    db.execute(again.encode())
    assert found(book, db)[1] > 0


def test_a_title_that_two_requests_hold_is_found(book: Book, db: Db) -> None:
    db.execute("DROP INDEX request_items_active_movie")
    db.execute(
        "INSERT INTO request_items (request_id, media_type, tmdb_id, active)"
        " SELECT request_id, media_type, tmdb_id, true FROM request_items WHERE tmdb_id = 603"
    )
    doubled = book.ledger.check(db).doubled
    db.execute("DELETE FROM request_items")
    db.execute(
        "CREATE UNIQUE INDEX request_items_active_movie ON request_items (tmdb_id)"
        " WHERE active AND media_type = 'movie'"
    )
    assert "movie 603 has two active requests" in doubled


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
def test_a_change_without_its_audit_row_is_found(book: Book, db: Db, action: str) -> None:
    db.execute(
        "DELETE FROM audit_logs WHERE id ="
        " (SELECT id FROM audit_logs WHERE action = %s ORDER BY id LIMIT 1)",
        (action,),
    )
    assert found(book, db)[2] > 0


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
def test_an_audit_row_without_its_change_is_found(book: Book, db: Db, action: str) -> None:
    db.execute(
        "INSERT INTO audit_logs"
        " (action, target_id, details, request_id, ip, user_agent, user_id)"
        " SELECT action, gen_random_uuid(), details, '', ip, '', user_id FROM audit_logs"
        " WHERE action = %s LIMIT 1",
        (action,),
    )
    assert found(book, db)[2] > 0
