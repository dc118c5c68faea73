"""A stand-in for plex.tv: sign-in by PIN, who somebody is, which servers they can reach.

Like plex.tv it answers XML unless the caller accepts JSON, hands out sequential PIN ids, and shows
a PIN only to the client that made it. The hosted sign-in page is `/auth`; what its buttons do can
also be done with `POST /standin/pins/{code}/approve` and `{"username": "alice"}`. Where it is not
known what plex.tv takes, it takes what the strictest public client sends.
"""

import itertools
import json
import math
import re
import secrets
import string
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET  # it writes XML and reads none  # nosec B405

from aiohttp import web

from local.standins.faults import Faults, Handler

SERVER_ID = "6d0c94f3b0f1d8b7a5e2c9104f7e3a86b1d25c07"
STRONG_LIFETIME = 1800.0
SHORT_LIFETIME = 900.0
FIRST_PIN_ID = 308_667_304
STRONG_ALPHABET = string.ascii_lowercase + string.digits
SHORT_ALPHABET = string.ascii_uppercase + string.digits
SIGN_IN_PAGE = Path(__file__).with_name("sign_in.html")


@dataclass(frozen=True)
class Person:
    """Somebody with a Plex account."""

    id: int
    username: str
    email: str | None
    reaches_server: bool = True
    owns_server: bool = False
    is_home_user: bool = False  # managed by the owner: no e-mail and no password of their own


PEOPLE = (
    Person(1001, "alice", "alice@example.com", owns_server=True),
    Person(1002, "bob", "bob@example.com"),
    Person(1003, "carol", "carol@example.com"),
    Person(1004, "dave", "dave@example.com", reaches_server=False),
    Person(1005, "kids", None, is_home_user=True),
)


@dataclass
class Pin:
    """One attempt to sign in."""

    id: int
    code: str
    client_id: str
    product: str
    strong: bool
    created: float
    expires: float
    token: str | None = field(default=None, repr=False)

    @property
    def expired(self) -> bool:
        """Tell whether plex.tv has forgotten it."""
        return time.time() >= self.expires


class PlexTv:
    """The state behind the routes; it lives as long as the process."""

    def __init__(self, people: Sequence[Person], server_id: str, lifetime: float | None) -> None:
        self._people = {person.username: person for person in people}
        self._server_id = server_id
        self._lifetime = lifetime
        self._ids = itertools.count(FIRST_PIN_ID)
        self._pins: dict[int, Pin] = {}
        self._signed_in: dict[str, Person] = {}

    async def create_pin(self, request: web.Request) -> web.Response:
        """Start a sign-in; `strong` counts in the query only, where every public client puts it."""
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
        return answer(request, "pin", describe_pin(pin, request), status=201)

    async def show_pin(self, request: web.Request) -> web.Response:
        """Tell whether a PIN was claimed; each poll of a client ends here."""
        pin = self._pins.get(int(request.match_info["id"]))
        if (
            pin is None
            or pin.expired
            or pin.client_id != request.headers["X-Plex-Client-Identifier"]
            or request.query.get("code", pin.code) != pin.code
        ):
            return refuse(request, 404, 1020, "Code not found or expired")
        return answer(request, "pin", describe_pin(pin, request))

    async def approve_pin(self, request: web.Request) -> web.Response:
        """Sign somebody in: what plex.tv does when a person presses the button.

        The page sends the `clientID` of its address, which must be that of the PIN.
        """
        code = request.match_info["code"]
        pin = next((p for p in self._pins.values() if p.code == code and not p.expired), None)
        body = read_json(await request.text())
        order = body if isinstance(body, dict) else {}
        if pin is None or order.get("clientID", pin.client_id) != pin.client_id:
            return web.json_response(
                {"error": "No such code for this app, or it has expired."}, status=404
            )
        if not pin.strong:
            message = "This code is for plex.tv/link: a PIN for this page is made with strong=true."
            return web.json_response({"error": message}, status=400)
        if pin.token is not None:
            return web.json_response({"error": "This code has been used."}, status=409)
        person = self._people.get(str(order.get("username")))
        if person is None:
            names = ", ".join(self._people)
            message = f'Send {{"username": ...}} with one of: {names}.'
            return web.json_response({"error": message}, status=400)
        pin.token = secrets.token_urlsafe(15)
        self._signed_in[pin.token] = person
        return web.json_response({"approved": True, "username": person.username})

    async def show_user(self, request: web.Request) -> web.Response:
        """Tell whose token it is."""
        person = self._who(request)
        if person is None:
            return bad_token(request)
        return answer(request, "user", describe_person(person, token_of(request)))

    async def list_resources(self, request: web.Request) -> web.Response:
        """List the servers and players that somebody can reach."""
        person = self._who(request)
        if person is None:
            return bad_token(request)
        owner = next(somebody for somebody in self._people.values() if somebody.owns_server)
        resources = describe_resources(person, owner, self._server_id, request.query)
        return answer(request, "resources", resources)

    async def ping(self, request: web.Request) -> web.Response:
        """Refresh a token, in name."""
        if self._who(request) is None:
            return bad_token(request)
        return answer(request, "ping", {"pong": True})

    async def sign_in_page(self, _request: web.Request) -> web.Response:
        """Show the page that stands for plex.tv's own."""
        people = [{"username": p.username, "about": about(p)} for p in self._people.values()]
        # "<" is escaped so that no name can close the script element the list sits in.
        listed = json.dumps(people).replace("<", "\\u003c")
        page = SIGN_IN_PAGE.read_text(encoding="utf-8").replace("{{people}}", listed)
        return web.Response(text=page, content_type="text/html")

    def _who(self, request: web.Request) -> Person | None:
        return self._signed_in.get(token_of(request))


