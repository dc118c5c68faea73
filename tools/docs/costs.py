"""What the two profiles cost: the tables in docs/operations.md, and docs/costs.svg.

To redo them for another region or another load, change the numbers here and run `make docs`.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from local.run_config import PROJECT

HOURS = 730  # of a month
SECONDS = HOURS * 3600
MILLION = 1_000_000

# The load: of each request, on average.
BUSY_SECONDS = 0.060
MEMORY_GB = 1.07  # one in ten is for auth, which has 1.73; the others have 1
LOG_BYTES = 1150
CACHE_UNITS = 10
OUTWARD_BYTES = 2000  # through the NAT, mostly between us and TMDB
# The share of requests for which an environment is started, and how long that takes.
STARTS, START_SECONDS = 0.005, 1.2
# Two environments live always, and so many more for each million requests of a month. Each reads
# three secrets every five minutes.
ENVIRONMENTS, MORE_ENVIRONMENTS = 2, 0.5
SECRETS_READ = 3 * 12 * HOURS
PEAK = 10  # times the average

ALARMS, FREE_ALARMS = 31, 10
METRICS = 6  # besides the ten of the cleanup, which are free
SNAPSHOTS_GB = 5.73  # what the five functions have as memory


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the bill: what it is, how much of it, and its price for so many requests."""

    resource: str
    amount: str
    dollars: Callable[[float], float]


def _month(price: float) -> Callable[[float], float]:
    return lambda _: price


def _hours(price: float) -> Callable[[float], float]:
    return _month(price * HOURS)


def _each(price: float) -> Callable[[float], float]:
    return lambda requests: price * requests


def _secret_calls(requests: float) -> float:
    environments = ENVIRONMENTS + MORE_ENVIRONMENTS * requests / MILLION
    return 0.05 / 10_000 * SECRETS_READ * environments


def _traces(requests: float) -> float:
    first = min(requests, SECONDS)
    return 5.00 / MILLION * (first + 0.05 * (requests - first))


