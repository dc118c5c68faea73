"""Users, sessions, requests and decisions in any order, against a model of what must hold."""

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

type Db = psycopg.Connection[tuple[Any, ...]]

NAMES = ("alice", "bob", "carol")
FILMS = (603, 27205, 157336, 155)
SHOW = 1396
WHICH = st.integers(min_value=0, max_value=100)
SEASONS = st.none() | st.sets(st.integers(min_value=0, max_value=5), min_size=1)


@dataclass
class Person:
    """A user, as the model knows them."""

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
    """A session, over or not."""

    token: str
    person: Person
    is_over: bool = False


@dataclass
class Request:
    """A request that was not cancelled."""

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
    """What must be so."""

    people: dict[str, Person] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    requests: dict[str, Request] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    audit: Counter[str] = field(default_factory=Counter)

    def is_in(self, session: Session) -> bool:
        return not session.is_over and session.person.status == "active"

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
        self.gone.append(request.id)


class MediaNest(RuleBasedStateMachine):
    """Everybody does anything, allowed or not, also with sessions that are over."""

    def __init__(self, db: Db, keys: redis.Redis, plex_url: str) -> None:
        super().__init__()
        self.db = db
        self.keys = keys
        self.plex_url = plex_url
        self.model = Model()

    @initialize()
    def everybody_signs_in(self) -> None:
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
            self.refused(answer, "ACCOUNT_SUSPENDED", "auth.sign_in_failed")
            return
        user = answer.data["user"]
        if person is None:
            role = "user" if self.model.people else "admin"
            person = self.model.people[name] = Person(name, user["id"], role)
            self.model.audit["user.created"] += 1
        assert (user["id"], user["role"]) == (person.id, person.role)
        self.model.sessions.append(Session(answer.data["token"], person))
        self.model.audit["auth.sign_in"] += 1

    @rule(which=WHICH, everywhere=st.booleans())
    def sign_out(self, which: int, everywhere: bool) -> None:
        session = self.session(which)
        answer = self.by(session, "POST", "/api/auth/logout", {"allSessions": everywhere})
        if answer is not None:
            assert answer.status == 204
            for each in self.model.sessions:
                if each is session or (everywhere and each.person is session.person):
                    each.is_over = True
            self.model.audit["auth.sign_out"] += 1

    @rule(which=WHICH)
    def refresh(self, which: int) -> None:
        session = self.session(which)
        answer = self.by(session, "POST", "/api/auth/refresh", {})
        if answer is not None:
            session.is_over = True
            self.model.sessions.append(Session(answer.data["token"], session.person))
            self.model.audit["session.refreshed"] += 1

    @rule(which=WHICH, films=st.sets(st.sampled_from(FILMS), min_size=1))
    def ask_for_films(self, which: int, films: set[int]) -> None:
        for film in sorted(films):
            self.ask_for_film(which, film)

    def ask_for_film(self, which: int, film: int) -> None:
        session = self.session(which)
        answer = self.by(
            session, "POST", "/api/media/request", {"mediaType": "movie", "tmdbId": film}
        )
        if answer is None:
            return
        person = session.person
        if holders := self.model.holders(film, set()):
            self.is_held(answer, person, holders)
        elif person.film_limit is not None and self.model.films_of(person) >= person.film_limit:
            assert answer.code == "QUOTA_EXCEEDED"
            assert answer.details["quota"] == "movies"
            assert answer.details["used"] == self.model.films_of(person)
        else:
            self.made(answer, person, film, set())

    @rule(which=WHICH, seasons=SEASONS)
    def ask_for_seasons(self, which: int, seasons: set[int] | None) -> None:
        session = self.session(which)
        body: dict[str, Any] = {"mediaType": "tv", "tmdbId": SHOW}
        if seasons is not None:
            body["seasons"] = sorted(seasons)
        answer = self.by(session, "POST", "/api/media/request", body)
        if answer is None:
            return
        asked = seasons or {1, 2, 3, 4, 5}
        holders = self.model.holders(SHOW, asked)
        free = asked.difference(*(request.seasons for request in holders))
        if not free:
            self.is_held(answer, session.person, holders)
        else:
            self.made(answer, session.person, SHOW, free)
            assert answer.data.get("skippedSeasons", []) == sorted(asked - free)

    @precondition(lambda self: self.model.requests or self.model.gone)
    @rule(which=WHICH, what=WHICH)
    def look_at_request(self, which: int, what: int) -> None:
        session, request_id = self.session(which), self.request_id(what)
        answer = self.by(session, "GET", f"/api/media/requests/{request_id}")
        if answer is not None:
            request = self.model.requests.get(request_id)
            if request is None or not self.may_act_on(session, request):
                assert answer.code == "NOT_FOUND"
            else:
                assert answer.data["status"] == request.status
                assert answer.data["userId"] == request.owner.id

    @precondition(lambda self: self.model.requests or self.model.gone)
    @rule(which=WHICH, what=WHICH)
    def cancel(self, which: int, what: int) -> None:
        session, request_id = self.session(which), self.request_id(what)
        answer = self.by(session, "DELETE", f"/api/media/requests/{request_id}")
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

    @precondition(lambda self: self.model.requests or self.model.gone)
    @rule(which=WHICH, what=WHICH, decision=st.sampled_from(["approve", "decline"]))
    def decide(self, which: int, what: int, decision: str) -> None:
        request_id = self.request_id(what)
        body = {"reason": "no room"} if decision == "decline" else {}
        answer = self.by_admin(
            self.likely_admin(which), "POST", f"/api/admin/requests/{request_id}/{decision}", body
        )
        if answer is None:
            return
        request = self.model.requests.get(request_id)
        if request is None:
            assert answer.code == "NOT_FOUND"
        elif request.status != "pending":
            assert answer.code == "INVALID_STATE"
            assert answer.details == {"status": request.status}
        else:
            self.decided(request, answer.data["status"], decision)

    @precondition(lambda self: self.model.requests)
    @rule(which=WHICH, decision=st.sampled_from(["approve", "decline"]))
    def decide_on_all(self, which: int, decision: str) -> None:
        ids = list(self.model.requests) + self.model.gone[-1:]
        body = {"decision": decision, "ids": ids}
        if decision == "decline":
            body["reason"] = "no room"
        answer = self.by_admin(
            self.likely_admin(which), "POST", "/api/admin/requests/decisions", body
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
                self.decided(request, item["status"], decision)

    @rule(
        which=WHICH,
        whom=WHICH,
        change=st.sampled_from(
            [{"role": "admin"}, {"role": "user"}, {"status": "suspended"}, {"status": "active"}]
        ),
    )
    def change_user(self, which: int, whom: int, change: dict[str, str]) -> None:
        person = self.person(whom)
        answer = self.by_admin(
            self.likely_admin(which), "PATCH", f"/api/admin/users/{person.id}", change
        )
        if answer is None:
            return
        stays = {"role": "admin", "status": "active"}.items() >= change.items()
        if self.model.admins() == [person] and not stays:
            assert answer.code == "LAST_ADMIN"
        else:
            assert answer.status == 200
            former = (person.role, person.status)
            person.role = change.get("role", person.role)
            person.status = change.get("status", person.status)
            if (person.role, person.status) != former:
                self.model.audit["user.changed"] += 1
                self.end_sessions_of(person)

    @rule(which=WHICH, whom=WHICH, limit=st.sampled_from([None, 0, 1]))
    def set_quota(self, which: int, whom: int, limit: int | None) -> None:
        person = self.person(whom)
        quota = {"limit": limit, "days": 7}
        answer = self.by_admin(
            self.likely_admin(which),
            "PATCH",
            f"/api/admin/users/{person.id}",
            {"quota": {"movies": quota}},
        )
        if answer is not None:
            assert answer.status == 200
            self.model.audit["user.changed"] += person.quota != quota
            person.quota = quota

    @rule(which=WHICH, whom=WHICH)
    def end_sessions(self, which: int, whom: int) -> None:
        person = self.person(whom)
        answer = self.by_admin(
            self.likely_admin(which), "DELETE", f"/api/admin/users/{person.id}/sessions"
        )
        if answer is not None:
            assert answer.status == 204
            self.model.audit["session.revoked"] += any(
                session.person is person and not session.is_over for session in self.model.sessions
            )
            self.end_sessions_of(person)

    @precondition(lambda self: len(self.model.requests) > 1)
    @rule(which=WHICH, whom=WHICH)
    def delete_user(self, which: int, whom: int) -> None:
        person = self.person(whom)
        answer = self.by_admin(self.likely_admin(which), "DELETE", f"/api/admin/users/{person.id}")
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

    @rule(which=WHICH)
    def list_own(self, which: int) -> None:
        session = self.session(which)
        answer = self.by(session, "GET", "/api/media/requests", query={"limit": 100})
        if answer is not None:
            listed = {item["id"]: item["status"] for item in answer.data}
            assert listed == {
                request.id: request.status
                for request in self.model.requests.values()
                if request.owner is session.person
            }

    def teardown(self) -> None:
        for session in self.model.sessions:
            answer = self.by(session, "GET", "/api/auth/me")
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
    def somebody_is_admin(self) -> None:
        assert self.model.admins() or not self.model.people

    def by(
        self, session: Session, method: str, path: str, body: Any = None, **options: Any
    ) -> Answer | None:
        """Make a call; None when the session is over, as the answer then must say."""
        answer = call(method, path, token=session.token, body=body, **options)
        if self.model.is_in(session):
            return answer
        assert answer.code == "JWT_INVALID"
        return None

    def by_admin(self, session: Session, method: str, path: str, body: Any = None) -> Answer | None:
        """Make a call that only admins may; None for others, whom the answer then must refuse."""
        answer = self.by(session, method, path, body)
        if answer is not None and session.person.role != "admin":
            self.refused(answer, "FORBIDDEN", "access.denied")
            return None
        return answer

    def refused(self, answer: Answer, code: str, action: str) -> None:
        assert answer.code == code
        self.model.audit[action] += 1

    def is_held(self, answer: Answer, person: Person, holders: list[Request]) -> None:
        assert answer.code == "ALREADY_REQUESTED"
        own = {request.id for request in holders if request.owner is person}
        named = (answer.details or {}).get("requestId")
        assert named in own if own else named is None

    def made(self, answer: Answer, person: Person, tmdb_id: int, seasons: set[int]) -> None:
        assert answer.status == 201, answer.text
        assert answer.data["status"] == "pending"
        assert answer.data["userId"] == person.id
        assert answer.data.get("seasons", []) == sorted(seasons)
        request = Request(answer.data["id"], person, tmdb_id, seasons)
        self.model.requests[request.id] = request
        self.model.audit["request.created"] += 1

    def decided(self, request: Request, status: str, decision: str) -> None:
        request.status = {"approve": "approved", "decline": "declined"}[decision]
        assert status == request.status
        self.model.audit[f"request.{request.status}"] += 1

    def end_sessions_of(self, person: Person) -> None:
        for session in self.model.sessions:
            if session.person is person:
                session.is_over = True

    def may_act_on(self, session: Session, request: Request) -> bool:
        return request.owner is session.person or session.person.role == "admin"

    def session(self, which: int) -> Session:
        # Mostly those that are not over; else they are few among many.
        live = [session for session in self.model.sessions if self.model.is_in(session)]
        some = live if live and which % 5 else self.model.sessions
        return some[which % len(some)]

    def likely_admin(self, which: int) -> Session:
        admins = [
            session
            for session in self.model.sessions
            if self.model.is_in(session) and session.person.role == "admin"
        ]
        return admins[which % len(admins)] if admins and which % 3 else self.session(which)

    def person(self, whom: int) -> Person:
        everybody = list(self.model.people.values())
        return everybody[whom % len(everybody)]

    def request_id(self, what: int) -> str:
        ids = list(self.model.requests) + self.model.gone[-2:]
        return ids[what % len(ids)]


@pytest.mark.slow
def test_whatever_is_done_in_whatever_order(db: Db, keys: redis.Redis, plex_url: str) -> None:
    class Here(MediaNest):
        def __init__(self) -> None:
            super().__init__(db, keys, plex_url)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=16,
            stateful_step_count=50,
            deadline=None,
            # The same cases on every run: a failure must be somebody's change.
            derandomize=True,
            database=None,
            # A failure is read from its steps; to make them fewer would take many minutes.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
