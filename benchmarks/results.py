"""The figures of a run, and the form in which they are kept."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.sandbox import Cost

REFERENCE = "hello"
BARE = "bare"
REFERENCES = (BARE, "powertools", REFERENCE)


@dataclass(frozen=True, slots=True)
class Cold:
    """The medians of the cold starts of a function, in seconds."""

    init: Cost
    first: Cost
    rss: float

    @property
    def cpu(self) -> float:
        """Return the processor time until the first response."""
        return self.init.cpu + self.first.cpu


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
        """Return the processor time until the first response, as a ratio to the reference's."""
        return self.cold[name].cpu / self.cold[REFERENCE].cpu

    def init_only_ratio(self, name: str) -> float:
        """Return the processor time of the init alone, as a ratio to the reference's."""
        return self.cold[name].init.cpu / self.cold[REFERENCE].init.cpu

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


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}
