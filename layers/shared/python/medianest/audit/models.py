"""What is audited."""

from enum import StrEnum


class Action(StrEnum):
    """The actions that the audit log knows."""

    SIGN_IN = "auth.sign_in"
    SIGN_IN_FAILED = "auth.sign_in_failed"
    SIGN_OUT = "auth.sign_out"
    PASSWORD_CHANGED = "auth.password_changed"  # noqa: S105
    PASSWORD_FAILED = "auth.password_failed"  # noqa: S105
    SESSION_REFRESHED = "session.refreshed"
    SESSION_REVOKED = "session.revoked"
    ACCESS_DENIED = "access.denied"
    USER_CREATED = "user.created"
    LIMIT_EXCEEDED = "limit.exceeded"
    USER_CHANGED = "user.changed"
    REQUEST_CREATED = "request.created"
    REQUEST_APPROVED = "request.approved"
    REQUEST_DECLINED = "request.declined"