def create_app(
    people: Sequence[Person] = PEOPLE,
    *,
    server_id: str = SERVER_ID,
    pin_lifetime: float | None = None,
) -> web.Application:
    """Build the stand-in; one of the people owns the server.

    `pin_lifetime` in seconds replaces the lifetimes of plex.tv.
    """
    plex = PlexTv(people, server_id, pin_lifetime)
    app = web.Application(middlewares=[require_client_id])
    app.router.add_post("/api/v2/pins", plex.create_pin)
    app.router.add_get("/api/v2/pins/{id:[0-9]{1,18}}", plex.show_pin)
    app.router.add_get("/api/v2/user", plex.show_user)
    app.router.add_get("/api/v2/resources", plex.list_resources)
    app.router.add_get("/api/v2/ping", plex.ping)
    app.router.add_route("*", "/api/{anything:.*}", answer_not_found)
    app.router.add_get("/auth", plex.sign_in_page)
    app.router.add_post("/standin/pins/{code}/approve", plex.approve_pin)
    Faults().install(app)
    return app


@web.middleware
async def require_client_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a call of the API that does not say which client it comes from."""
    if request.path.startswith("/api/") and not request.headers.get("X-Plex-Client-Identifier"):
        return refuse(request, 400, 1000, "X-Plex-Client-Identifier is missing")
    return await handler(request)


async def answer_not_found(request: web.Request) -> web.Response:
    """Answer a path or method that is not stood in for."""
    return refuse(request, 404, 404, "Not Found")


def token_of(request: web.Request) -> str:
    """Give the token of a request, or an empty text; in a URL it would end up in logs."""
    return request.headers.get("X-Plex-Token", "")


def read_json(text: str) -> object:
    """Parse, or give None for anything that is no JSON."""
    try:
        parsed: object = json.loads(text)
    except ValueError:
        return None
    return parsed


def random_text(alphabet: str, length: int) -> str:
    """Draw characters that nobody can guess."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def iso_time(seconds: float) -> str:
    """Write a time the way plex.tv does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def about(person: Person) -> str:
    """Say what is special about somebody, for the sign-in page."""
    if person.owns_server:
        return "owns the server"
    if not person.reaches_server:
        return "cannot reach the server"
    return "home user without e-mail" if person.is_home_user else "can reach the server"


def describe_pin(pin: Pin, request: web.Request) -> dict[str, Any]:
    """Give a PIN with the fields of plex.tv."""
    return {
        "id": pin.id,
        "code": pin.code,
        "product": pin.product,
        "trusted": False,
        "qr": f"{request.url.origin()}/api/v2/pins/qr/{pin.code}",
        "clientIdentifier": pin.client_id,
        "location": {
            "code": "XX",
            "continent_code": "XX",
            "country": "Nowhere",
            "city": "Nowhere",
            "european_union_member": False,
            "time_zone": "Etc/UTC",
            "postal_code": "00000",
            "in_privacy_restricted_country": False,
            "subdivisions": "",
            "coordinates": "0, 0",
        },
        "expiresIn": max(0, math.ceil(pin.expires - time.time())),
        "createdAt": iso_time(pin.created),
        "expiresAt": iso_time(pin.expires),
        "authToken": pin.token,
        "newRegistration": None if pin.token is None else False,
    }


def describe_person(person: Person, token: str) -> dict[str, Any]:
    """Give an account with the fields of plex.tv."""
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


def describe_resources(
    person: Person, owner: Person, server_id: str, query: Mapping[str, str]
) -> list[dict[str, Any]]:
    """List a player, a server that is not ours, and ours if it can be reached.

    The first two are there so that nobody can take "has a server" for "reaches our server".
    """
    found = [
        resource(f"{person.username}'s phone", f"phone-{person.id}", "client,player", query),
        resource(f"{person.username}'s own server", f"server-{person.id}", "server", query),
    ]
    if person.reaches_server:
        ours = resource("MediaNest stand-in", server_id, "server", query)
        ours["owned"] = person is owner
        ours["home"] = person.is_home_user
        ours["ownerId"] = None if person is owner else owner.id
        ours["sourceTitle"] = None if person is owner else owner.username
        found.append(ours)
    return found


def resource(name: str, client_id: str, provides: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Give one device with the fields of plex.tv; 192.0.2.0/24 is nobody's network."""
    is_server = provides == "server"
    scheme = "https" if query.get("includeHttps") == "1" else "http"
    addresses = [("192.0.2.10", 32400, False)] if is_server else []
    if is_server and query.get("includeRelay") == "1":
        addresses.append(("192.0.2.99", 8443, True))
    return {
        "name": name,
        "product": "Plex Media Server" if is_server else "Plex for Android",
        "productVersion": "1.43.0.0",
        "platform": "Linux" if is_server else "Android",
        "platformVersion": "",
        "device": "PC" if is_server else "Phone",
        "clientIdentifier": client_id,
        "createdAt": "2024-01-01T00:00:00Z",
        "lastSeenAt": "2026-01-01T00:00:00Z",
        "provides": provides,
        "ownerId": None,
        "sourceTitle": None,
        "publicAddress": "192.0.2.1",
        "accessToken": secrets.token_urlsafe(15) if is_server else None,
        "owned": True,
        "home": False,
        "synced": False,
        "relay": True,
        "presence": True,
        "httpsRequired": False,
        "publicAddressMatches": False,
        "dnsRebindingProtection": False,
        "natLoopbackSupported": False,
        "connections": [
            {
                "protocol": scheme,
                "address": address,
                "port": port,
                "uri": f"{scheme}://{address}:{port}",
                "local": not relayed,
                "relay": relayed,
                "IPv6": False,
            }
            for address, port, relayed in addresses
        ],
    }


