"""Who calls and from where, as the rules know it: no HTTP in here."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

type Role = Literal["admin", "user"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from, as API Gateway saw it: what the audit log keeps."""

    request_id: str
    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user and the session that says so; `by_cookie` how the session was named."""

    user_id: UUID
    session_id: UUID
    role: Role
    by_cookie: bool = False
