"""What is audited."""

from enum import StrEnum


class Action(StrEnum):
    """The actions that the audit log knows."""

    SIGN_IN = "auth.sign_in"
    SIGN_OUT = "auth.sign_out"
    USER_CREATED = "user.created"
    REQUEST_CREATED = "request.created"
    REQUEST_APPROVED = "request.approved"
    REQUEST_DECLINED = "request.declined"
