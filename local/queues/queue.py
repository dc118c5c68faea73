"""The messages of the queues of a template."""

import asyncio
import hashlib
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from local.template.models import Queue


@dataclass(slots=True)
class Message:
    """A message; it is hidden until `visible_at`, and its receipt changes with each receive."""

    body: str
    visible_at: float
    expires_at: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent_at: float = field(default_factory=time.time)
    first_received_at: float | None = None
    receives: int = 0
    receipt: str = ""

    @property
    def body_md5(self) -> str:
        """Return the digest with which a client checks the body."""
        return hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest()

    @property
    def system_attributes(self) -> dict[str, str]:
        """Return the attributes that SQS itself sets."""
        first = self.sent_at if self.first_received_at is None else self.first_received_at
        return {
            "ApproximateFirstReceiveTimestamp": str(int(first * 1000)),
            "ApproximateReceiveCount": str(self.receives),
            "SenderId": "local",
            "SentTimestamp": str(int(self.sent_at * 1000)),
        }


class MessageQueue:
    """A queue in memory; a restart of the service empties it, as the sweep allows."""

    def __init__(self, settings: Queue) -> None:
        self.settings = settings
        self.dead_letters: MessageQueue | None = None
        self._messages: list[Message] = []
        self._sent = asyncio.Event()

    @classmethod
    def of_template(cls, settings: Mapping[str, Queue]) -> dict[str, Self]:
        """Return the queues by name, each with its dead letters."""
        queues = {name: cls(each) for name, each in settings.items()}
        for queue in queues.values():
            if queue.settings.dead_letters is not None:
                queue.dead_letters = queues[queue.settings.dead_letters]
        return queues

    def send(self, body: str, *, delay: int | None = None) -> Message:
        """Add a message, hidden for `delay` seconds or else for the delay of the queue."""
        now = time.monotonic()
        hidden = self.settings.delay if delay is None else delay
        message = Message(body, now + hidden, now + self.settings.retention)
        self._messages.append(message)
        self._sent.set()
        return message

    def receive(self, limit: int, *, visibility: int | None = None) -> list[Message]:
        """Return up to `limit` visible messages, and hide each until its visibility time-out.

        A message that was received too often goes to the dead letters instead.
        """
        now = time.monotonic()
        self._messages = [each for each in self._messages if each.expires_at > now]
        received: list[Message] = []
        for message in [each for each in self._messages if each.visible_at <= now]:
            if len(received) == limit:
                break
            if self.dead_letters is not None and message.receives >= self.settings.max_receives:
                self._messages.remove(message)
                self.dead_letters.adopt(message)
                continue
            hidden = self.settings.visibility if visibility is None else visibility
            message.visible_at = now + hidden
            message.receives += 1
            message.receipt = str(uuid.uuid4())
            message.first_received_at = message.first_received_at or time.time()
            received.append(message)
        return received

    def adopt(self, message: Message) -> None:
        """Take over a dead message of another queue."""
        message.expires_at = time.monotonic() + self.settings.retention
        self._messages.append(message)
        self._sent.set()

    def delete(self, receipt: str) -> None:
        """Delete a message by its newest receipt; like SQS, ignore an older one."""
        self._messages = [each for each in self._messages if each.receipt != receipt]

    async def wait(self) -> None:
        """Return when a message may be visible: a waiting one becomes it, or a new one is sent."""
        self._sent.clear()
        if not self._messages:
            await self._sent.wait()
            return
        first = min(each.visible_at for each in self._messages)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, first - time.monotonic())):
                await self._sent.wait()

    def __len__(self) -> int:
        """Return the number of messages, visible or not."""
        return len(self._messages)
