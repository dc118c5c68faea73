"""Rows of `download_servers`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

type Kind = Literal["radarr", "sonarr"]
type State = Literal["unknown", "ok", "unreachable", "misconfigured"]


@dataclass(frozen=True, slots=True)
class Server:
    """A Radarr or Sonarr, without its secret; `secret_hint` is what admins see of that."""

    id: UUID
    kind: Kind
    name: str
    base_url: str
    secret_hint: dict[str, Any] | None
    is_default: bool
    enabled: bool
    options: dict[str, Any]
    inventory: dict[str, Any] | None
    inventory_at: datetime | None
    state: State
    state_at: datetime
    failures: int
    open_until: datetime | None
    last_error: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
