"""Admins who create and delete accounts in the same moment, served by many processes."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.e2e.conftest import OwnEngines
from tests.support.api import ROOT, Answer
from tests.support.crowd import at_once, codes
from tests.support.local import LocalService, local_service

USERS = "/api/admin/users"
PASSWORD = "Cellar-door_42"
CATALOGUE = json.loads((ROOT / "local/standins/tmdb/catalogue.json").read_text())
FILMS = [movie["id"] for movie in CATALOGUE["movies"]][:8]
# What a call may answer whose user ceases to be an admin, or to be at all, while it is under way.
TOO_LATE = {"LAST_ADMIN", "FORBIDDEN", "JWT_INVALID"}


def create(service: LocalService, admin: str, name: str, role: str) -> Answer:
    body = {
        "email": f"{name}@example.com",
        "username": name,
        "password": PASSWORD,
        "role": role,
    }
    return service.patiently("POST", USERS, token=admin, body=body)


def sign_in(service: LocalService, name: str) -> tuple[str, str]:
    """Return the token and the id of somebody with a local account."""
    body = {"identifier": name, "password": PASSWORD}
    data = service.patiently("POST", "/api/auth/login", body=body).data
    return data["token"], data["user"]["id"]


def delete(service: LocalService, admin: str, user_id: str) -> Answer:
    return service.patiently("DELETE", f"{USERS}/{user_id}", token=admin)


def change(service: LocalService, admin: str, user_id: str, **fields: Any) -> Answer:
    return service.patiently("PATCH", f"{USERS}/{user_id}", token=admin, body=fields)


def test_admins_who_change_each_other_at_once_leave_an_active_admin(
    tmp_path: Path, own_engines: OwnEngines
) -> None:
    # One service for all: its start is the slow part.
    with (
        own_engines("admins") as own,
        local_service(tmp_path / "data", environment=own) as service,
    ):
        alice = service.sign_in(service.standin_urls[0], "alice")
        one_account_by_many(service, alice)
        alice = admins_who_end_each_others_sessions(service, alice)
        alice = admins_who_remove_each_other(service, alice)
        alice = three_admins_in_a_circle(service, alice)
        a_user_who_is_deleted_at_work(service, alice)


def one_account_by_many(service: LocalService, alice: str) -> None:
    create(service, alice, "root2", "admin")
    other, _ = sign_in(service, "root2")
    names = ["twin", "Twin", "TWIN", "tWIN", "twiN"]
    answers = at_once(
        [
            partial(create, service, admin, name, "user")
            for name in names
            for admin in (alice, other)
        ]
    )
    assert codes(answers) == {"201": 1, "VALIDATION_ERROR": 9}
    for answer in answers:
        if answer.status == 400:
            assert {problem["field"] for problem in answer.details} == {
                "body.email",
                "body.username",
            }
    found = service.patiently("GET", USERS, token=alice, query={"search": "twin"})
    assert found.json["pagination"]["total"] == 1
    [made] = [answer.data["id"] for answer in answers if answer.status == 201]
    assert sign_in(service, "twin")[1] == made


def admins_who_end_each_others_sessions(service: LocalService, alice: str) -> str:
    """Let two admins end each other's sessions; return a token of the first."""
    ids = [
        service.patiently("GET", "/api/auth/me", token=alice).data["id"],
        sign_in(service, "root2")[1],
    ]
    for _ in range(5):
        tokens = [service.sign_in(service.standin_urls[0], "alice"), sign_in(service, "root2")[0]]
        answers = at_once(
            [
                partial(service.patiently, "DELETE", f"{USERS}/{user_id}/sessions", token=token)
                for token, user_id in zip(tokens, reversed(ids), strict=True)
                for _ in range(2)
            ]
        )
        # Whoever comes late is signed out by then; nobody waits for the other in a circle.
        found = codes(answers)
        assert found["204"] >= 1
        assert found.keys() <= {"204", "JWT_INVALID"}
    return service.sign_in(service.standin_urls[0], "alice")


