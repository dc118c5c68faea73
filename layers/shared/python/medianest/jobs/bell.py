"""The bell: a message in SQS that says only that jobs may be due (docs/adr/0027).

A bell that gets lost delays its jobs until the next sweep, so no failure here reaches a caller.
SQS delays a message by 15 minutes at most. A bell for a later time carries `notBefore`, and the
worker passes it on until then, without a look at the database.
"""

from __future__ import annotations

import json
import math
import time
from functools import cache
from typing import Any, NamedTuple
from uuid import uuid4

from medianest.core.cache import shared_cache
from medianest.core.db import database
from medianest.core.environment import environment
from medianest.core.observability import count, logger

CONNECT_SECONDS = 0.3
READ_SECONDS = 0.5
MAX_DELAY_SECONDS = 900
# A bell that rings so little earlier than wanted counts as early enough.
_SLACK_SECONDS = 1
_KEY = "bell:next"
# KEYS: the earliest delayed bell on its way, as `TIME ID`. ARGV: the time and the id of this one,
# the milliseconds until then, the slack. Returns 1 when this one is to be sent. Among bells
# that are passed on, only the one in the key goes on, so their number does not grow.
_CLAIM = """
local current = redis.call('GET', KEYS[1])
if current then
  local at, id = string.match(current, '^(%S+) (%S+)$')
  if id ~= ARGV[2] and tonumber(at) <= tonumber(ARGV[1]) + tonumber(ARGV[4]) then return {0} end
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return {1}
"""
_RELEASE = """
local current = redis.call('GET', KEYS[1])
if current and string.match(current, ' (%S+)$') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return {0}
"""


class Bell(NamedTuple):
    """A delayed bell: the time at which jobs are due, and what tells it from others."""

    not_before: float
    id: str

    @property
    def is_early(self) -> bool:
        """Return whether its time is still to come."""
        return self.not_before > time.time()


def parse(body: str) -> Bell | None:
    """Return the delayed bell in a message; None for one that rings now, as any unknown text."""
    try:
        bell = json.loads(body)
        return Bell(float(bell["notBefore"]), str(bell["id"]))
    except (ValueError, TypeError, KeyError):
        return None


def ring() -> None:
    """Ring now; call it after the commit, once for a request. Without a queue there is no bell."""
    _send({}, 0)


def ring_in(seconds: float) -> None:
    """Ring in that many seconds, unless an earlier bell is on its way.

    Raises AppError if a service without a cache cannot reach its database.
    """
    if seconds <= 0:
        ring()
        return
    if shared_cache().exists or environment().bell_queue_url is None:
        pass_on(Bell(time.time() + seconds, uuid4().hex))
        return
    # The caller has just used the database, so it is awake. On its way, a bell does not look at it.
    from medianest.jobs import repository

    with database().transaction() as connection:
        is_next = repository.claim_bell(connection, seconds, slack=_SLACK_SECONDS)
    if is_next and not pass_on(Bell(time.time() + seconds, uuid4().hex)):
        with database().transaction() as connection:
            repository.release_bell(connection)


def pass_on(bell: Bell) -> bool:
    """Send a delayed bell, for the first time or again, unless an earlier one is on its way.

    Returns False when the queue did not take it.
    """
    if environment().bell_queue_url is None:
        return True
    seconds = max(bell.not_before - time.time(), 0)
    milliseconds = math.ceil(seconds * 1000) + 1
    arguments: list[str | int] = [f"{bell.not_before:.3f}", bell.id, milliseconds, _SLACK_SECONDS]
    # While the cache is down each bell goes on; one too many finds nothing to do.
    if shared_cache().run(_CLAIM, [_KEY], arguments) == [0]:
        return True
    body = {"notBefore": bell.not_before, "id": bell.id}
    if _send(body, min(math.ceil(seconds), MAX_DELAY_SECONDS)):
        return True
    shared_cache().run(_RELEASE, [_KEY], [bell.id])
    return False


def _send(body: dict[str, Any], delay: int) -> bool:
    """Send a message; return whether the queue has it."""
    queue = environment().bell_queue_url
    if queue is None:
        return False
    try:
        _client().send_message(QueueUrl=queue, MessageBody=json.dumps(body), DelaySeconds=delay)
    except Exception as error:  # noqa: BLE001 - the jobs are committed; the sweep finds them
        count("BellFailed")
        # The message of AWS contains principals and resources, so only type and code are logged.
        answer = getattr(error, "response", {}).get("Error", {})
        logger.warning(
            "bell_failed", extra={"cause": type(error).__name__, "code": answer.get("Code")}
        )
        return False
    return True


@cache
def _client() -> Any:
    # Lambda provides boto3, whose import takes 0.1 s: only a function that rings needs it.
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": 1},
    )
    return boto3.client("sqs", config=config)
