"""API models of request quotas."""

from typing import ClassVar

from pydantic import Field

from medianest.core.envelope import ResponseModel, Timestamp
from medianest.core.examples import Examples
from medianest.users.models import QuotaKind


class QuotaExceededOut(ResponseModel):
    """A quota that a request would exceed."""

    EXAMPLES: ClassVar[Examples] = {
        "films": {
            "quota": "movies",
            "limit": 5,
            "used": 5,
            "requested": 1,
            "remaining": 0,
            "resetsAt": "2026-01-12T20:15:30.120Z",
        }
    }

    quota: QuotaKind = Field(description="The quota: films are counted by request, shows by season")
    limit: int = Field(description="Number of films or seasons that the quota allows")
    used: int = Field(description="Number that currently counts against the quota")
    requested: int = Field(description="Number that this call requests")
    remaining: int = Field(description="Number that currently remains")
    resets_at: Timestamp | None = Field(
        default=None,
        description="Time when this request would fit or, if it alone exceeds the limit,"
        " when the whole limit is free; absent if waiting does not help",
    )


class QuotaOut(ResponseModel):
    """A quota and its use."""

    limit: int = Field(description="Number of films or seasons that the quota allows")
    used: int = Field(
        description="Number that currently counts against the quota; more than `limit` if the quota"
        " became smaller"
    )
    days: int = Field(description="Number of days that the quota covers")
    resets_at: Timestamp | None = Field(
        default=None,
        description="Time when one more can be requested; absent if one can now, or if waiting does"
        " not help",
    )


class AutoApproveOut(ResponseModel):
    """The requests of the caller that are approved automatically."""

    movie: bool = Field(description="Whether requests for films are")
    tv: bool = Field(description="Whether requests for shows are")


class QuotasOut(ResponseModel):
    """The caller's quotas; without one, the number is not limited."""

    EXAMPLES: ClassVar[Examples] = {
        "one left": {
            "movies": {"limit": 5, "used": 4, "days": 7},
            "seasons": {
                "limit": 10,
                "used": 10,
                "days": 30,
                "resetsAt": "2026-01-12T20:15:30.120Z",
            },
            "autoApprove": {"movie": False, "tv": False},
        },
        "no quotas": {"autoApprove": {"movie": True, "tv": False}},
    }

    movies: QuotaOut | None = Field(default=None, description="Quota of films")
    seasons: QuotaOut | None = Field(default=None, description="Quota of seasons of shows")
    auto_approve: AutoApproveOut
