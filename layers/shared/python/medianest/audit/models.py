"""The audited actions, and the rows of the audit log."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID


class Action(StrEnum):
    """The actions in the audit log."""

    SIGN_IN = "auth.sign_in"
    SIGN_IN_FAILED = "auth.sign_in_failed"
    SIGN_OUT = "auth.sign_out"
    PASSWORD_CHANGED = "auth.password_changed"
    PASSWORD_FAILED = "auth.password_failed"
    SESSION_REFRESHED = "session.refreshed"
    SESSION_REVOKED = "session.revoked"
    ACCESS_DENIED = "access.denied"
    USER_CREATED = "user.created"
    LIMIT_EXCEEDED = "limit.exceeded"
    USER_CHANGED = "user.changed"
    USER_DELETED = "user.deleted"
    REQUEST_CREATED = "request.created"
    REQUEST_APPROVED = "request.approved"
    REQUEST_DECLINED = "request.declined"
    REQUEST_CANCELLED = "request.cancelled"
    REQUEST_RETRIED = "request.retried"
    REQUEST_WITHDRAWN = "request.withdrawn"
    FULFILMENT_ADOPTED = "fulfilment.adopted"
    JOB_RETRIED = "job.retried"
    JOB_CANCELLED = "job.cancelled"
    CONFIG_CHANGED = "config.changed"
    SERVER_CREATED = "server.created"
    SERVER_CHANGED = "server.changed"
    SERVER_DELETED = "server.deleted"
    SERVER_TESTED = "server.tested"
    ROUTING_RULES_CHANGED = "routing_rules.changed"


class AuditRow(NamedTuple):
    """A row of `audit_logs`; `user_id` is None when the actor is unknown or deleted.

    The names are those of now, None once actor or target are gone.
    """

    id: UUID
    user_id: UUID | None
    action: str
    target_type: str | None
    target_id: str | None
    details: dict[str, Any]
    request_id: str
    ip: str
    user_agent: str
    created_at: datetime
    user_name: str | None
    target_name: str | None