def admins_who_remove_each_other(service: LocalService, survivor: str) -> str:
    """Let pairs of last admins remove each other; return the token of who is left."""
    removals: list[Callable[[LocalService, str, str], Answer]] = [
        delete,
        partial(change, role="user"),
        partial(change, status="suspended"),
    ]
    me = service.patiently("GET", "/api/auth/me", token=survivor).data["id"]
    for user_id in active_admins(service, survivor):
        if user_id != me:
            assert delete(service, survivor, user_id).status == 204
    number = 0
    for first in removals:
        for second in removals:
            number += 1
            name = f"rival{number}"
            create(service, survivor, name, "admin")
            rival, rival_id = sign_in(service, name)
            answers = at_once(
                [
                    partial(first, service, survivor, rival_id),
                    partial(second, service, rival, me),
                ]
            )
            won = [answer.status in {200, 204} for answer in answers]
            assert sorted(won) == [False, True], [answer.text for answer in answers]
            assert codes(answers).keys() & TOO_LATE
            if won[1]:
                survivor, me = rival, rival_id
            assert active_admins(service, survivor) == [me]
    return survivor


def active_admins(service: LocalService, admin: str) -> list[str]:
    query = {"role": "admin", "status": "active"}
    found = service.patiently("GET", USERS, token=admin, query=query).data
    return [user["id"] for user in found]


def three_admins_in_a_circle(service: LocalService, survivor: str) -> str:
    me = service.patiently("GET", "/api/auth/me", token=survivor).data["id"]
    circle = [(survivor, me)]
    for name in ("second", "third"):
        create(service, survivor, name, "admin")
        circle.append(sign_in(service, name))
    answers = at_once(
        [
            partial(delete, service, circle[place][0], circle[(place + 1) % 3][1])
            for place in range(3)
        ]
    )
    # Who was deleted first deletes nobody any more; the other two do what they asked for.
    assert [answer.status for answer in answers].count(204) == 2
    assert codes(answers).keys() - {"204"} <= TOO_LATE
    [left] = [token for token, _ in circle if is_signed_in(service, token)]
    assert len(active_admins(service, left)) == 1
    return left


def is_signed_in(service: LocalService, token: str) -> bool:
    answer = service.patiently("GET", "/api/auth/me", token=token)
    assert answer.status == 200 or answer.code == "JWT_INVALID"
    return answer.status == 200


def a_user_who_is_deleted_at_work(service: LocalService, admin: str) -> None:
    create(service, admin, "heir", "user")
    heir, _ = sign_in(service, "heir")
    for number in range(3):
        name = f"busy{number}"
        create(service, admin, name, "user")
        token, user_id = sign_in(service, name)
        jobs = [partial(ask, service, token, film) for film in FILMS]
        jobs += [partial(service.patiently, "POST", "/api/auth/refresh", token=token, body={})] * 2
        *answers, deletion = at_once([*jobs, partial(delete, service, admin, user_id)])
        assert deletion.status == 204
        assert codes(answers).keys() <= {"200", "201", "JWT_INVALID"}
        assert not is_signed_in(service, token)
        for answer in answers:
            if answer.status == 200:
                assert not is_signed_in(service, answer.data["token"])
        # Nothing of what was asked for is left, and every title is free.
        found = service.patiently("GET", "/api/admin/requests", token=admin)
        assert found.json["pagination"]["total"] == 0
        made = [ask(service, heir, film) for film in FILMS]
        assert codes(made) == {"201": len(FILMS)}
        for answer in made:
            path = f"/api/media/requests/{answer.data['id']}"
            assert service.patiently("DELETE", path, token=heir).status == 204


def ask(service: LocalService, token: str, film: int) -> Answer:
    body = {"mediaType": "movie", "tmdbId": film}
    return service.patiently("POST", "/api/media/request", token=token, body=body)
