"""Stateful test: users, sessions, requests and decisions in any order, compared with a model."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import psycopg
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support import plex
from tests.support.api import Answer, call
from tests.support.row_counts import wrong_counts

type Db = psycopg.Connection[tuple[Any, ...]]

NAMES = ("alice", "bob", "carol")
FILMS = (603, 27205, 157336, 155)
SHOW = 1396
INDEX = st.integers(min_value=0, max_value=100)
SEASONS = st.none() | st.sets(st.integers(min_value=0, max_value=5), min_size=1)


@dataclass
class Person:
    """A user of the model."""

    name: str
    id: str
    role: str
    status: str = "active"
    quota: dict[str, int | None] | None = None

    @property
    def film_limit(self) -> int | None:
        return None if self.quota is None else self.quota["limit"]


@dataclass
class Session:
    """A session, valid or ended."""

    token: str
    person: Person
    has_ended: bool = False


@dataclass
class Request:
    """A request that is not cancelled."""

    id: str
    owner: Person
    tmdb_id: int
    seasons: set[int]
    status: str = "pending"

    @property
    def is_active(self) -> bool:
        return self.status != "declined"


@dataclass
class Model:
    """The expected state."""

    people: dict[str, Person] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    requests: dict[str, Request] = field(default_factory=dict)
    deleted_ids: list[str] = field(default_factory=list)
    audit: Counter[str] = field(default_factory=Counter)

    def is_valid(self, session: Session) -> bool:
        return not session.has_ended and session.person.status == "active"

    def admins(self) -> list[Person]:
        return [
            person
            for person in self.people.values()
            if person.role == "admin" and person.status == "active"
        ]

    def holders(self, tmdb_id: int, seasons: set[int]) -> list[Request]:
        """Return the active requests that hold a film, or any of a show's seasons."""
        return [
            request
            for request in self.requests.values()
            if request.is_active
            and request.tmdb_id == tmdb_id
            and (not seasons or request.seasons & seasons)
        ]

    def films_of(self, person: Person) -> int:
        return sum(
            request.owner is person and request.is_active and request.tmdb_id != SHOW
            for request in self.requests.values()
        )

    def remove(self, request: Request) -> None:
        del self.requests[request.id]
        self.deleted_ids.append(request.id)