def bad_token(request: web.Request) -> web.Response:
    """Refuse a token that is missing or unknown, or that cannot be one."""
    if re.fullmatch("[A-Za-z0-9_-]*", token_of(request)):
        return refuse(request, 401, 1001, "User could not be authenticated")
    return refuse(request, 422, 1001, "Invalid token")


def refuse(request: web.Request, status: int, code: int, message: str) -> web.Response:
    """Answer an error of plex.tv."""
    error = {"code": code, "message": message, "status": status}
    if accepts_json(request):
        return web.json_response({"errors": [error]}, status=status)
    return xml_response("errors", [error], status)


def answer(request: web.Request, name: str, body: object, status: int = 200) -> web.Response:
    """Answer in the format that the caller accepts."""
    if accepts_json(request):
        return web.json_response(body, status=status)
    return xml_response(name, body, status)


def accepts_json(request: web.Request) -> bool:
    """Tell whether the caller asks for JSON; plex.tv's own choice is XML."""
    return "application/json" in request.headers.get("Accept", "")


def xml_response(name: str, body: object, status: int) -> web.Response:
    """Answer XML."""
    text = ET.tostring(to_xml(name, body), encoding="unicode", xml_declaration=False)
    return web.Response(
        text=f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n',
        status=status,
        content_type="application/xml",
    )


def to_xml(name: str, value: object) -> ET.Element:
    """Turn JSON to XML the way of plex.tv: plain values are attributes, the rest are children."""
    element = ET.Element(name)
    if isinstance(value, list):
        element.extend(to_xml(name.removesuffix("s"), item) for item in value)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list):
                element.append(to_xml(key, item))
            else:
                element.set(key, XML_VALUES.get(type(item), str)(item))
    return element


XML_VALUES: dict[type, Callable[[object], str]] = {
    type(None): lambda _none: "",
    bool: lambda truth: "1" if truth else "0",
}
