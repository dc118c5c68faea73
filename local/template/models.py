"""The parts of a template that are emulated: functions, routes, throttles, schedules, queues."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

type Headers = Mapping[str, str]
type OriginKind = Literal["page", "api", "images"]


@dataclass(frozen=True, slots=True)
class Layer:
    """A folder that a function can import from; `is_source` when it is edited in place."""

    id: str
    python: Path
    is_source: bool


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function; `concurrency` is the reserved one, or None."""

    id: str
    code: Path
    handler: str
    timeout: float
    memory: int
    concurrency: int | None
    layers: tuple[Layer, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mock:
    """A fixed response without a function, to requests of the media types in `accepts`."""

    accepts: frozenset[str]
    status: int
    headers: Headers
    body: str


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a path (`ANY` for every method that the path does not list) and its target."""

    path: str
    method: str
    target: str | Mock


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket: `rate` tokens per second, at most `burst`."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """A response of API Gateway itself; None means API Gateway's default."""

    status: int | None
    headers: Headers
    body: str | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function that EventBridge Scheduler invokes."""

    name: str
    function: str
    expression: str
    event: Any
    is_enabled: bool
    retries: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """A standard queue of SQS; times are in seconds.

    A message that was received `max_receives` times goes to the queue `dead_letters`.
    """

    name: str
    delay: int
    visibility: int
    retention: int
    dead_letters: str | None
    max_receives: int


@dataclass(frozen=True, slots=True)
class EventSource:
    """An event source mapping: passes the messages of a queue to a function, in batches.

    With `reports_failures` the function's response lists the messages that failed; without it an
    error fails the whole batch.
    """

    name: str
    function: str
    queue: str
    batch_size: int
    max_concurrency: int
    reports_failures: bool
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Behavior:
    """Serves the paths that match `pattern` from one origin.

    `function` names the CloudFront function that sees each request first.
    """

    pattern: str
    origin: OriginKind
    methods: frozenset[str]
    compresses: bool
    function: str | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Distribution:
    """A CloudFront distribution: the first behaviour that matches a path serves it."""

    behaviors: tuple[Behavior, ...]
    image_url: str


@dataclass(frozen=True, slots=True)
class Template:
    """The parts of template.yaml that are emulated."""

    stage: str
    compressed_from: int | None
    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    stage_throttle: Throttle | None
    method_throttles: Mapping[tuple[str, str], Throttle]
    gateway_responses: Mapping[str, GatewayResponse]
    schedules: Mapping[str, Schedule]
    distribution: Distribution | None = None
    queues: Mapping[str, Queue] = field(default_factory=dict)
    event_sources: tuple[EventSource, ...] = ()
