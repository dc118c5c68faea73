"""The common part of the stand-ins for Radarr and Sonarr: key, profiles, tags and commands."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiohttp import web

from local.standins.faults import Faults, Handler

type Resource = dict[str, Any]

PROFILES = {1: "Any", 4: "HD-1080p", 5: "Ultra-HD"}
# Numbers of a query or path that have more digits are no ids of .NET's 32 bits.
_ID = re.compile("[0-9]{1,9}")


class RejectedError(Exception):
    """A 400 with the list of the validators."""

    def __init__(self, *failures: Resource) -> None:
        super().__init__()
        self.failures = failures


def failure(name: str, message: str, value: Any, code: str | None) -> Resource:
    """Return an entry of a validator's list; without a code it comes from the service itself."""
    entry: Resource = {
        "propertyName": name,
        "errorMessage": message,
        "attemptedValue": value,
        "severity": "error",
    }
    if code is not None:
        entry["errorCode"] = code
        words = re.sub("(?<=[a-z])(?=[A-Z])", " ", name)
        entry["formattedMessageArguments"] = []
        entry["formattedMessagePlaceholderValues"] = {
            "propertyName": words,
            "propertyValue": value,
        }
    return entry


class ArrServer:
    """The part of a server that has nothing to do with titles."""

    def __init__(self, program: str, version: str, api_key: str, root_folder: str) -> None:
        self.program = program
        self.version = version
        self.root_folders = [root_folder, f"{root_folder}-4k"]
        self.names_itself = True
        self.tags: dict[int, str] = {}
        self.commands: list[Resource] = []
        self.known_commands: frozenset[str] = frozenset()
        self._api_key = api_key
        self._ids = count(1)

    def application(self) -> web.Application:
        """Build the application with the shared routes."""
        app = web.Application(middlewares=[self._errors, self._require_key])
        app.router.add_get("/api/v3/system/status", self._status)
        app.router.add_get("/api/v3/qualityprofile", self._list_profiles)
        app.router.add_get("/api/v3/rootfolder", self._list_root_folders)
        app.router.add_get("/api/v3/tag", self._list_tags)
        app.router.add_post("/api/v3/tag", self._add_tag)
        app.router.add_get("/api/v3/command", self._list_commands)
        app.router.add_post("/api/v3/command", self._add_command)
        Faults().install(app)
        return app

    def record_command(self, name: str, trigger: str, fields: Resource) -> Resource:
        """Queue a command, which is completed at once."""
        command = {
            "id": next(self._ids),
            "name": name,
            "commandName": name,
            "body": {**fields, "name": name, "trigger": trigger},
            "priority": "normal",
            "status": "queued",
            "queued": timestamp(),
            "trigger": trigger,
        }
        self.commands.append(command)
        return command

    def check_profile(self, resource: Resource) -> Iterator[Resource]:
        """Yield the failures of the quality profile."""
        profile = resource.get("qualityProfileId") or 0
        if profile <= 0:
            message = "'Quality Profile Id' must be greater than '0'."
            yield failure("QualityProfileId", message, profile, "GreaterThanValidator")
        elif profile not in PROFILES:
            message = "Quality Profile does not exist"
            yield failure("QualityProfileId", message, profile, "QualityProfileExistsValidator")

    def check_root_folder(self, resource: Resource) -> Iterator[Resource]:
        """Yield the failures of the folder of a new title."""
        folder = resource.get("rootFolderPath") or ""
        if resource.get("path"):
            return
        if not folder:
            message = "'Root Folder Path' must not be empty."
            yield failure("RootFolderPath", message, folder, "NotEmptyValidator")
        elif not folder.startswith("/"):
            yield failure("RootFolderPath", "Invalid Path", folder, "PathValidator")
        elif folder.rstrip("/") not in self.root_folders:
            message = f"Root folder '{folder}' does not exist"
            yield failure("RootFolderPath", message, folder, "RootFolderExistsValidator")

    @web.middleware
    async def _require_key(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/api/") and request.headers.get("X-Api-Key") != self._api_key:
            return web.Response(status=401)
        return await handler(request)

    @web.middleware
    async def _errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RejectedError as error:
            return web.json_response(list(error.failures), status=400)

    async def _status(self, _request: web.Request) -> web.Response:
        status = {"version": self.version, "isProduction": True, "urlBase": "", "branch": "main"}
        if self.names_itself:
            status |= {"appName": self.program, "instanceName": self.program}
        return web.json_response(status)

    async def _list_profiles(self, _request: web.Request) -> web.Response:
        profiles = [{"id": id_, "name": name, "items": []} for id_, name in PROFILES.items()]
        return web.json_response(profiles)

    async def _list_root_folders(self, _request: web.Request) -> web.Response:
        folders = [
            {"id": id_, "path": path, "accessible": True, "freeSpace": 2 * 10**12}
            for id_, path in enumerate(self.root_folders, 1)
        ]
        return web.json_response([{**each, "unmappedFolders": []} for each in folders])

    async def _list_tags(self, _request: web.Request) -> web.Response:
        tags = sorted(self.tags.items(), key=lambda tag: tag[1])
        return web.json_response([{"id": id_, "label": label} for id_, label in tags])

    async def _add_tag(self, request: web.Request) -> web.Response:
        label = str((await body_of(request)).get("label") or "").lower()
        if not re.fullmatch("[a-z0-9-]+", label):
            message = "Allowed characters a-z, 0-9 and -"
            code = "RegularExpressionValidator"
            raise RejectedError(failure("Label", message, label, code))
        found = next((id_ for id_, known in self.tags.items() if known == label), None)
        if found is None:
            found = len(self.tags) + 1
            self.tags[found] = label
        return web.json_response({"id": found, "label": label}, status=201)

    async def _list_commands(self, _request: web.Request) -> web.Response:
        return web.json_response(self.commands)

    async def _add_command(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        name = str(body.pop("name", ""))
        if name not in self.known_commands:
            return message_response("Sequence contains no matching element", 500)
        return web.json_response(self.record_command(name, "manual", body), status=201)


async def body_of(request: web.Request) -> Resource:
    """Return the object in a body; answers 400 and 415 as ASP.NET does."""
    is_api = request.path.startswith("/api/")
    if is_api and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(
            text='{"title": "One or more validation errors occurred.", "status": 400}',
            content_type="application/problem+json",
        )
    return body


def message_response(message: str, status: int) -> web.Response:
    """Return an error that is not the validators'."""
    return web.json_response({"message": message, "description": message}, status=status)


def id_of(text: str | None) -> int | None:
    """Return the number in a path or query, None for another text."""
    return int(text) if text and _ID.fullmatch(text) else None


def slug_of(title: str) -> str:
    """Return a title as the servers have it in addresses and folders."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", ascii_title.lower()).strip("-")


def timestamp() -> str:
    """Return the present time as .NET writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def applied(defaults: Mapping[str, Callable[[], Any]], body: Resource) -> Resource:
    """Return the fields that a PUT replaces: one that is missing gets .NET's default."""
    return {
        name: default() if body.get(name) is None else body[name]
        for name, default in defaults.items()
    }
