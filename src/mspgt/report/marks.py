"""The vocabulary of every chart: marks in data coordinates, each with a role, on axes that are declared once.

A chart is a list of marks. `svg.py` draws it for the page (`fluid.py` what is as wide as its container), and
`paper.py` for a paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log, log10

from matplotlib.ticker import LogLocator, MaxNLocator

from mspgt.report.words import number

Point = tuple[float, float]
Ends = tuple[float, float]
Tick = tuple[float, str]

LOG_RANGE = 30  # largest over smallest value from which an axis is logarithmic


@dataclass(frozen=True)
class Axis:
    """One axis: its name, its ends, and what is told on it.

    `low` stands to the left or at the bottom; it is the greater where rows are counted from the top.
    """

    label: str
    low: float
    high: float
    ticks: tuple[Tick, ...] = ()
    log: bool = False
    grid: bool = False  # a line through the drawing from every tick
    groups: tuple[Tick, ...] = ()  # names of several ticks together, below theirs
    line: bool = True  # whether the axis itself is drawn

    def share(self, value: float) -> float:
        """How far from `low` (0) to `high` (1) a value lies; past them where it is outside."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        # A clipped curve may hold what a logarithm cannot; it leaves the drawing either way.
        return log(max(value, 1e-9 * self.low) / self.low) / log(self.high / self.low)

    def inside(self, value: float) -> float:
        """The nearest value that the axis has."""
        least, most = sorted((self.low, self.high))
        return min(max(value, least), most)


def around(
    label: str, values: Iterable[float], *, wide: bool = False, margin: float = 0.05, count: int = 4
) -> Axis | None:
    """An axis of values with room around them; None without any.

    Args:
        wide: whether it is logarithmic where all values are positive and range widely.
        margin: share of their range that is left free at either end.
        count: about how many steps there are between ticks.
    """
    known = list(values)
    if not known:
        return None
    low, high = min(known), max(known)
    if wide and low > 0 and high > LOG_RANGE * low:
        ends = low / 1.15, high * 1.15
        return Axis(
            label, *ends, _told(LogLocator(subs=(1, 3)).tick_values(*ends), *ends), log=True, grid=True
        )
    room = margin * (high - low) or 0.1 * abs(high) or 1.0
    return linear(label, low - room, high + room, count=count, grid=True)


def linear(
    label: str, low: float, high: float, *, count: int = 4, grid: bool = False, whole: bool = False
) -> Axis:
    """An axis of given ends with about `count` steps between round ticks; `whole` where it counts whole things."""
    steps = [1, 2, 2.5, 5, 10] if count > 4 else [1, 2, 5, 10]
    locator = MaxNLocator(count, steps=steps, integer=whole)
    return Axis(label, low, high, _told(locator.tick_values(low, high), low, high), grid=grid)


def decades(label: str, values: Sequence[float], *, grid: bool = False) -> Axis:
    """A logarithmic axis from one power of ten to another, which hold all values between them."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    high = max(high, low + 1)
    ticks = tuple((10.0**power, number(10.0**power)) for power in range(low, high + 1))
    return Axis(label, 10.0**low, 10.0**high, ticks, log=True, grid=grid)


def layer_axis(label: str, x: Sequence[int]) -> Axis:
    """An axis over layers, with at most nine of them told, evenly spaced."""
    step = next(step for step in (1, 2, 4, 5, 8, 10, 16, 20, 25, 50, 100, 1000) if len(x) <= 9 * step)
    ticks = tuple((float(layer), str(layer)) for layer in x if layer % step == 0)
    return Axis(label, x[0], x[-1] if len(x) > 1 else x[0] + 1, ticks)


def _told(ticks: Iterable[float], low: float, high: float) -> tuple[Tick, ...]:
    return tuple((float(tick), number(float(tick))) for tick in ticks if low <= tick <= high)


@dataclass(frozen=True)
class Curve:
    """A line through points without a gap; `clipped` where it may leave the axes, which others made."""

    role: str
    points: tuple[Point, ...]
    second: bool = False  # on the second axis
    clipped: bool = False


@dataclass(frozen=True)
class Dots:
    """Points without a line."""

    role: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Band:
    """What lies between a low and a high curve: (x, low, high)."""

    role: str
    ends: tuple[tuple[float, float, float], ...]
    second: bool = False
    clipped: bool = False


@dataclass(frozen=True)
class Bar:
    """A bar from 0 to a value, cut where it leaves the axis; `pale` where its value does not count."""

    role: str
    at: float
    value: float
    width: float = 0.8
    pale: bool = False


@dataclass(frozen=True)
class Whisker:
    """An interval: a stroke between two points of one height, or of one place."""

    role: str
    start: Point
    end: Point


@dataclass(frozen=True)
class Sign:
    """One value in a shape of its role; `hollow` where it was found but does not count."""

    role: str
    at: Point
    hollow: bool = False


@dataclass(frozen=True)
class Rule:
    """A line through the whole drawing: upright at a place, or `level` at a height."""

    role: str
    at: float
    level: bool = False


@dataclass(frozen=True)
class Span:
    """A rectangle, from end to end of an axis where it has no ends of its own; `told` when it is pointed at."""

    role: str
    x: Ends | None = None
    y: Ends | None = None
    told: str = ""


@dataclass(frozen=True)
class Cells:
    """A matrix of values, a cell each, darker with its value from `low` to `high`.

    Cell (row, column) is centred at (first + column, first_row + row) of the axes.
    """

    key: str  # what the shades mean
    rows: tuple[tuple[float | None, ...], ...]
    low: float
    high: float
    first: int = 1
    first_row: int = 1


@dataclass(frozen=True)
class Boundary:
    """A boundary between layers: a line with its name above the drawing, and its sets below all curves."""

    role: str
    name: str
    at: float
    spans: tuple[Ends, ...] = ()
    claimed: bool = True  # False: pale
    outwards: bool = False  # its name runs to the left, where there is room
    row: int = 0  # of its sets, from above: 0 or 1


@dataclass(frozen=True)
class Label:
    """A few words at a point, moved by so many pixels to the right and down."""

    text: str
    at: Point
    role: str = ""
    anchor: str = "start"  # start | middle | end
    shift: Point = (0, 0)
    turned: bool = False  # read from below upwards
    told: str = ""


Mark = Curve | Dots | Band | Bar | Whisker | Sign | Rule | Span | Cells | Boundary | Label


@dataclass(frozen=True)
class Key:
    """One line of a legend; `filled` where it stands for surfaces."""

    role: str
    label: str
    filled: bool = False


@dataclass(frozen=True)
class Chart:
    """One chart. `shape` decides its size.

    It is one of panel | overlay | wide | bars | small | rows | square | table, and of those that are as wide as their
    container, strip | arms | truths.
    """

    title: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...] = ()
    second: Axis | None = None
    shape: str = "panel"
    mode: str = ""  # of a strip, whose boundaries it shows: calibrated | paper | paper rejected …
    about: str = ""  # what it shows, for those who cannot see it
    legend: tuple[Key, ...] = ()
    layers: int = 0  # how many layers its axis has one by one, which the page's script lights up

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self.marks)
