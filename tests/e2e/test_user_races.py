"""Concurrent calls of admins that create, change and delete users, served by many processes."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import CROWD, Db
from tests.support.api import ROOT, Answer
from tests.support.concurrency import at_once, codes
from tests.support.local import LocalService

USERS = "/api/admin/users"
PASSWORD = "Cellar-door_42"
CATALOGUE = json.loads((ROOT / "local/standins/tmdb/catalogue.json").read_text())
FILMS = [movie["id"] for movie in CATALOGUE["movies"]][:8]
# The errors of a call whose user is demoted or deleted while the call runs.
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
    """Sign in to a local account; return the token and the id of the user."""
    body = {"identifier": name, "password": PASSWORD}
    data = service.patiently("POST", "/api/auth/login", body=body).data
    return data["token"], data["user"]["id"]


def delete(service: LocalService, admin: str, user_id: str) -> Answer:
    return service.patiently("DELETE", f"{USERS}/{user_id}", token=admin)


def change(service: LocalService, admin: str, user_id: str, **fields: Any) -> Answer:
    return service.patiently("PATCH", f"{USERS}/{user_id}", token=admin, body=fields)


def post_request(service: LocalService, token: str, film: int) -> Answer:
    body = {"mediaType": "movie", "tmdbId": film}
    return service.patiently("POST", "/api/media/request", token=token, body=body)


def is_signed_in(service: LocalService, token: str) -> bool:
    answer = service.patiently("GET", "/api/auth/me", token=token)
    assert answer.status == 200 or answer.code == "JWT_INVALID"
    return answer.status == 200


def id_of(service: LocalService, token: str) -> str:
    return str(service.patiently("GET", "/api/auth/me", token=token).data["id"])


def active_admins(service: LocalService, admin: str) -> list[str]:
    query = {"role": "admin", "status": "active"}
    users = service.patiently("GET", USERS, token=admin, query=query).data
    return [user["id"] for user in users]


def delete_other_admins(service: LocalService, admin: str) -> None:
    own_id = id_of(service, admin)
    for user_id in active_admins(service, admin):
        if user_id != own_id:
            assert delete(service, admin, user_id).status == 204


@dataclass
class Installation:
    """A running service, and the token of a user who is an admin at the start of each test."""

    service: LocalService
    admin: str


@pytest.fixture(scope="module")
def installation(crowd_plex: str, raced: tuple[LocalService, Db]) -> Installation:
    service, _ = raced
    return Installation(service, service.sign_in(crowd_plex, CROWD[0]))


def test_one_account_is_created_when_admins_race_with_names_that_differ_in_case(
    installation: Installation,
) -> None:
    service, alice = installation.service, installation.admin
    create(service, alice, "root2", "admin")
    other, _ = sign_in(service, "root2")
    names = ["twin", "Twin", "TWIN", "tWIN", "twiN"]
    responses = at_once(
        [
            partial(create, service, admin, name, "user")
            for name in names
            for admin in (alice, other)
        ]
    )
    assert codes(responses) == {"201": 1, "VALIDATION_ERROR": 9}
    for response in responses:
        if response.status == 400:
            assert {problem["field"] for problem in response.details} == {
                "body.email",
                "body.username",
            }
    listed = service.patiently("GET", USERS, token=alice, query={"search": "twin"})
    assert listed.json["pagination"]["total"] == 1
    [created_id] = [response.data["id"] for response in responses if response.status == 201]
    assert sign_in(service, "twin")[1] == created_id


def test_admins_that_end_each_others_sessions_do_not_deadlock(
    installation: Installation,
) -> None:
    service = installation.service
    names = ("first-ender", "second-ender")
    for name in names:
        create(service, installation.admin, name, "admin")
    for _ in range(5):
        (first, first_id), (second, second_id) = (sign_in(service, name) for name in names)
        responses = at_once(
            [
                partial(service.patiently, "DELETE", f"{USERS}/{user_id}/sessions", token=token)
                for token, user_id in ((first, second_id), (second, first_id))
                for _ in range(2)
            ]
        )
        # The session of a later call may have ended already.
        counts = codes(responses)
        assert counts["204"] >= 1
        assert counts.keys() <= {"204", "JWT_INVALID"}


def test_exactly_one_of_two_last_admins_removes_the_other(installation: Installation) -> None:
    service = installation.service
    removals: list[Callable[[LocalService, str, str], Answer]] = [
        delete,
        partial(change, role="user"),
        partial(change, status="suspended"),
    ]
    delete_other_admins(service, installation.admin)
    for number, (first, second) in enumerate(itertools.product(removals, repeat=2)):
        survivor = installation.admin
        survivor_id = id_of(service, survivor)
        name = f"rival{number}"
        create(service, survivor, name, "admin")
        rival, rival_id = sign_in(service, name)
        responses = at_once(
            [
                partial(first, service, survivor, rival_id),
                partial(second, service, rival, survivor_id),
            ]
        )
        succeeded = [response.status in {200, 204} for response in responses]
        assert sorted(succeeded) == [False, True], [response.text for response in responses]
        assert codes(responses).keys() & TOO_LATE
        if succeeded[1]:
            installation.admin, survivor_id = rival, rival_id
        assert active_admins(service, installation.admin) == [survivor_id]


def test_one_admin_remains_when_three_delete_each_other_in_a_circle(
    installation: Installation,
) -> None:
    service = installation.service
    delete_other_admins(service, installation.admin)
    circle = [(installation.admin, id_of(service, installation.admin))]
    for name in ("second", "third"):
        create(service, installation.admin, name, "admin")
        circle.append(sign_in(service, name))
    responses = at_once(
        [
            partial(delete, service, circle[position][0], circle[(position + 1) % 3][1])
            for position in range(3)
        ]
    )
    # The admin that is deleted first cannot delete another one; both other calls succeed.
    assert [response.status for response in responses].count(204) == 2
    assert codes(responses).keys() - {"204"} <= TOO_LATE
    [installation.admin] = [token for token, _ in circle if is_signed_in(service, token)]
    assert len(active_admins(service, installation.admin)) == 1


def test_nothing_remains_of_a_user_who_is_deleted_while_their_calls_run(
    installation: Installation,
) -> None:
    service, admin = installation.service, installation.admin
    create(service, admin, "heir", "user")
    heir, _ = sign_in(service, "heir")
    for number in range(3):
        name = f"busy{number}"
        create(service, admin, name, "user")
        token, user_id = sign_in(service, name)
        jobs = [partial(post_request, service, token, film) for film in FILMS]
        jobs += [partial(service.patiently, "POST", "/api/auth/refresh", token=token, body={})] * 2
        *responses, deletion = at_once([*jobs, partial(delete, service, admin, user_id)])
        assert deletion.status == 204
        assert codes(responses).keys() <= {"200", "201", "JWT_INVALID"}
        assert not is_signed_in(service, token)
        for response in responses:
            if response.status == 200:
                assert not is_signed_in(service, response.data["token"])
        # No request of the user is left, and another user can request each title.
        remaining = service.patiently("GET", "/api/admin/requests", token=admin)
        assert remaining.json["pagination"]["total"] == 0
        created = [post_request(service, heir, film) for film in FILMS]
        assert codes(created) == {"201": len(FILMS)}
        for response in created:
            path = f"/api/media/requests/{response.data['id']}"
            assert service.patiently("DELETE", path, token=heir).status == 204


def test_one_of_two_concurrent_changes_of_a_password_succeeds(installation: Installation) -> None:
    service, admin = installation.service, installation.admin
    create(service, admin, "changer", "user")
    tokens = [sign_in(service, "changer")[0] for _ in range(2)]
    passwords = ["Kettle-drum_51", "Copper-Meadow-19"]
    # So that two processes are ready, and both calls begin at once.
    assert all(at_once([partial(is_signed_in, service, token) for token in tokens * 2]))

    def change_password(token: str, new: str) -> Answer:
        body = {"currentPassword": PASSWORD, "newPassword": new}
        return service.patiently("POST", "/api/auth/password", token=token, body=body)

    responses = at_once(
        [partial(change_password, *each) for each in zip(tokens, passwords, strict=True)]
    )
    statuses = [response.status for response in responses]
    assert sorted(statuses) == [204, 401]
    assert [is_signed_in(service, token) for token in tokens] == [each == 204 for each in statuses]
    body = {"identifier": "changer", "password": passwords[statuses.index(204)]}
    assert service.patiently("POST", "/api/auth/login", body=body).status == 200
    query = {"action": "auth.password_changed"}
    logs = service.patiently("GET", "/api/admin/audit-logs", token=admin, query=query)
    assert len(logs.data) == 1