# US dollars in us-east-1; docs/operations.md tells where the prices were read.
_BOTH_BY_THE_HOUR = (
    Item("`AWS::SecretsManager::Secret`", "five, 0.40 each", _month(5 * 0.40)),
    Item(
        "`AWS::CloudWatch::Alarm`",
        f"{ALARMS}, of which {FREE_ALARMS} are free, 0.10 each",
        _month((ALARMS - FREE_ALARMS) * 0.10),
    ),
)
HOBBY_BY_THE_HOUR = (
    Item("`Database`", "one db.t4g.micro, 0.016 an hour", _hours(0.016)),
    Item("", "20 GiB of its disk, 0.115 each", _month(20 * 0.115)),
    Item("`ServerlessCache`", "0.1 GB, 0.084 an hour and GB", _hours(0.1 * 0.084)),
    Item("`NatInstanceA`", "one t4g.nano, 0.0042 an hour", _hours(0.0042)),
    Item("", "its public IPv4 address, 0.005 an hour", _hours(0.005)),
    Item("", "8 GiB of its disk, 0.08 each", _month(8 * 0.08)),
    *_BOTH_BY_THE_HOUR,
)
SCALE_BY_THE_HOUR = (
    Item("`Database`", "db.t4g.medium with a standby (Multi-AZ), 0.13 an hour", _hours(0.13)),
    Item("", "50 GiB of disk, twice, 0.23 each", _month(50 * 0.23)),
    Item("`Proxy`", "the database's two processors, 0.015 an hour each", _hours(2 * 0.015)),
    Item("`CacheNodes`", "two cache.t4g.small, 0.0256 an hour each", _hours(2 * 0.0256)),
    Item("`NatGatewayA`, `NatGatewayB`", "0.045 an hour each", _hours(2 * 0.045)),
    Item("`NatAddressA`, `NatAddressB`", "0.005 an hour each", _hours(2 * 0.005)),
    Item("`WebAcl`", "5.00, and 1.00 for each of its three rules", _month(8.00)),
    Item(
        "SnapStart",
        f"{SNAPSHOTS_GB} GB of snapshots, 0.0000015046 a second and GB",
        _month(SNAPSHOTS_GB * SECONDS * 0.0000015046),
    ),
    Item("`FlowLog`", "about 1 GB of log, 0.50", _month(0.50)),
    *_BOTH_BY_THE_HOUR,
)
_BOTH_BY_USE = (
    Item("API Gateway", "3.50 a million", _each(3.50 / MILLION)),
    Item("Lambda, calls", "0.20 a million", _each(0.20 / MILLION)),
    Item(
        "Lambda, time",
        f"{BUSY_SECONDS * 1000:.0f} ms of {MEMORY_GB} GB, 0.0000133334 a second and GB",
        _each(BUSY_SECONDS * MEMORY_GB * 0.0000133334),
    ),
    Item("Logs", f"{LOG_BYTES} bytes, 0.50 a GB", _each(LOG_BYTES / 1e9 * 0.50)),
    Item(
        "Reading secrets", "three every five minutes and environment, 0.000005 each", _secret_calls
    ),
    Item(
        "Metrics of our own",
        f"{METRICS} besides ten free ones, 0.30 each",
        _month(METRICS * 0.30),
    ),
)
HOBBY_BY_USE = (
    *_BOTH_BY_USE,
    Item(
        "Lambda, starts",
        f"{STARTS:.1%} of the requests, {START_SECONDS} s each",
        _each(STARTS * START_SECONDS * MEMORY_GB * 0.0000133334),
    ),
    Item("Cache", f"{CACHE_UNITS} units, 0.0023 a million", _each(CACHE_UNITS * 0.0023 / MILLION)),
)
SCALE_BY_USE = (
    *_BOTH_BY_USE,
    Item(
        "SnapStart, starts",
        f"{STARTS:.1%} of the requests, 0.0001397998 a GB",
        _each(STARTS * MEMORY_GB * 0.0001397998),
    ),
    Item("WAF", "0.60 a million", _each(0.60 / MILLION)),
    Item("NAT gateway", f"{OUTWARD_BYTES} bytes, 0.045 a GB", _each(OUTWARD_BYTES / 1e9 * 0.045)),
    Item("X-Ray", "the first of a second and 5% of the others, 5.00 a million", _traces),
)
PROFILES = {
    "hobby": (*HOBBY_BY_THE_HOUR, *HOBBY_BY_USE),
    "scale": (*SCALE_BY_THE_HOUR, *SCALE_BY_USE),
}

_MARKED = re.compile(r"(<!-- costs:begin[^\n]*-->\n).*?(<!-- costs:end -->)", re.DOTALL)
_TABLES = """\
### Scale: what costs money by the hour

| resource | what is paid for | a month |
|---|---|---|
{rows}
| **all** | | **{total:.0f}** |

### What requests cost

For a million requests in a month; what a request is, on average, is [below](#assumptions).

| what | how much, at what price | `hobby` | `scale` |
|---|---|---|---|
{use}
| **all** | | **{hobby_use:.2f}** | **{scale_use:.2f}** |

### What it comes to

| requests a month | a second, on average | in the busiest minute | `hobby`, a month | `scale`, a month |
|---|---|---|---|---|
{sums}

![What the two profiles cost a month, from a hundred thousand to fifty million requests: hobby from {low:.0f} to {high:.0f} dollars,
scale from {scale_low:.0f} to {scale_high:.0f}](costs.svg)
"""
_LOADS = (0.1, 1, 5, 10, 20, 50)


def operations_page() -> str:
    """Return docs/operations.md with the tables between its marks made anew."""
    text = (PROJECT / "docs/operations.md").read_text(encoding="utf-8")
    return _MARKED.sub(lambda found: f"{found[1]}\n{_tables()}\n{found[2]}", text)


def cost(profile: str, requests: float) -> float:
    """Return the dollars of a month."""
    return _sum(PROFILES[profile], requests)