class MediaNest(RuleBasedStateMachine):
    """All users make all calls, permitted or not, also with ended sessions."""

    def __init__(self, db: Db, keys: redis.Redis, plex_url: str) -> None:
        super().__init__()
        self.db = db
        self.keys = keys
        self.plex_url = plex_url
        self.model = Model()

    @initialize()
    def sign_in_all_users(self) -> None:
        self.db.execute("DELETE FROM users; DELETE FROM audit_logs")
        self.keys.flushdb()
        for name in NAMES:
            self.sign_in(name)
        self.set_quota(1, NAMES.index("carol"), 1)

    @rule(name=st.sampled_from(NAMES))
    def sign_in(self, name: str) -> None:
        answer = plex.verify(plex.begin(self.plex_url, name))
        person = self.model.people.get(name)
        if person is not None and person.status == "suspended":
            self.assert_refused(answer, "ACCOUNT_SUSPENDED", "auth.sign_in_failed")
            return
        user = answer.data["user"]
        if person is None:
            role = "user" if self.model.people else "admin"
            person = self.model.people[name] = Person(name, user["id"], role)
            self.model.audit["user.created"] += 1
        assert (user["id"], user["role"]) == (person.id, person.role)
        self.model.sessions.append(Session(answer.data["token"], person))
        self.model.audit["auth.sign_in"] += 1

    @rule(session_index=INDEX, everywhere=st.booleans())
    def sign_out(self, session_index: int, everywhere: bool) -> None:
        session = self.session(session_index)
        answer = self.call_as(session, "POST", "/api/auth/logout", {"allSessions": everywhere})
        if answer is not None:
            assert answer.status == 204
            for each in self.model.sessions:
                if each is session or (everywhere and each.person is session.person):
                    each.has_ended = True
            self.model.audit["auth.sign_out"] += 1

    @rule(session_index=INDEX)
    def refresh(self, session_index: int) -> None:
        session = self.session(session_index)
        answer = self.call_as(session, "POST", "/api/auth/refresh", {})
        if answer is not None:
            session.has_ended = True
            self.model.sessions.append(Session(answer.data["token"], session.person))
            self.model.audit["session.refreshed"] += 1

    @rule(session_index=INDEX, films=st.sets(st.sampled_from(FILMS), min_size=1))
    def request_films(self, session_index: int, films: set[int]) -> None:
        for film in sorted(films):
            self.request_film(session_index, film)

    def request_film(self, session_index: int, film: int) -> None:
        session = self.session(session_index)
        answer = self.call_as(
            session, "POST", "/api/media/request", {"mediaType": "movie", "tmdbId": film}
        )
        if answer is None:
            return
        person = session.person
        if holders := self.model.holders(film, set()):
            self.assert_already_requested(answer, person, holders)
        elif person.film_limit is not None and self.model.films_of(person) >= person.film_limit:
            assert answer.code == "QUOTA_EXCEEDED"
            assert answer.details["quota"] == "movies"
            assert answer.details["used"] == self.model.films_of(person)
        else:
            self.assert_created(answer, person, film, set())

    @rule(session_index=INDEX, seasons=SEASONS)
    def request_seasons(self, session_index: int, seasons: set[int] | None) -> None:
        session = self.session(session_index)
        body: dict[str, Any] = {"mediaType": "tv", "tmdbId": SHOW}
        if seasons is not None:
            body["seasons"] = sorted(seasons)
        answer = self.call_as(session, "POST", "/api/media/request", body)
        if answer is None:
            return
        requested = seasons or {1, 2, 3, 4, 5}
        holders = self.model.holders(SHOW, requested)
        free = requested.difference(*(request.seasons for request in holders))
        if not free:
            self.assert_already_requested(answer, session.person, holders)
        else:
            self.assert_created(answer, session.person, SHOW, free)
            assert answer.data.get("skippedSeasons", []) == sorted(requested - free)

    @precondition(lambda self: self.model.requests or self.model.deleted_ids)
    @rule(session_index=INDEX, request_index=INDEX)
    def read_request(self, session_index: int, request_index: int) -> None:
        session, request_id = self.session(session_index), self.request_id(request_index)
        answer = self.call_as(session, "GET", f"/api/media/requests/{request_id}")
        if answer is not None:
            request = self.model.requests.get(request_id)
            if request is None or not self.may_act_on(session, request):
                assert answer.code == "NOT_FOUND"
            else:
                assert answer.data["status"] == request.status
                assert answer.data["userId"] == request.owner.id

    @precondition(lambda self: self.model.requests or self.model.deleted_ids)
    @rule(session_index=INDEX, request_index=INDEX)
    def cancel(self, session_index: int, request_index: int) -> None:
        session, request_id = self.session(session_index), self.request_id(request_index)
        answer = self.call_as(session, "DELETE", f"/api/media/requests/{request_id}")
        if answer is None:
            return
        request = self.model.requests.get(request_id)
        if request is None or not self.may_act_on(session, request):
            assert answer.code == "NOT_FOUND"
        elif request.status != "pending":
            assert answer.code == "INVALID_STATE"
        else:
            assert answer.status == 204
            self.model.remove(request)
            self.model.audit["request.cancelled"] += 1

    @precondition(lambda self: self.model.requests or self.model.deleted_ids)
    @rule(
        session_index=INDEX, request_index=INDEX, decision=st.sampled_from(["approve", "decline"])
    )
    def decide(self, session_index: int, request_index: int, decision: str) -> None:
        request_id = self.request_id(request_index)
        body = {"reason": "no room"} if decision == "decline" else {}
        answer = self.call_as_admin(
            self.likely_admin(session_index),
            "POST",
            f"/api/admin/requests/{request_id}/{decision}",
            body,
        )
        if answer is None:
            return
        request = self.model.requests.get(request_id)
        if request is None:
            assert answer.code == "NOT_FOUND"
        elif request.status != "pending":
            assert answer.code == "INVALID_STATE"
            assert answer.details["status"] == request.status
        else:
            self.record_decision(request, answer.data["status"], decision)

    @precondition(lambda self: self.model.requests)
    @rule(session_index=INDEX, decision=st.sampled_from(["approve", "decline"]))
    def decide_on_all(self, session_index: int, decision: str) -> None:
        ids = list(self.model.requests) + self.model.deleted_ids[-1:]
        body = {"decision": decision, "ids": ids}
        if decision == "decline":
            body["reason"] = "no room"
        answer = self.call_as_admin(
            self.likely_admin(session_index), "POST", "/api/admin/requests/decisions", body
        )
        if answer is None:
            return
        assert [item["id"] for item in answer.data] == ids
        for item in answer.data:
            request = self.model.requests.get(item["id"])
            if request is None:
                assert item["error"]["code"] == "NOT_FOUND"
            elif request.status != "pending":
                assert item["error"]["code"] == "INVALID_STATE"
            else:
                self.record_decision(request, item["status"], decision)

    @rule(
        session_index=INDEX,
        user_index=INDEX,
        change=st.sampled_from(
            [{"role": "admin"}, {"role": "user"}, {"status": "suspended"}, {"status": "active"}]
        ),
    )
    def change_user(self, session_index: int, user_index: int, change: dict[str, str]) -> None:
        person = self.person(user_index)
        answer = self.call_as_admin(
            self.likely_admin(session_index), "PATCH", f"/api/admin/users/{person.id}", change
        )
        if answer is None:
            return
        stays_active_admin = {"role": "admin", "status": "active"}.items() >= change.items()
        if self.model.admins() == [person] and not stays_active_admin:
            assert answer.code == "LAST_ADMIN"
        else:
            assert answer.status == 200
            previous = (person.role, person.status)
            person.role = change.get("role", person.role)
            person.status = change.get("status", person.status)
            if (person.role, person.status) != previous:
                self.model.audit["user.changed"] += 1
                self.end_sessions_of(person)

    @rule(session_index=INDEX, user_index=INDEX, limit=st.sampled_from([None, 0, 1]))
    def set_quota(self, session_index: int, user_index: int, limit: int | None) -> None:
        person = self.person(user_index)
        quota = {"limit": limit, "days": 7}
        answer = self.call_as_admin(
            self.likely_admin(session_index),
            "PATCH",
            f"/api/admin/users/{person.id}",
            {"quota": {"movies": quota}},
        )
        if answer is not None:
            assert answer.status == 200
            self.model.audit["user.changed"] += person.quota != quota
            person.quota = quota

    @rule(session_index=INDEX, user_index=INDEX)
    def end_sessions(self, session_index: int, user_index: int) -> None:
        person = self.person(user_index)
        answer = self.call_as_admin(
            self.likely_admin(session_index), "DELETE", f"/api/admin/users/{person.id}/sessions"
        )
        if answer is not None:
            assert answer.status == 204
            self.model.audit["session.revoked"] += any(
                session.person is person and not session.has_ended
                for session in self.model.sessions
            )
            self.end_sessions_of(person)

    @precondition(lambda self: len(self.model.requests) > 1)
    @rule(session_index=INDEX, user_index=INDEX)
    def delete_user(self, session_index: int, user_index: int) -> None:
        person = self.person(user_index)
        answer = self.call_as_admin(
            self.likely_admin(session_index), "DELETE", f"/api/admin/users/{person.id}"
        )
        if answer is None:
            return
        if self.model.admins() == [person]:
            assert answer.code == "LAST_ADMIN"
        else:
            assert answer.status == 204
            self.end_sessions_of(person)
            for request in list(self.model.requests.values()):
                if request.owner is person:
                    self.model.remove(request)
            del self.model.people[person.name]
            self.model.audit["user.deleted"] += 1

    @rule(session_index=INDEX)
    def list_own_requests(self, session_index: int) -> None:
        session = self.session(session_index)
        answer = self.call_as(session, "GET", "/api/media/requests", query={"limit": 100})
        if answer is not None:
            listed = {item["id"]: item["status"] for item in answer.data}
            assert listed == {
                request.id: request.status
                for request in self.model.requests.values()
                if request.owner is session.person
            }

    def teardown(self) -> None:
        for session in self.model.sessions:
            answer = self.call_as(session, "GET", "/api/auth/me")
            if answer is not None:
                assert answer.data["role"] == session.person.role

    @invariant()
    def one_active_request_for_each_title_and_season(self) -> None:
        held = self.db.execute(
            "SELECT tmdb_id, season FROM request_items WHERE active ORDER BY 1, 2"
        ).fetchall()
        assert Counter(held) == Counter(
            (request.tmdb_id, season)
            for request in self.model.requests.values()
            if request.is_active
            for season in (request.seasons or [None])
        )

    @invariant()
    def audit_rows_are_the_changes(self) -> None:
        rows = self.db.execute(
            "SELECT action, sum(coalesce((details->>'count')::int, 1)) FROM audit_logs GROUP BY 1"
        ).fetchall()
        assert dict(rows) == {action: n for action, n in self.model.audit.items() if n}

    @invariant()
    def row_counts_are_exact(self) -> None:
        assert wrong_counts(self.db) == []

    @invariant()
    def at_least_one_user_is_admin(self) -> None:
        assert self.model.admins() or not self.model.people

    def call_as(
        self, session: Session, method: str, path: str, body: Any = None, **options: Any
    ) -> Answer | None:
        """Make a call; return None if the session has ended, after checking the refusal."""
        answer = call(method, path, token=session.token, body=body, **options)
        if self.model.is_valid(session):
            return answer
        assert answer.code == "JWT_INVALID"
        return None

    def call_as_admin(
        self, session: Session, method: str, path: str, body: Any = None
    ) -> Answer | None:
        """Make an admin call; return None for other users, after checking the refusal."""
        answer = self.call_as(session, method, path, body)
        if answer is not None and session.person.role != "admin":
            self.assert_refused(answer, "FORBIDDEN", "access.denied")
            return None
        return answer

    def assert_refused(self, answer: Answer, code: str, action: str) -> None:
        assert answer.code == code
        self.model.audit[action] += 1

    def assert_already_requested(
        self, answer: Answer, person: Person, holders: list[Request]
    ) -> None:
        assert answer.code == "ALREADY_REQUESTED"
        own_ids = {request.id for request in holders if request.owner is person}
        named_id = (answer.details or {}).get("requestId")
        assert named_id in own_ids if own_ids else named_id is None

    def assert_created(
        self, answer: Answer, person: Person, tmdb_id: int, seasons: set[int]
    ) -> None:
        assert answer.status == 201, answer.text
        assert answer.data["status"] == "pending"
        assert answer.data["userId"] == person.id
        assert answer.data.get("seasons", []) == sorted(seasons)
        request = Request(answer.data["id"], person, tmdb_id, seasons)
        self.model.requests[request.id] = request
        self.model.audit["request.created"] += 1

    def record_decision(self, request: Request, status: str, decision: str) -> None:
        request.status = {"approve": "approved", "decline": "declined"}[decision]
        assert status == request.status
        self.model.audit[f"request.{request.status}"] += 1

    def end_sessions_of(self, person: Person) -> None:
        for session in self.model.sessions:
            if session.person is person:
                session.has_ended = True

    def may_act_on(self, session: Session, request: Request) -> bool:
        return request.owner is session.person or session.person.role == "admin"

    def session(self, session_index: int) -> Session:
        # Prefer valid sessions: most sessions have ended.
        live = [session for session in self.model.sessions if self.model.is_valid(session)]
        candidates = live if live and session_index % 5 else self.model.sessions
        return candidates[session_index % len(candidates)]

    def likely_admin(self, session_index: int) -> Session:
        admins = [
            session
            for session in self.model.sessions
            if self.model.is_valid(session) and session.person.role == "admin"
        ]
        return (
            admins[session_index % len(admins)]
            if admins and session_index % 3
            else self.session(session_index)
        )

    def person(self, user_index: int) -> Person:
        people = list(self.model.people.values())
        return people[user_index % len(people)]

    def request_id(self, request_index: int) -> str:
        ids = list(self.model.requests) + self.model.deleted_ids[-2:]
        return ids[request_index % len(ids)]


@pytest.mark.slow
def test_invariants_hold_after_any_sequence_of_calls(
    db: Db, keys: redis.Redis, plex_url: str
) -> None:
    class BoundMediaNest(MediaNest):
        def __init__(self) -> None:
            super().__init__(db, keys, plex_url)

    run_state_machine_as_test(
        BoundMediaNest,
        settings=settings(
            max_examples=16,
            stateful_step_count=50,
            deadline=None,
            # The same cases on every run: only a change of the code can cause a failure.
            derandomize=True,
            database=None,
            # Shrinking a failure would take many minutes; its steps are readable without it.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
