"""The figures of a run, and the form in which they are kept."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.sandbox import Cost

REFERENCE = "hello"
BARE = "bare"
REFERENCES = (BARE, "powertools", REFERENCE)


@dataclass(frozen=True, slots=True)
class Start:
    """A cold start and its first call, in seconds, and the memory after it, in MB."""

    init: Cost
    first: Cost
    rss: float

    @property
    def cpu(self) -> float:
        """Return the processor time until the first response."""
        return self.init.cpu + self.first.cpu


@dataclass(frozen=True, slots=True)
class Cold:
    """The cold starts of a function, one in each round; the properties are their medians."""

    starts: Sequence[Start]

    @property
    def init(self) -> Cost:
        """Return the cost of the init."""
        return _median(each.init for each in self.starts)

    @property
    def first(self) -> Cost:
        """Return the cost of the first call."""
        return _median(each.first for each in self.starts)

    @property
    def cpu(self) -> float:
        """Return the processor time until the first response."""
        return median(each.cpu for each in self.starts)

    @property
    def rss(self) -> float:
        """Return the memory after the first call, in MB."""
        return median(each.rss for each in self.starts)


@dataclass(frozen=True, slots=True)
class Warm:
    """The warm calls of a route or a reference, in seconds."""

    cpu: Sequence[float]
    wall: Sequence[float]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: the p95 of its Duration with few and with many rows, in seconds."""

    small: float
    large: float

    @property
    def ratio(self) -> float:
        """Return how many times slower it is with many rows."""
        return self.large / self.small


@dataclass
class Results:
    """The figures of a run; a part that was not run is empty."""

    cold: dict[str, Cold] = field(default_factory=dict)
    warm: dict[str, Warm] = field(default_factory=dict)
    sql: dict[str, int] = field(default_factory=dict)
    cache_trips: dict[str, int] = field(default_factory=dict)
    growth: dict[str, Page] = field(default_factory=dict)
    rss: dict[str, float] = field(default_factory=dict)
    layers_mb: float = 0.0
    profiles: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def functions(self) -> dict[str, Cold]:
        """Return the cold starts without those of the references."""
        return {name: each for name, each in self.cold.items() if name not in REFERENCES}

    @property
    def routes(self) -> dict[str, Warm]:
        """Return the warm calls without those of the reference."""
        return {name: each for name, each in self.warm.items() if name not in REFERENCES}

    def init_ratio(self, name: str) -> float:
        """Return the processor time until the first response, as a ratio to the reference's.

        The median of the rounds' ratios: a machine's speed changes between rounds.
        """
        return self._cold_ratio(name, lambda start: start.cpu)

    def init_only_ratio(self, name: str) -> float:
        """Return the same ratio of the init alone."""
        return self._cold_ratio(name, lambda start: start.init.cpu)

    def _cold_ratio(self, name: str, cpu: Callable[[Start], float]) -> float:
        rounds = zip(self.cold[name].starts, self.cold[REFERENCE].starts, strict=True)
        return median(cpu(each) / cpu(reference) for each, reference in rounds)

    def warm_ratio(self, name: str) -> float:
        """Return the processor time of a call, as a ratio to the reference's.

        Both are medians above that of a bare handler: the runtime client costs the same for every
        function, and would hide the differences.
        """
        bare = median(self.warm[BARE].cpu)
        reference = median(self.warm[REFERENCE].cpu)
        return (median(self.warm[name].cpu) - bare) / (reference - bare)

    def process_ratio(self, name: str) -> float:
        """Return the same ratio with the cost of the runtime client in both."""
        return median(self.warm[name].cpu) / median(self.warm[REFERENCE].cpu)

    def to_json(self) -> dict[str, object]:
        """Return the content of benchmarks/latest.json."""
        return {
            "init_ratio": _rounded({name: self.init_ratio(name) for name in self.functions}),
            "warm_ratio": _rounded({name: self.warm_ratio(name) for name in self.routes}),
            "sql": self.sql,
            "cache_trips": self.cache_trips,
            "growth_ratio": _rounded({name: each.ratio for name, each in self.growth.items()}),
            "growth_p95_ms": _rounded(
                {name: each.large * 1000 for name, each in self.growth.items()}
            ),
            "layers_mb": round(self.layers_mb, 2),
            "rss_mb": _rounded(self.rss),
        }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def _median(costs: Iterable[Cost]) -> Cost:
    cpu, wall = zip(*((each.cpu, each.wall) for each in costs), strict=True)
    return Cost(median(cpu), median(wall))


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}
