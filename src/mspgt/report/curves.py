"""What a chart is made of: curves with bands, boundaries with their sets, and the axes they share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeGuard, TypeVar

from mspgt.report.words import consecutive, layer_set, number

T = TypeVar("T")
Values = Sequence[float | None]
Intervals = Sequence[Sequence[float] | None]


@dataclass(frozen=True)
class Line:
    """One curve.

    `intervals` holds for every position the ends of nested central intervals, outermost first: `[lo, hi]` is
    the 95 % interval, `[lo95, lo80, lo50, hi50, hi80, hi95]` all three; of random twins it is their range.
    """

    label: str
    role: str  # calibrated | paper | twin | variant | level (of one value): decides how it is drawn
    values: Values
    intervals: Intervals | None = None
    clipped: bool = False  # drawn where it falls inside an axis that others made

    def bands(self) -> list[list[tuple[float, float] | None]]:
        """The nested intervals one level at a time, outermost first: (low, high) for every position."""
        whole = [interval if interval and None not in interval else None for interval in self.intervals or ()]
        levels = max((len(interval) // 2 for interval in whole if interval), default=0)
        return [
            [(interval[level], interval[-1 - level]) if interval else None for interval in whole]
            for level in range(levels)
        ]

    def drawn_bands(self) -> list[list[tuple[float, float] | None]]:
        """The bands that a chart shows: none for paper mode, which stays thin beside the main curve."""
        return [] if self.role == "paper" else self.bands()

    def texts(self) -> list[str]:
        """The value at every position, with its 95 % interval."""
        outer, *_ = [*self.bands(), [None] * len(self.values)]
        return [
            _precise(value) + (f" [{_precise(band[0])}, {_precise(band[1])}]" if band else "")
            for value, band in zip(self.values, outer, strict=True)
        ]


@dataclass(frozen=True)
class Mark:
    """One boundary: its layer, and the layers that its 95 % set (calibrated) or interval (paper) covers."""

    label: str
    role: str
    layer: int
    layers: tuple[int, ...] = ()
    interval: tuple[float, float] | None = None
    claimed: bool = True  # False: a paper-mode peak that the protocol itself rejected

    @property
    def text(self) -> str:
        """`L–I at layer 6, 95 % set 5–7`."""
        within = f", 95 % set {layer_set(self.layers)}" if self.layers else ""
        if self.interval:
            within = f", 95 % interval {number(self.interval[0])} to {number(self.interval[1])}"
        return f"{self.label} at layer {self.layer}{within}{'' if self.claimed else ', rejected by its own rule'}"

    def spans(self) -> list[tuple[float, float]]:
        """The set or interval as stretches of depth; a set with a gap has several."""
        runs = consecutive(self.layers)
        return [(low - 0.5, high + 0.5) for low, high in runs] + ([self.interval] if self.interval else [])


@dataclass(frozen=True)
class Panel:
    """One chart over transitions 1..L−1 or layers 0..L; `missing` says why curves are absent."""

    key: str
    title: str
    axis: str
    x: tuple[int, ...]
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    second_axis: str | None = None  # of the lines of role `paper`, where their unit differs
    missing: tuple[str, ...] = ()
    beside: tuple[Line, ...] = ()  # among the numbers, in another unit, and not drawn
    log: bool = False  # may be logarithmic, where the values allow it
    caption: str = ""  # level, n and method of its bands

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self.lines and self.x)

    @property
    def told(self) -> tuple[Line, ...]:
        """Curves of the table of numbers, the foremost first."""
        return (*reversed(self.lines), *self.beside)

    def numbers(self) -> list[tuple[int | str, ...]]:
        """A row a layer: the layer, and the value of every curve as text."""
        return list(zip(self.x, *(line.texts() for line in self.told), strict=True))


@dataclass(frozen=True)
class StripRow:
    """One mode of a layer strip: the scale of blocks 1..L, and the boundaries between them."""

    role: str
    scales: tuple[str, ...]
    marks: tuple[Mark, ...]

    @property
    def claimed(self) -> bool:
        """Whether the mode stands by its boundaries."""
        return all(mark.claimed for mark in self.marks)


def _precise(value: float | None) -> str:
    """As many digits as the file has that is made from the table."""
    return number(value, 4)


def axis_values(lines: Iterable[Line]) -> list[float]:
    """Everything that an axis must hold."""
    return [value for line in lines if not line.clipped for value in known_values(line)]


def known_values(line: Line) -> list[float]:
    """Everything a curve draws: its values and the ends of its intervals."""
    ends = [end for band in line.drawn_bands() for interval in band if interval for end in interval]
    return [value for value in (*line.values, *ends) if value is not None]


def runs(items: Sequence[T | None]) -> list[list[tuple[int, T]]]:
    """Stretches of (position, item) without a gap: a curve breaks where nothing was measured."""
    stretches: list[list[tuple[int, T]]] = [[]]
    for position, item in enumerate(items):
        if item is None:
            stretches.append([])
        else:
            stretches[-1].append((position, item))
    return [stretch for stretch in stretches if stretch]


def rows_apart(spans: Sequence[tuple[float, float]]) -> list[int]:
    """A row for each span, the lowest in which it meets no other; the rightmost spans have the first choice."""
    rows = [0] * len(spans)
    placed: list[int] = []
    for at in sorted(range(len(spans)), key=lambda at: spans[at], reverse=True):
        low, high = spans[at]
        met = {rows[other] for other in placed if low < spans[other][1] and spans[other][0] < high}
        rows[at] = next(row for row in range(len(spans)) if row not in met)
        placed.append(at)
    return rows


def measured(values: Values | None) -> TypeGuard[Values]:
    """Whether anything in the list was measured."""
    return any(value is not None for value in values or ())
