"""Forest plots: one row a case, a point with its interval, over an axis that all rows share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from mspgt.report.markup import tag
from mspgt.report.tables import Cell, Table
from mspgt.report.words import number

WIDTH, LABELS, RIGHT, TOP, ROW, BOTTOM, LINE = 430, 150, 14, 8, 20, 34, 13
# Of the name of the axis in a line: twice the way from its middle to the edge of the drawing.
AXIS_LETTERS = 50
# Shapes tell the roles apart where colours do not: circle, square, diamond, triangle, cross.
SHAPES = {
    "calibrated": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",
    "paper": "M-3.5-3.5H3.5V3.5H-3.5Z",
    "variant": "M0-5L5 0L0 5L-5 0Z",
    "twin": "M0-5L4.6 3.6H-4.6Z",
    "level": "M-4-4L4 4M-4 4L4-4",
}


@dataclass(frozen=True)
class Dot:
    """One value on its row; `hollow` where it was found but does not count (not significant, rejected)."""

    role: str  # calibrated | paper | variant | twin | level: decides colour and shape
    value: float | None
    interval: tuple[float, float] | None = None
    label: str = ""
    hollow: bool = False

    @property
    def text(self) -> str:
        """The value with its interval."""
        ends = f" [{number(self.interval[0])}, {number(self.interval[1])}]" if self.interval else ""
        return f"{self.label} {number(self.value)}{ends}{' (does not count)' if self.hollow else ''}".strip()


@dataclass(frozen=True)
class Row:
    """One case: its dots, and the range within which nothing happened (an A/A band)."""

    label: str
    dots: tuple[Dot, ...]
    band: tuple[float, float] | None = None
    missing: str = ""


@dataclass(frozen=True)
class Forest:
    """One forest plot; `reference` is the value of no effect."""

    key: str
    title: str
    axis: str
    rows: tuple[Row, ...]
    reference: float | None = None
    limits: tuple[float, float] | None = None
    whole: bool = False  # the axis counts whole things (layers)
    caption: str = ""

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return any(dot.value is not None for row in self.rows for dot in row.dots)

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the axis: as given, or around everything that is drawn."""
        if self.limits:
            return self.limits
        known = [end for row in self.rows for end in row.band or ()] + [self.reference]
        for row in self.rows:
            known += [end for dot in row.dots for end in (dot.value, *(dot.interval or ()))]
        values = [value for value in known if value is not None]
        low, high = min(values, default=0.0), max(values, default=1.0)
        margin = 0.06 * (high - low) or 0.5
        return low - margin, high + margin

    def ticks(self) -> list[float]:
        """Round values on the axis."""
        low, high = self.ends
        ticks = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], integer=self.whole).tick_values(low, high)
        return [float(tick) for tick in ticks if low <= tick <= high]

    @property
    def axis_lines(self) -> list[str]:
        """The name of the axis, in lines that the drawing has room for."""
        return wrap(self.axis, AXIS_LETTERS) or [""]

    def table(self, name: str) -> Table:
        """What it shows, one row a dot."""
        columns = {"case": "string", "curve": "string", "value": "double", "low": "double", "high": "double",
                   "counts": "bool", "band_low": "double", "band_high": "double"}  # fmt: skip
        rows: list[tuple[Cell, ...]] = [
            (row.label, dot.label or dot.role, dot.value, *(dot.interval or (None, None)), not dot.hollow,
             *(row.band or (None, None)))
            for row in self.rows
            for dot in row.dots
        ]  # fmt: skip
        return Table(name, self.title, columns, rows)


def forest_svg(forest: Forest) -> Markup:
    """A forest plot as an SVG element; nothing where nothing was measured."""
    if not forest.drawn:
        return Markup("")
    height = TOP + ROW * len(forest.rows) + BOTTOM + LINE * (len(forest.axis_lines) - 1)
    label = f"{forest.title}: " + "; ".join(
        f"{row.label}: {', '.join(dot.text for dot in row.dots) or row.missing or 'none'}"
        for row in forest.rows
    )
    about: dict[str, str | float] = {
        "class": "forest", "viewBox": f"0 0 {WIDTH} {height}", "role": "img", "aria-label": label,
    }  # fmt: skip
    return tag("svg", *_drawing(forest, TOP + ROW * len(forest.rows)), **about)


def _drawing(forest: Forest, floor: float) -> Iterator[Markup]:
    low, high = forest.ends

    def place(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return LABELS + share * (WIDTH - RIGHT - LABELS)

    ticks = forest.ticks()
    yield tag("path", class_="grid", d="".join(f"M{place(tick):.1f} {TOP}V{floor}" for tick in ticks))
    yield tag("path", class_="axis", d=f"M{LABELS} {floor}H{WIDTH - RIGHT}")
    for tick in ticks:
        yield tag("text", number(tick), x=place(tick), y=floor + 13, class_="middle")
    for at, line in enumerate(forest.axis_lines):
        down = floor + 28 + LINE * at
        yield tag("text", line, x=(LABELS + WIDTH - RIGHT) / 2, y=down, class_="middle")
    if forest.reference is not None:
        yield tag("path", class_="reference", d=f"M{place(forest.reference):.1f} {TOP}V{floor}")
    for at, row in enumerate(forest.rows):
        middle = TOP + ROW * (at + 0.5)
        yield tag("text", _short(row.label), x=LABELS - 8, y=middle + 3.5, class_="end")
        if row.band:
            start, end = map(place, row.band)
            yield tag("rect", class_="aa", x=start, y=middle - 7, width=max(end - start, 1.0), height=14)
        if not any(dot.value is not None for dot in row.dots):
            yield tag("text", row.missing or "none", class_="none", x=LABELS + 4, y=middle + 3.5)
        yield from _dots(row.dots, middle, place)


def _dots(dots: Sequence[Dot], middle: float, place: object) -> Iterator[Markup]:
    assert callable(place)
    drawn = [dot for dot in dots if dot.value is not None]
    for at, dot in enumerate(drawn):
        # Dots of one row stand a little apart, so that the intervals can be told from each other.
        y = middle + (at - (len(drawn) - 1) / 2) * min(6, 12 / len(drawn))
        if dot.interval:
            start, end = (place(value) for value in dot.interval)
            yield tag("path", class_=f"whisker {dot.role}", d=f"M{start:.1f} {y:.1f}H{end:.1f}")
        assert dot.value is not None
        move = f"translate({place(dot.value):.1f} {y:.1f})"
        kind = f"dot {dot.role}{' hollow' if dot.hollow else ''}"
        yield tag("path", class_=kind, d=SHAPES[dot.role], transform=move)


def _short(label: str) -> str:
    """As many letters as the place for labels holds."""
    return label if len(label) <= 26 else f"{label[:25]}…"
