"""Build responses as plex.tv does: XML unless the caller accepts JSON."""

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET  # only writes XML  # nosec B405

from aiohttp import web


def respond(request: web.Request, name: str, body: object, status: int = 200) -> web.Response:
    """Respond in the format that the caller accepts."""
    if accepts_json(request):
        return web.json_response(body, status=status)
    return xml_response(name, body, status)


def refuse(request: web.Request, status: int, code: int, message: str) -> web.Response:
    """Respond with an error of plex.tv."""
    error = {"code": code, "message": message, "status": status}
    if accepts_json(request):
        return web.json_response({"errors": [error]}, status=status)
    return xml_response("errors", [error], status)


def bad_token(request: web.Request) -> web.Response:
    """Reject a missing, unknown or malformed token."""
    if re.fullmatch("[A-Za-z0-9_-]*", token_of(request)):
        return refuse(request, 401, 1001, "User could not be authenticated")
    return refuse(request, 422, 1001, "Invalid token")


def token_of(request: web.Request) -> str:
    """Return the token in the header, or an empty string; never in the URL, which is logged."""
    return request.headers.get("X-Plex-Token", "")


def accepts_json(request: web.Request) -> bool:
    """Return whether the caller accepts JSON; the default is XML."""
    return "application/json" in request.headers.get("Accept", "")


def xml_response(name: str, body: object, status: int) -> web.Response:
    """Respond with XML."""
    text = ET.tostring(to_xml(name, body), encoding="unicode", xml_declaration=False)
    return web.Response(
        text=f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n',
        status=status,
        content_type="application/xml",
    )


def to_xml(name: str, value: object) -> ET.Element:
    """Convert JSON to XML as plex.tv does: scalars are attributes, other values are children."""
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