def _tables() -> str:
    return _TABLES.format(
        rows="\n".join(
            f"| {each.resource} | {each.amount} | {each.dollars(0):.2f} |"
            for each in SCALE_BY_THE_HOUR
        ),
        total=_sum(SCALE_BY_THE_HOUR, 0),
        use="\n".join(_use_rows()),
        hobby_use=_sum(HOBBY_BY_USE, MILLION),
        scale_use=_sum(SCALE_BY_USE, MILLION),
        sums="\n".join(_sum_rows()),
        low=cost("hobby", _LOADS[0] * MILLION),
        high=cost("hobby", _LOADS[-1] * MILLION),
        scale_low=cost("scale", _LOADS[0] * MILLION),
        scale_high=cost("scale", _LOADS[-1] * MILLION),
    )


def _use_rows() -> Iterator[str]:
    for each in dict.fromkeys((*HOBBY_BY_USE, *SCALE_BY_USE)):
        price = f"{each.dollars(MILLION):.2f}"
        hobby, scale = price if each in HOBBY_BY_USE else "", price if each in SCALE_BY_USE else ""
        yield f"| {each.resource} | {each.amount} | {hobby} | {scale} |"


def _sum_rows() -> Iterator[str]:
    for millions in _LOADS:
        requests = millions * MILLION
        second = requests / SECONDS
        yield (
            f"| {millions:g} million | {_rate(second)} | {_rate(second * PEAK)}"
            f" | {cost('hobby', requests):.0f} | {cost('scale', requests):.0f} |"
        )


def _rate(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1g}"  # noqa: PLR2004 - two digits


def _sum(items: Iterable[Item], requests: float) -> float:
    return sum(each.dollars(requests) for each in items)


# The figure: requests to the right, each tenfold as wide as the last; dollars upwards, evenly.
_WIDTH, _HEIGHT = 860, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 690, 50, 380
_FEWEST, _MOST, _DEAREST = _LOADS[0] * MILLION, _LOADS[-1] * MILLION, 700
_COLOURS = {"hobby": "#2f5fa8", "scale": "#b86e00"}
_TEXT, _GRID = "#3b4a5a", "#dfe5ea"
_FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


def costs_figure() -> str:
    """Return docs/costs.svg: dollars a month by requests a month, for both profiles."""
    title = "US dollars a month"
    parts = [
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="10" fill="#fbfcfd"/>',
        _text(_LEFT, 28, title, fill="#17202a", weight=600),
        _text(_RIGHT, _BOTTOM + 46, "requests a month", anchor="end"),
        *_grid(),
        *(part for profile in PROFILES for part in _curve(profile)),
    ]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"',
            f'     font-family="{_FONT}" font-size="14" role="img"',
            f'     aria-label="{title}, by requests and profile">',
            *(f"  {part}" for part in parts),
            "</svg>\n",
        )
    )


def _grid() -> Iterator[str]:
    for dollars in range(0, _DEAREST + 1, 100):
        y = _y(dollars)
        yield f'<path d="M{_LEFT} {y:.1f} H{_RIGHT}" stroke="{_GRID}"/>'
        yield _text(_LEFT - 10, y + 5, str(dollars), anchor="end")
    for millions in _LOADS:
        x = _x(millions * MILLION)
        yield f'<path d="M{x:.1f} {_TOP} V{_BOTTOM}" stroke="{_GRID}"/>'
        yield _text(x, _BOTTOM + 22, f"{millions:g} M", anchor="middle")


def _curve(profile: str) -> Iterator[str]:
    colour = _COLOURS[profile]
    steps = [_FEWEST * (_MOST / _FEWEST) ** (step / 60) for step in range(61)]
    points = " ".join(f"{_x(each):.1f},{_y(cost(profile, each)):.1f}" for each in steps)
    yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
    first, last = cost(profile, _FEWEST), cost(profile, _MOST)
    yield _text(_LEFT + 8, _y(first) - 9, f"{first:.0f}", fill=colour)
    yield _text(_RIGHT + 12, _y(last) + 5, f"{profile}: {last:.0f}", fill=colour, weight=600)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str = _TEXT, weight: int = 400
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{fill}" font-weight="{weight}">{text}</text>'


def _x(requests: float) -> float:
    share = math.log(requests / _FEWEST) / math.log(_MOST / _FEWEST)
    return _LEFT + share * (_RIGHT - _LEFT)


def _y(dollars: float) -> float:
    return _BOTTOM - dollars / _DEAREST * (_BOTTOM - _TOP)
