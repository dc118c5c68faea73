"""API models of routing rules, of inventories and of tests."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import Field

from medianest.core.envelope import Id, RequestModel, ResponseModel, Timestamp
from medianest.core.examples import SERVER_ID, Examples
from medianest.servers.models import MediaType
from medianest.servers.schemas import ServerErrorOut
from medianest.servers.stored_schemas import Conditions, HandoverOptions

MAX_RULES = 50
RULE_ID = "7be0c1d4-2f58-4a93-8d1e-90ab34cd56ef"
_RULE = {
    "mediaType": "tv",
    "conditions": {"genreIds": [16], "languages": ["ja"]},
    "serverId": SERVER_ID,
    "options": {"seriesType": "anime", "rootFolderPath": "/data/anime"},
}


class RuleIn(RequestModel):
    """A rule: titles of which all conditions hold go to the server, with these options."""

    media_type: MediaType = Field(description="`movie` for a Radarr, `tv` for a Sonarr")
    conditions: Conditions = Field(
        default=Conditions(), description="Without any, the rule is for every title of its type"
    )
    server_id: Id = Field(description="Server that gets the titles")
    options: HandoverOptions = Field(
        default=HandoverOptions(), description="Options that replace those of the server"
    )


class RulesIn(RequestModel):
    """All rules in their order."""

    EXAMPLES: ClassVar[Examples] = {"anime": {"rules": [_RULE]}, "none": {"rules": []}}

    rules: Annotated[list[RuleIn], Field(max_length=MAX_RULES)] = Field(
        description="The first rule whose conditions all hold decides"
    )
    expected: Annotated[list[Id], Field(max_length=MAX_RULES)] | None = Field(
        default=None,
        description="Ids of the rules in their order when they were read: others are not replaced",
    )


class RuleOut(ResponseModel):
    """A routing rule."""

    EXAMPLES: ClassVar[Examples] = {"anime": {"id": RULE_ID, **_RULE}}

    id: UUID = Field(description="Id of the rule; a change of the list gives new ids")
    media_type: MediaType = Field(description="`movie` or `tv`")
    conditions: dict[str, Any] = Field(description="What must hold of a title")
    server_id: UUID = Field(description="Server that gets the titles")
    options: dict[str, Any] = Field(description="Options that replace those of the server")


class TestOut(ResponseModel):
    """The result of a test: how long the server took, or why it failed."""

    __test__ = False
    EXAMPLES: ClassVar[Examples] = {
        "success": {"ok": True, "version": "5.14.0.9383", "latencyMs": 212},
        "failure": {
            "ok": False,
            "error": {"code": "KEY_REJECTED", "message": "The server rejects the API key"},
        },
    }

    ok: bool = Field(description="Whether the server answered as its kind does")
    version: str | None = Field(default=None, description="Version that the server reports")
    latency_ms: int | None = Field(default=None, description="Milliseconds of the whole test")
    error: ServerErrorOut | None = Field(default=None, description="The first failure")


class ProfileOut(ResponseModel):
    """A quality profile."""

    id: int = Field(description="Id on the server, for `qualityProfileId`")
    name: str = Field(description="Name on the server")


class RootFolderOut(ResponseModel):
    """A folder for titles."""

    path: str = Field(description="Path on the server, for `rootFolderPath`")
    free_bytes: int | None = Field(default=None, description="Free bytes, if the server says so")
    accessible: bool = Field(description="Whether the server can write there")


class TagOut(ResponseModel):
    """A tag."""

    id: int = Field(description="Id on the server")
    label: str = Field(description="Label, for `tags`")


class InventoryOut(ResponseModel):
    """The values that the options of a server can have; empty until the first reading."""

    EXAMPLES: ClassVar[Examples] = {
        "of a Radarr": {
            "profiles": [{"id": 4, "name": "HD-1080p"}],
            "rootFolders": [{"path": "/movies", "freeBytes": 812000000000, "accessible": True}],
            "tags": [{"id": 1, "label": "medianest"}],
            "readAt": "2026-01-02T18:30:00.000Z",
        }
    }

    profiles: list[ProfileOut] = Field(default=[], description="Quality profiles")
    root_folders: list[RootFolderOut] = Field(default=[], description="Folders for titles")
    tags: list[TagOut] = Field(default=[], description="Tags")
    read_at: Timestamp | None = Field(default=None, description="Time when they were read")
