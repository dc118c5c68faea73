"""API models of settings: a setting with its value and bounds, and a new value."""

from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from medianest.core.envelope import RequestModel, ResponseModel, Timestamp
from medianest.core.examples import ADMIN_ID, Examples


def _integer(name: str, minimum: int, maximum: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": "integer",
        "minimum": minimum,
        "maximum": maximum,
        "nullable": False,
    }


class SettingIn(RequestModel):
    """A new value of a setting."""

    EXAMPLES: ClassVar[Examples] = {
        "a rate limit": {"value": {"limit": 60, "window": 60}},
        "only if nobody else changed it": {
            "value": {"limit": 60, "window": 60},
            "expected": {"limit": 30, "window": 60},
        },
    }

    value: dict[str, Any] = Field(description="New value; its fields depend on the key")
    expected: dict[str, Any] | None = Field(
        default=None,
        description="Value that the setting had when it was read: another one is not overwritten",
    )


class SettingField(ResponseModel):
    """A field of a setting's value."""

    name: str = Field(description="Name of the field, with a dot before that of a nested one")
    type: Literal["boolean", "integer", "string"] = Field(description="Type of its value")
    minimum: int | None = Field(default=None, description="Least number, or least length")
    maximum: int | None = Field(default=None, description="Greatest number, or greatest length")
    nullable: bool = Field(description="Whether `null` is allowed")


class SettingOut(ResponseModel):
    """A setting."""

    EXAMPLES: ClassVar[Examples] = {
        "changed": {
            "key": "rateLimit.search",
            "value": {"limit": 60, "window": 60},
            "default": {"limit": 30, "window": 60},
            "updatedAt": "2026-01-06T08:00:00.000Z",
            "updatedBy": ADMIN_ID,
            "updatedByName": "alice",
            "fields": [
                _integer("limit", 5, 1000),
                _integer("window", 1, 86_400),
            ],
        },
        "default": {
            "key": "audit.retention",
            "value": {"days": 365},
            "default": {"days": 365},
            "fields": [_integer("days", 90, 3650)],
        },
    }

    key: str = Field(description="Name of the setting")
    value: dict[str, Any] = Field(description="Current value; its fields depend on the key")
    default: dict[str, Any] = Field(description="Value that applies until an admin changes it")
    updated_at: Timestamp | None = Field(
        default=None, description="Time of the last change; absent while the default applies"
    )
    updated_by: UUID | None = Field(
        default=None, description="Id of the admin who made the last change"
    )
    updated_by_name: str | None = Field(
        default=None, description="Name of the admin who made the last change"
    )
    fields: list[SettingField] = Field(description="The fields of the value, with their bounds")
