"""The routes of the stand-in for plex.tv."""

import itertools
import json
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from local.standins.faults import Faults, Handler
from local.standins.plex.people import PEOPLE, Person, about, describe_person
from local.standins.plex.pins import (
    SHORT_ALPHABET,
    SHORT_LIFETIME,
    STRONG_ALPHABET,
    STRONG_LIFETIME,
    Pin,
    describe_pin,
    random_text,
)
from local.standins.plex.resources import SERVER_ID, describe_resources
from local.standins.plex.responses import bad_token, refuse, respond, token_of

FIRST_PIN_ID = 308_667_304
SIGN_IN_PAGE = Path(__file__).with_name("sign_in.html")


class PlexTv:
    """The routes and their state, which is lost when the process ends."""

    def __init__(self, people: Sequence[Person], server_id: str, lifetime: float | None) -> None:
        self._people = {person.username: person for person in people}
        self._server_id = server_id
        self._lifetime = lifetime
        self._ids = itertools.count(FIRST_PIN_ID)
        self._pins: dict[int, Pin] = {}
        self._signed_in: dict[str, Person] = {}

    async def create_pin(self, request: web.Request) -> web.Response:
        """Start a sign-in; `strong` is read from the query, where every public client sends it."""
        strong = request.query.get("strong") == "true"
        now = time.time()
        lifetime = self._lifetime or (STRONG_LIFETIME if strong else SHORT_LIFETIME)
        pin = Pin(
            id=next(self._ids),
            code=random_text(STRONG_ALPHABET, 25) if strong else random_text(SHORT_ALPHABET, 4),
            client_id=request.headers["X-Plex-Client-Identifier"],
            product=request.headers.get("X-Plex-Product", ""),
            strong=strong,
            created=now,
            expires=now + lifetime,
        )
        self._pins[pin.id] = pin
        return respond(request, "pin", describe_pin(pin, request), status=201)

    async def show_pin(self, request: web.Request) -> web.Response:
        """Return a PIN, which has a token once it is claimed; clients poll this."""
        pin = self._pins.get(int(request.match_info["id"]))
        if (
            pin is None
            or pin.is_expired
            or pin.client_id != request.headers["X-Plex-Client-Identifier"]
            or request.query.get("code", pin.code) != pin.code
        ):
            return refuse(request, 404, 1020, "Code not found or expired")
        return respond(request, "pin", describe_pin(pin, request))

    async def approve_pin(self, request: web.Request) -> web.Response:
        """Claim a PIN for a person, as the button of the sign-in page does.

        The page sends the `clientID` of its address, which must be that of the PIN.
        """
        code = request.match_info["code"]
        pin = next((p for p in self._pins.values() if p.code == code and not p.is_expired), None)
        body = read_json(await request.text())
        command = body if isinstance(body, dict) else {}
        if pin is None or command.get("clientID", pin.client_id) != pin.client_id:
            return web.json_response(
                {"error": "This code is unknown or has expired. Start the sign-in again."},
                status=404,
            )
        if not pin.strong:
            message = "This code is for plex.tv/link. This page requires a PIN with strong=true."
            return web.json_response({"error": message}, status=400)
        if pin.token is not None:
            return web.json_response({"error": "This code has already been used."}, status=409)
        person = self._people.get(str(command.get("username")))
        if person is None:
            names = ", ".join(self._people)
            message = f'Send {{"username": ...}} with one of: {names}.'
            return web.json_response({"error": message}, status=400)
        pin.token = secrets.token_urlsafe(15)
        self._signed_in[pin.token] = person
        return web.json_response({"approved": True, "username": person.username})

    async def show_user(self, request: web.Request) -> web.Response:
        """Return the account of a token."""
        person = self._find_user(request)
        if person is None:
            return bad_token(request)
        return respond(request, "user", describe_person(person, token_of(request)))

    async def list_resources(self, request: web.Request) -> web.Response:
        """List the servers and players that an account can reach."""
        person = self._find_user(request)
        if person is None:
            return bad_token(request)
        owner = next(each for each in self._people.values() if each.owns_server)
        resources = describe_resources(person, owner, self._server_id, request.query)
        return respond(request, "resources", resources)

    async def ping(self, request: web.Request) -> web.Response:
        """Respond to a ping, which clients send to keep a token valid."""
        if self._find_user(request) is None:
            return bad_token(request)
        return respond(request, "ping", {"pong": True})

    async def sign_in_page(self, _request: web.Request) -> web.Response:
        """Return the sign-in page."""
        people = [{"username": p.username, "about": about(p)} for p in self._people.values()]
        # "<" is escaped so that no name can close the script element that contains the list.
        people_json = json.dumps(people).replace("<", "\\u003c")
        page = SIGN_IN_PAGE.read_text(encoding="utf-8").replace("{{people}}", people_json)
        return web.Response(text=page, content_type="text/html")

    def _find_user(self, request: web.Request) -> Person | None:
        return self._signed_in.get(token_of(request))


def create_app(
    people: Sequence[Person] = PEOPLE,
    *,
    server_id: str = SERVER_ID,
    pin_lifetime: float | None = None,
) -> web.Application:
    """Build the stand-in; one of `people` owns the server.

    `pin_lifetime` in seconds replaces the lifetimes of plex.tv.
    """
    plex = PlexTv(people, server_id, pin_lifetime)
    app = web.Application(middlewares=[require_client_id])
    app.router.add_post("/api/v2/pins", plex.create_pin)
    app.router.add_get("/api/v2/pins/{id:[0-9]{1,18}}", plex.show_pin)
    app.router.add_get("/api/v2/user", plex.show_user)
    app.router.add_get("/api/v2/resources", plex.list_resources)
    app.router.add_get("/api/v2/ping", plex.ping)
    app.router.add_route("*", "/api/{anything:.*}", respond_not_found)
    app.router.add_get("/auth", plex.sign_in_page)
    app.router.add_post("/standin/pins/{code}/approve", plex.approve_pin)
    Faults().install(app)
    return app


@web.middleware
async def require_client_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reject an API call without X-Plex-Client-Identifier."""
    if request.path.startswith("/api/") and not request.headers.get("X-Plex-Client-Identifier"):
        return refuse(request, 400, 1000, "X-Plex-Client-Identifier is missing")
    return await handler(request)


async def respond_not_found(request: web.Request) -> web.Response:
    """Respond 404 for an unknown path or method."""
    return refuse(request, 404, 404, "Not Found")


def read_json(text: str) -> object:
    """Parse JSON; return None if it is invalid."""
    try:
        parsed: object = json.loads(text)
    except ValueError:
        return None
    return parsed
