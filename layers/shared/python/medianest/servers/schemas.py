"""API models of servers."""

import re
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from medianest.core.envelope import RequestModel, ResponseModel, Timestamp
from medianest.core.examples import SERVER_ID, Examples
from medianest.core.text import clean_name
from medianest.servers.models import Kind, Server, State
from medianest.servers.stored_schemas import HandoverOptions

# Those of the call itself, and those by which a proxy finds its target.
_RESERVED_HEADERS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "expect", "host"}
    | {"keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "x-api-key"}
)


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name) or name.lower() in _RESERVED_HEADERS:
            raise ValueError("Must have names of letters, digits and -, none of the call itself")
        if not re.fullmatch(r"[!-~]([ -~]{0,998}[!-~])?", value):
            raise ValueError("Must have values of ASCII characters, with spaces only inside")
    return headers


type ServerName = Annotated[str, BeforeValidator(clean_name), Field(min_length=1, max_length=60)]
type BaseUrl = Annotated[str, Field(min_length=1, max_length=500)]
type ApiKey = Annotated[str, Field(min_length=8, max_length=200, pattern=r"^[!-~]+$")]
type Headers = Annotated[dict[str, str], Field(max_length=5), AfterValidator(_checked_headers)]


class ServerIn(RequestModel):
    """A new server."""

    EXAMPLES: ClassVar[Examples] = {
        "a Radarr": {
            "kind": "radarr",
            "name": "Films",
            "baseUrl": "https://radarr.example.org",
            "apiKey": "0123456789abcdef0123456789ab9f3c",
            "isDefault": True,
        },
        "behind Cloudflare Access": {
            "kind": "sonarr",
            "name": "Shows",
            "baseUrl": "https://sonarr.example.org",
            "apiKey": "0123456789abcdef0123456789ab9f3c",
            "headers": {"CF-Access-Client-Id": "a1b2.access", "CF-Access-Client-Secret": "c3d4"},
            "options": {"qualityProfileId": 4, "rootFolderPath": "/data/shows"},
        },
    }

    kind: Kind = Field(description="`radarr` takes films, `sonarr` shows")
    name: ServerName = Field(description="Unique name")
    base_url: BaseUrl = Field(
        description="Address of the server, with its path but without `/api`: HTTPS, a public"
        " address, port 443 or from 1024"
    )
    api_key: ApiKey = Field(description="API key of the server; no response shows it")
    headers: Headers = Field(
        default_factory=dict,
        description="Extra headers of each call, such as those of Cloudflare Access; no response"
        " shows their values",
    )
    is_default: bool = Field(
        default=False,
        description="Whether titles without a rule go here; the previous default of the kind ends",
    )
    enabled: bool = Field(default=True, description="Whether titles may go here")
    options: HandoverOptions = Field(
        default=HandoverOptions(), description="Options of each hand-over"
    )


class ServerChangeIn(RequestModel):
    """A change of a server; absent fields stay, except for the secret of another address."""

    EXAMPLES: ClassVar[Examples] = {
        "make it the default": {"isDefault": True},
        "move it": {
            "baseUrl": "https://films.example.org",
            "apiKey": "0123456789abcdef0123456789ab9f3c",
        },
    }

    name: ServerName | None = Field(default=None, description="Unique name")
    base_url: BaseUrl | None = Field(
        default=None,
        description="Another address removes key and headers, unless `apiKey` comes with it",
    )
    api_key: ApiKey | None = Field(default=None, description="New API key")
    headers: Headers | None = Field(
        default=None, description="New headers, which replace all of the present ones"
    )
    is_default: bool | None = Field(
        default=None, description="Whether titles without a rule go here"
    )
    enabled: bool | None = Field(default=None, description="Whether titles may go here")
    options: HandoverOptions | None = Field(
        default=None, description="New options, which replace all of the present ones"
    )


class ServerErrorOut(ResponseModel):
    """The failure that put a server in its state."""

    code: str = Field(description="Code of the failure")
    message: str = Field(description="The failure in a sentence")


class ServerOut(ResponseModel):
    """A server. Its API key and its headers cannot be read, only recognised."""

    EXAMPLES: ClassVar[Examples] = {
        "a Radarr": {
            "id": SERVER_ID,
            "kind": "radarr",
            "name": "Films",
            "baseUrl": "https://radarr.example.org",
            "hasKey": True,
            "keyLast4": "9f3c",
            "headerNames": ["CF-Access-Client-Id", "CF-Access-Client-Secret"],
            "isDefault": True,
            "enabled": True,
            "options": {"qualityProfileId": 4, "rootFolderPath": "/data/movies"},
            "state": "ok",
            "stateAt": "2026-01-02T18:30:00.000Z",
            "version": "5.14.0.9383",
            "createdAt": "2026-01-02T18:30:00.000Z",
            "updatedAt": "2026-01-02T18:30:00.000Z",
        }
    }

    id: UUID = Field(description="Id of the server")
    kind: Kind = Field(description="`radarr` takes films, `sonarr` shows")
    name: str = Field(description="Unique name")
    base_url: str = Field(description="Address of the server, without `/api`")
    has_key: bool = Field(description="Whether an API key is stored")
    key_last4: str | None = Field(
        default=None, alias="keyLast4", description="The last four characters of the API key"
    )
    header_names: list[str] = Field(description="Names of the extra headers of each call")
    is_default: bool = Field(description="Whether titles without a rule go here")
    enabled: bool = Field(description="Whether titles may go here")
    options: dict[str, Any] = Field(description="Options of each hand-over")
    state: State = Field(
        description="`unknown` until the first call, `ok`, `unreachable` (it is tried again), or"
        " `misconfigured` (jobs wait for a change or a successful test)"
    )
    state_at: Timestamp = Field(description="Time of the last change of `state`")
    retry_at: Timestamp | None = Field(
        default=None, description="Time of the next call, while the server is unreachable"
    )
    error: ServerErrorOut | None = Field(default=None, description="The reason for `state`")
    version: str | None = Field(default=None, description="Version that the server reports")
    created_at: Timestamp = Field(description="Time of creation")
    updated_at: Timestamp = Field(
        description="Time of the last change, or successful test, by an admin"
    )

    @classmethod
    def of(cls, server: Server) -> Self:
        """Return what admins see of a server."""
        hint = server.secret_hint or {}
        return cls(
            id=server.id,
            kind=server.kind,
            name=server.name,
            base_url=server.base_url,
            has_key=server.secret_hint is not None,
            key_last4=hint.get("last4"),
            header_names=hint.get("headers", []),
            is_default=server.is_default,
            enabled=server.enabled,
            options=server.options,
            state=server.state,
            state_at=server.state_at,
            retry_at=server.open_until,
            error=server.last_error and ServerErrorOut.model_validate(server.last_error),
            version=(server.inventory or {}).get("version"),
            created_at=server.created_at,
            updated_at=server.updated_at,
        )
