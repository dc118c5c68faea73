"""The origin of a call, independent of the web framework."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The origin of a call, as API Gateway reports it."""

    request_id: str
    ip: str
    user_agent: str
