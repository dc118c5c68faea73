"""Foreign keys: each is listed, and only the one that a caller can violate returns 401."""

from typing import Any

import psycopg
import pytest

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.caller import Caller
from medianest.core.db import database
from tests.support.api import call

type Db = psycopg.Connection[tuple[Any, ...]]

UNKNOWN_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"
# The audit repository maps a violation to JWT_INVALID: a denied call and an exceeded limit are
# audited without a lock on the user, who may be deleted after the call was authenticated.
MAPPED = {"audit_logs_user_id_fkey"}
# A transaction that writes the reference holds a lock on the row that it refers to, so a violation
# is a bug: it becomes INTERNAL_ERROR and revokes no session.
LOCKED = {
    "handovers_server_id_fkey": "the server that the worker routes to (routing)",
    "jobs_server_id_fkey": "the server of the job's cause",
    "idempotency_keys_user_id_fkey": "the acting user (lock_active_user)",
    "media_requests_processed_by_fkey": "the acting admin (lock_admin)",
    "media_requests_user_id_fkey": "the acting user (lock_active_user)",
    "request_items_request_id_fkey": "a request that the same transaction inserts",
    "routing_rules_server_id_fkey": "the servers of the new list of rules",
    "sessions_user_id_fkey": "the user who signs in (lock_local_user, update_plex_user)",
    "signin_networks_user_id_fkey": "the user who signs in (lock_local_user)",
    "system_config_updated_by_fkey": "the acting admin (lock_admin)",
}


def test_every_foreign_key_is_listed(db: Db) -> None:
    rows = db.execute("SELECT conname FROM pg_constraint WHERE contype = 'f' ORDER BY conname")
    assert {row[0] for row in rows} == MAPPED | LOCKED.keys()


def test_caller_deleted_before_the_audit_row_is_signed_out(
    db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record_repeated = audit_repository.record_repeated

    def delete_user_first(*args: Any, **kwargs: Any) -> None:
        db.execute("DELETE FROM users WHERE username = 'bob'")
        record_repeated(*args, **kwargs)

    monkeypatch.setattr(audit_repository, "record_repeated", delete_user_first)
    answer = call("GET", "/api/admin/users", token=people["bob"])
    assert (answer.status, answer.code) == (401, "JWT_INVALID")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_other_constraint_of_the_audit_log_does_not_sign_the_caller_out(db: Db) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation), database().transaction() as connection:
        audit_repository.record(
            connection,
            Action.SIGN_OUT,
            Caller("r", "::1", None),  # type: ignore[arg-type]  # the table refuses a row without a user agent
            user_id=None,
        )


def test_other_foreign_key_does_not_sign_the_caller_out(
    db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record_repeated = audit_repository.record_repeated

    def violate_other_key(connection: Db, *args: Any, **kwargs: Any) -> None:
        record_repeated(connection, *args, **kwargs)
        connection.execute(
            "INSERT INTO sessions (user_id, expires_at, ip, user_agent)"
            " VALUES (%s, now(), '::1', '')",
            (UNKNOWN_ID,),
        )

    monkeypatch.setattr(audit_repository, "record_repeated", violate_other_key)
    answer = call("GET", "/api/admin/users", token=people["bob"])
    assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
    assert call("GET", "/api/auth/me", token=people["bob"]).status == 200
