"""Fixture of the administration: another admin, who acts through the API."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from tests.support.browser.people import People
from tests.support.local import LocalService
from tests.support.sourced import SOURCE_HEADER

PASSWORD = "Correct-Horse-7"
_numbers = count(1)


@dataclass(frozen=True)
class Colleague:
    """An admin with a local account."""

    id: str
    name: str
    token: str


@pytest.fixture
def colleague(people: People, service: LocalService, source: str) -> Iterator[Colleague]:
    """Create another admin, and delete the account after the test."""
    name = f"olga{next(_numbers)}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "role": "admin"}
    alice = people.token("alice")
    made = service.call("POST", "/api/admin/users", body=body, token=alice)
    assert made.status == 201, made.text
    login = {"identifier": name, "password": PASSWORD}
    signed_in = service.call("POST", "/api/auth/login", body=login, headers={SOURCE_HEADER: source})
    assert signed_in.status == 200, signed_in.text
    yield Colleague(made.data["id"], name, signed_in.data["token"])
    service.call("DELETE", f"/api/admin/users/{made.data['id']}", token=alice)
