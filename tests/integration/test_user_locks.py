"""Locks on users: concurrent changes, deletions, sign-ins and revocations."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from medianest.accounts import service as accounts
from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.caller import Caller
from medianest.core.db import database
from medianest.sessions import repository as sessions_repository
from medianest.sessions.service import revoke_previous
from medianest.system_config.service import session_lifetimes
from medianest.users import repository
from medianest.users.models import Principal
from tests.integration.test_users import FILM, USERS, change, create, delete, get_user, log_in
from tests.support import plex
from tests.support.api import Answer, call, id_of
from tests.support.concurrency import waits_for_lock
from tests.support.local import eventually
from tests.support.rows import count

type Db = psycopg.Connection[tuple[Any, ...]]

CALLER = Caller("a call", "203.0.113.7", "tests")


def demote(token: str, user_id: str) -> Answer:
    return change(token, user_id, role="user")


def end_sessions(token: str, user_id: str) -> Answer:
    return call("DELETE", f"{USERS}/{user_id}/sessions", token=token)


def change_setting(token: str) -> Answer:
    path = "/api/admin/config/audit.retention"
    return call("PUT", path, token=token, body={"value": {"days": 90}})


def approve(token: str, request_id: str) -> Answer:
    return call("POST", f"/api/admin/requests/{request_id}/approve", token=token)


# Writes that lock no other user; each takes a token and the id of a media request.
WRITES: dict[str, Callable[[str, str], Answer]] = {
    "create": lambda token, _: create(token),
    "settings": lambda token, _: change_setting(token),
    "decision": approve,
}


def session_of(token: str) -> UUID:
    listed = call("GET", "/api/auth/sessions", token=token).data
    return UUID(next(session["id"] for session in listed if session["current"]))


class TestConcurrency:
    def other(self, direct_url: str) -> Db:
        connection = psycopg.connect(direct_url)
        connection.execute("SET LOCAL lock_timeout = '100ms'")
        return connection

    def test_lock_on_admins_does_not_block_their_requests(
        self, direct_url: str, people: dict[str, str]
    ) -> None:
        alice = id_of(people["alice"])
        with database().transaction() as connection, self.other(direct_url) as other:
            assert repository.lock_admins(connection) == [UUID(alice)]
            other.execute(
                "INSERT INTO media_requests (user_id, media_type, tmdb_id, title)"
                " VALUES (%s, 'movie', 603, 'The Matrix')",
                (alice,),
            )

    def test_concurrent_changes_of_admins_are_serialized(
        self, direct_url: str, people: dict[str, str]
    ) -> None:
        with database().transaction() as connection, self.other(direct_url) as other:
            repository.lock_admins(connection)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                repository.lock_admins(other)

    def test_no_session_is_created_while_a_user_is_suspended_or_deleted(
        self, direct_url: str, people: dict[str, str]
    ) -> None:
        bob = UUID(id_of(people["bob"]))
        add = (
            "INSERT INTO sessions (user_id, expires_at, ip, user_agent)"
            " VALUES (%s, now() + interval '1 day', '::1', '')"
        )
        with self.other(direct_url) as other:
            with database().transaction() as connection:
                assert repository.lock(connection, bob) is not None
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    other.execute(add, (bob,))
                other.rollback()
            other.execute(add, (bob,))

    def test_concurrent_refresh_and_deletion_do_not_deadlock(
        self, db: Db, direct_url: str, people: dict[str, str]
    ) -> None:
        bob, session_id = UUID(id_of(people["bob"])), session_of(people["bob"])
        lifetimes = session_lifetimes()

        def refresh(session_id: UUID) -> object:
            with psycopg.connect(direct_url) as other:
                if repository.lock_active(other, bob, session_id) is None:
                    return None
                return sessions_repository.replace(other, session_id, CALLER, lifetimes)

        with ThreadPoolExecutor(1) as pool:
            with database().transaction() as connection:
                connection.execute("SET LOCAL lock_timeout = '5s'")
                repository.lock(connection, bob)
                refreshed = pool.submit(refresh, session_id)
                eventually(lambda: waits_for_lock(db))
                sessions_repository.delete_all(connection, bob)
                assert accounts._delete_batch(connection, bob)
            assert refreshed.result(10) is None
        assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"

    @pytest.mark.parametrize(
        ("column", "value", "code"),
        [("role", "user", "FORBIDDEN"), ("status", "suspended", "JWT_INVALID")],
    )
    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_admin_demoted_or_suspended_concurrently_writes_nothing(
        self,
        db: Db,
        people: dict[str, str],
        plex_url: str,
        monkeypatch: pytest.MonkeyPatch,
        write: Callable[[str, str], Answer],
        column: str,
        value: str,
        code: str,
    ) -> None:
        plex.promote(plex_url, people, "carol")
        created = call("POST", "/api/media/request", token=people["bob"], body=FILM).data["id"]
        before = count(db, "audit_logs")
        lock_active = repository.lock_active

        def interleaved_change(connection: Db, user_id: UUID, session_id: UUID) -> Any:
            db.execute(f"UPDATE users SET {column} = '{value}' WHERE username = 'carol'".encode())
            return lock_active(connection, user_id, session_id)

        with monkeypatch.context() as patched:
            patched.setattr(repository, "lock_active", interleaved_change)
            assert write(people["carol"], created).code == code
        assert count(db, "audit_logs") == before
        assert write(people["alice"], created).status in {200, 201, 204}
        assert count(db, "audit_logs") == before + 1

    @pytest.mark.parametrize("write", [delete, end_sessions, demote])
    def test_admin_demoted_concurrently_changes_no_user(
        self,
        db: Db,
        plex_url: str,
        people: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        write: Callable[[str, str], Answer],
    ) -> None:
        for name in ("bob", "carol"):
            plex.promote(plex_url, people, name)
        carol = id_of(people["carol"])
        before = count(db, "audit_logs")
        lock_admins = repository.lock_admins

        def interleaved_change(connection: Db) -> list[UUID]:
            db.execute("UPDATE users SET role = 'user' WHERE username = 'bob'")
            return lock_admins(connection)

        with monkeypatch.context() as patched:
            patched.setattr(repository, "lock_admins", interleaved_change)
            assert write(people["bob"], carol).code == "FORBIDDEN"
        assert count(db, "audit_logs") == before
        assert get_user(people["alice"], carol).data["role"] == "admin"
        assert call("GET", USERS, token=people["carol"]).status == 200
        assert write(people["alice"], carol).status in {200, 204}

    def test_concurrent_sign_ins_that_replace_each_others_session_do_not_deadlock(
        self, direct_url: str, people: dict[str, str]
    ) -> None:
        principals, accounts_ = [], []
        for name in ("dora", "emil"):
            created = create(people["alice"], email=f"{name}@example.com", username=name).data["id"]
            [current] = call("GET", "/api/auth/sessions", token=log_in(name).data["token"]).data
            expires_at = datetime.fromisoformat(current["expiresAt"])
            principals.append(Principal(UUID(created), UUID(current["id"]), "user", expires_at))
            with database().transaction() as connection:
                account = repository.find_local_account(connection, name)
            assert account is not None
            accounts_.append(account)
        with self.other(direct_url) as first, self.other(direct_url) as second:
            assert repository.lock_local_user(first, accounts_[0]) is not None
            assert repository.lock_local_user(second, accounts_[1]) is not None
            assert len(revoke_previous(first, principals[1], CALLER)) == 1
            assert len(revoke_previous(second, principals[0], CALLER)) == 1

    def test_concurrent_revocations_of_one_and_all_sessions_do_not_deadlock(
        self, db: Db, direct_url: str, people: dict[str, str]
    ) -> None:
        bob, session_id = UUID(id_of(people["bob"])), session_of(people["bob"])

        def revoke_all() -> int:
            with psycopg.connect(direct_url) as other:
                return sessions_repository.revoke_all(other, bob)[0]

        with ThreadPoolExecutor(1) as pool:
            with database().transaction() as connection:
                connection.execute("SET LOCAL lock_timeout = '100ms'")
                assert sessions_repository.revoke(connection, user_id=bob, session_id=session_id)
                revoked = pool.submit(revoke_all)
                eventually(lambda: waits_for_lock(db))
                audit_repository.record(connection, Action.SESSION_REVOKED, CALLER, user_id=bob)
            assert revoked.result(10) == 0
