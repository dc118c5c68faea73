"""The people with a Plex account, and their JSON at plex.tv."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Person:
    """A person with a Plex account."""

    id: int
    username: str
    email: str | None
    reaches_server: bool = True
    owns_server: bool = False
    is_home_user: bool = False  # managed by the owner, without e-mail and password


PEOPLE = (
    Person(1001, "alice", "alice@example.com", owns_server=True),
    Person(1002, "bob", "bob@example.com"),
    Person(1003, "carol", "carol@example.com"),
    Person(1004, "dave", "dave@example.com", reaches_server=False),
    Person(1005, "kids", None, is_home_user=True),
)


def about(person: Person) -> str:
    """Return a short description of a person, for the sign-in page."""
    if person.owns_server:
        return "owns the server"
    if not person.reaches_server:
        return "cannot reach the server"
    return "home user without e-mail" if person.is_home_user else "can reach the server"


def describe_person(person: Person, token: str) -> dict[str, Any]:
    """Return an account as plex.tv does."""
    return {
        "id": person.id,
        "uuid": f"{person.id:016x}",
        "username": "" if person.is_home_user else person.username,
        "title": person.username,
        "email": person.email,
        "friendlyName": person.username.title(),
        "locale": None,
        "confirmed": not person.is_home_user,
        "emailOnlyAuth": False,
        "hasPassword": not person.is_home_user,
        "protected": False,
        "thumb": "",
        "authToken": token,
        "country": "XX",
        "home": person.is_home_user or person.owns_server,
        "homeAdmin": person.owns_server,
        "homeSize": 2 if person.is_home_user or person.owns_server else 1,
        "restricted": person.is_home_user,
        "guest": False,
        "twoFactorEnabled": False,
        "rememberExpiresAt": None,
        "subscription": {"active": False, "status": "Inactive", "plan": None, "features": []},
        "roles": [],
        "entitlements": [],
        "services": [],
    }
