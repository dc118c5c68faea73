"""The origin of a call, independent of the web framework."""

from typing import NamedTuple


class Caller(NamedTuple):
    """The origin of a call, as API Gateway reports it."""

    request_id: str
    ip: str
    user_agent: str
