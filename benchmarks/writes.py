"""The measured writes: each call is prepared so that it succeeds."""

import itertools
import uuid
from collections.abc import Iterator
from typing import Any

from benchmarks.callers import OTHER_USER, PASSWORD, USER, Callers
from benchmarks.events import Event, data_of, event
from benchmarks.routes import Route, allow_settings, film_ids
from benchmarks.rows import add_request, add_session, add_user, id_of

_OTHER_PASSWORD = "c0rrect-Horse-battery"
_BULK = 10
# Few, so that the catalogue has all of them in its cache.
_FILMS = 3
_QUOTAS = {"movies": {"limit": None, "days": 7}, "seasons": {"limit": None, "days": 7}}


def sign_ins(people: Callers) -> Iterator[Route]:
    """Yield the routes that begin, change and end sessions."""

    async def pin() -> Event:
        return event("POST", "/api/auth/plex/pin", body={})

    async def verify() -> Event:
        handle = await people.service.approve(people.sandboxes["plex"], USER)
        return event("POST", "/api/auth/plex/verify", body={"pinId": handle})

    async def login() -> Event:
        body = {"identifier": people.local_name, "password": PASSWORD}
        return event("POST", "/api/auth/login", body=body)

    async def logout() -> Event:
        return event("POST", "/api/auth/logout", body={}, token=await people.login())

    async def revoke() -> Event:
        parameters = {"id": add_session(people.db, USER)}
        path = "/api/auth/sessions/{id}"
        return event("DELETE", path, parameters=parameters, token=people.user)

    yield Route("POST /api/auth/login", "auth", login, slow=True)
    yield Route("POST /api/auth/plex/pin", "plex", pin, slow=True)
    yield Route("POST /api/auth/plex/verify", "plex", verify, slow=True)
    yield _refresh(people)
    yield _password(people)
    yield Route("POST /api/auth/logout", "auth", logout, 204, slow=True)
    yield Route("DELETE /api/auth/sessions/{id}", "auth", revoke, 204)


def requests(people: Callers) -> Iterator[Route]:
    """Yield the routes that make, cancel and decide requests."""
    films = itertools.cycle(film_ids()[:_FILMS])
    made: list[str] = []

    async def cancel_made() -> None:
        if made:
            await people.respond("media", _cancel(people, made.pop()), 204)

    async def create() -> Event:
        await cancel_made()
        body = {"mediaType": "movie", "tmdbId": next(films)}
        return event("POST", "/api/media/request", body=body, token=people.user)

    async def pending() -> str:
        response, _ = await people.respond("media", await create(), 201)
        request_id: str = data_of(response)["id"]
        return request_id

    async def cancel() -> Event:
        return _cancel(people, await pending())

    async def approve() -> Event:
        parameters = {"id": add_request(people.db, USER)}
        path = "/api/admin/requests/{id}/approve"
        return event("POST", path, parameters=parameters, body={}, token=people.admin)

    async def decline() -> Event:
        path, reason = "/api/admin/requests/{id}/decline", {"reason": "No space left"}
        parameters = {"id": await pending()}
        return event("POST", path, parameters=parameters, body=reason, token=people.admin)

    async def decide() -> Event:
        ids = [add_request(people.db, USER) for _ in range(_BULK)]
        body = {"decision": "approve", "ids": ids}
        return event("POST", "/api/admin/requests/decisions", body=body, token=people.admin)

    def keep(response: Any) -> None:
        made.append(data_of(response)["id"])

    create_name = "POST /api/media/request"
    yield Route(create_name, "media", create, 201, seen=keep)
    yield Route("DELETE /api/media/requests/{id}", "media", cancel, 204)
    yield Route("POST /api/admin/requests/{id}/approve", "admin", approve)
    yield Route("POST /api/admin/requests/{id}/decline", "admin", decline)
    yield Route("POST /api/admin/requests/decisions", "admin", decide)


def accounts(people: Callers) -> Iterator[Route]:
    """Yield the routes that change users and settings."""
    admin = people.admin
    limits = itertools.cycle((5, 6))

    async def create() -> Event:
        name = f"user-{uuid.uuid4().hex[:12]}"
        body = {"email": f"{name}@example.com", "username": name, "role": "user"}
        account = {**body, "password": PASSWORD}
        return event("POST", "/api/admin/users", body=account, token=admin)

    async def change() -> Event:
        body = {"quota": {"movies": {"limit": next(limits), "days": 7}}}
        parameters = {"id": id_of(people.db, people.local_name)}
        path = "/api/admin/users/{id}"
        return event("PATCH", path, parameters=parameters, body=body, token=admin)

    async def delete() -> Event:
        parameters = {"id": add_user(people.db)}
        return event("DELETE", "/api/admin/users/{id}", parameters=parameters, token=admin)

    async def revoke() -> Event:
        add_session(people.db, people.local_name)
        parameters = {"id": id_of(people.db, people.local_name)}
        path = "/api/admin/users/{id}/sessions"
        return event("DELETE", path, parameters=parameters, token=admin)

    async def setting() -> Event:
        allow_settings(people)
        parameters, body = {"key": "requestQuota.user"}, {"value": _QUOTAS}
        path = "/api/admin/config/{key}"
        return event("PUT", path, parameters=parameters, body=body, token=admin)

    yield Route("POST /api/admin/users", "admin", create, 201, slow=True)
    yield Route("PATCH /api/admin/users/{id}", "admin", change)
    yield Route("DELETE /api/admin/users/{id}", "admin", delete, 204)
    yield Route("DELETE /api/admin/users/{id}/sessions", "admin", revoke, 204)
    yield Route("PUT /api/admin/config/{key}", "admin", setting)


def _refresh(people: Callers) -> Route:
    tokens: list[str] = []

    async def prepare() -> Event:
        # A person of its own: other routes revoke all sessions of the local account.
        token = tokens.pop() if tokens else await people.sign_in(OTHER_USER)
        return event("POST", "/api/auth/refresh", body={}, token=token)

    def keep(response: Any) -> None:
        tokens.append(data_of(response)["token"])

    name = "POST /api/auth/refresh"
    return Route(name, "auth", prepare, seen=keep)


def _password(people: Callers) -> Route:
    async def prepare() -> Event:
        # Every call begins with the same password, which `login` needs as well.
        token = await people.login()
        await people.respond("auth", _new_password(token, PASSWORD, _OTHER_PASSWORD), 204)
        return _new_password(token, _OTHER_PASSWORD, PASSWORD)

    return Route("POST /api/auth/password", "auth", prepare, 204, slow=True)


def _new_password(token: str, current: str, new: str) -> Event:
    body = {"currentPassword": current, "newPassword": new}
    return event("POST", "/api/auth/password", body=body, token=token)


def _cancel(people: Callers, request_id: str) -> Event:
    parameters = {"id": request_id}
    return event("DELETE", "/api/media/requests/{id}", parameters=parameters, token=people.user)
