"""The origin of a call, as the rules see it: no HTTP in here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from, as API Gateway saw it: what the audit log keeps."""

    request_id: str
    ip: str
    user_agent: str
