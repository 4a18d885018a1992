"""Forest plots: one row a case, a point with its interval, over an axis that all rows share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from markupsafe import Markup

from mspgt.report.marks import Axis, Chart, Label, Mark, Rule, Sign, Whisker, linear
from mspgt.report.shown import figure_html
from mspgt.report.tables import Table, columns_of, ends
from mspgt.report.words import interval, number

# Of the name of the axis in a line, and of the name of a row.
AXIS_LETTERS, ROW_LETTERS = 50, 26


@dataclass(frozen=True)
class Dot:
    """One value on its row; `hollow` where it was found but does not count (not significant, rejected)."""

    role: str  # calibrated | paper | variant: decides colour and shape
    value: float | None
    interval: tuple[float, float] | None = None
    label: str = ""
    hollow: bool = False

    @property
    def text(self) -> str:
        """The value with its interval."""
        known = f"{number(self.value)}{interval(self.interval)}"
        return f"{self.label} {known}{' (does not count)' if self.hollow else ''}".strip()


@dataclass(frozen=True)
class Row:
    """One case with its dots; `missing` is said where there are none."""

    label: str
    dots: tuple[Dot, ...]
    missing: str = ""


@dataclass(frozen=True)
class Forest:
    """One forest plot; `reference` is the value of no effect."""

    title: str
    axis: str
    rows: tuple[Row, ...]
    reference: float | None = None
    limits: tuple[float, float] | None = None
    whole: bool = False  # the axis counts whole things (layers)

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return any(dot.value is not None for row in self.rows for dot in row.dots)

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the axis: as given, or around everything that is drawn."""
        if self.limits:
            return self.limits
        known = [end for row in self.rows for dot in row.dots for end in (dot.value, *(dot.interval or ()))]
        values = [value for value in (*known, self.reference) if value is not None]
        low, high = min(values, default=0.0), max(values, default=1.0)
        margin = 0.06 * (high - low) or 0.5
        return low - margin, high + margin

    @property
    def chart(self) -> Chart:
        """The same as marks: a row counts 1, from the top."""
        low, high = self.ends
        x = linear("\n".join(wrap(self.axis, AXIS_LETTERS)), low, high, count=5, grid=True, whole=self.whole)
        names = tuple((float(at), _short(row.label)) for at, row in enumerate(self.rows))
        marks: list[Mark] = [] if self.reference is None else [Rule("reference", self.reference)]
        marks += [mark for at, row in enumerate(self.rows) for mark in _row(row, at, low)]
        told = "; ".join(
            f"{row.label}: {', '.join(dot.text for dot in row.dots) or row.missing or 'none'}"
            for row in self.rows
        )
        return Chart(
            self.title,
            x,
            Axis("", len(self.rows) - 0.5, -0.5, names),
            tuple(marks) if self.drawn else (),
            shape="rows",
            about=f"{self.title}: {told}",
        )

    def html(self, anchor: str, beside: str, *, missing: str = "") -> Markup:
        """The plot on the page with its numbers; `missing` is said where there is nothing to draw."""
        why = [missing] if missing and not self.drawn else []
        return figure_html(anchor, self.chart, numbers=self.table(anchor), beside=beside, missing=why)

    def table(self, name: str) -> Table:
        """What it shows, one row a dot."""
        columns = columns_of("case:string curve:string value:double low:double high:double counts:bool")
        records = (
            vars(dot)
            | {"case": row.label, "curve": dot.label or dot.role, "counts": not dot.hollow}
            | ends(dot.interval)
            for row in self.rows
            for dot in row.dots
        )
        return Table.of(name, self.title, columns, records)


def _row(row: Row, at: int, low: float) -> Iterator[Mark]:
    drawn = [dot for dot in row.dots if dot.value is not None]
    if not drawn:
        yield Label(row.missing or "none", (low, at), shift=(4, 3.5))
    for place, dot in enumerate(drawn):
        # Dots of one row stand a little apart, so that the intervals can be told from each other.
        height = at + (place - (len(drawn) - 1) / 2) * min(0.3, 0.6 / len(drawn))
        assert dot.value is not None
        if dot.interval:
            start, end = dot.interval
            yield Whisker(dot.role, (start, height), (end, height))
        yield Sign(dot.role, (dot.value, height), dot.hollow)


def _short(label: str) -> str:
    """As many letters as the place for labels holds."""
    return label if len(label) <= ROW_LETTERS else f"{label[: ROW_LETTERS - 1]}…"
