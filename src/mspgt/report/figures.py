"""Charts for a paper: marks as SVG and PDF at a venue's width, the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from textwrap import wrap
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mspgt.report import look
from mspgt.report.charts import keys_of
from mspgt.report.marks import Cells, Chart, Key
from mspgt.report.paper import draw
from mspgt.report.section import Plate

ROW, LINE, LABELS = 0.17, 0.13, 1.15  # inches: of a row, of a line of text, and of the place for labels
LETTER = 0.055  # inches that a letter takes, about
STRIP, STRIP_STEP = 0.2, 0.28  # inches of a strip of layers with its sets, and from one to the next
STRIP_LEFT, STRIP_RIGHT = 0.08, 0.77  # inches beside a strip; on the right stands whose it is
LEGEND: dict[str, Any] = {
    "loc": "lower center",
    "handlelength": 1.8,
    "columnspacing": 1.2,
    "borderaxespad": 0.2,
}
# Inches of the axes, by shape; those of rows have a height of their own.
HEIGHTS = {
    "panel": 1.05,
    "overlay": 0.9,
    "wide": 1.55,
    "bars": 0.8,
    "small": 1.05,
    "square": 1.6,
    "table": 0.85,
}


def charts_figure(
    charts: Sequence[Chart],
    title: str = "",
    venue: str = "neurips",
    *,
    abreast: int = 2,
    legend: Sequence[Key] | None = None,
    strips: Sequence[Chart] = (),
) -> dict[str, bytes]:
    """Draw charts side by side, with one legend below them.

    Args:
        charts: in reading order.
        title: the line above them.
        venue: a key of `VENUES`; in a narrow column one fewer stands in a line.
        abreast: how many stand in a line.
        legend: where it is not that of the charts.
        strips: of layers, drawn above the charts over relative depth.

    Returns:
        `svg` and `pdf` → the file's bytes.
    """
    keys = keys_of(charts) if legend is None else legend
    sheet = Sheet.of(charts, bool(title), look.venue_width(venue), abreast)
    across = _legend_columns(keys, sheet.width)
    bottom = sheet.bottom + (0.1 + 0.15 * -(-len(keys) // across) if keys else 0)
    above = STRIP_STEP * len(strips) + 0.5 if strips else 0.0
    high = max(map(_height, charts), default=0.0)
    height = sheet.top + bottom + sheet.lines * (high + sheet.between) - sheet.between * bool(charts) + above
    with look.style():
        figure = look.new_figure(venue, height)
        if title:
            figure.text(0.05 / sheet.width, 1 - 0.02 / height, title, va="top", fontsize=9)
        _strips(figure, strips, 0.25, told=True)
        for at, chart in enumerate(charts):
            line, column = divmod(at, sheet.columns)
            left = sheet.left + column * (sheet.own + sheet.left + sheet.right)
            low = height - sheet.top - above - line * (high + sheet.between) - high
            axes = figure.add_axes((left / sheet.width, low / height, sheet.own / sheet.width, high / height))
            draw(axes, chart, sheet.titled(chart), sheet.left if sheet.rows else 0.0)
            if sheet.alike and at + sheet.columns < len(charts):
                axes.set_xlabel("")
        if keys:
            figure.legend(handles=[_handle(key) for key in keys], ncols=across, **LEGEND)
        return look.files_of(figure)


def charts_plate(
    charts: Sequence[Chart],
    caption: str,
    title: str = "",
    *,
    abreast: int = 2,
    legend: Sequence[Key] | None = None,
    strips: Sequence[Chart] = (),
) -> Plate:
    """The same charts as a figure to be drawn at a venue's width."""
    draw = partial(charts_figure, charts, title, abreast=abreast, legend=legend, strips=strips)
    return Plate(draw, caption)


def strips_figure(models: Mapping[str, Sequence[Chart]], venue: str = "neurips") -> dict[str, bytes]:
    """Draw the layer strips of all models below one another, each over relative depth.

    Args:
        models: name → its strips.

    Returns:
        `svg` and `pdf` → the file's bytes.
    """
    width, steps = look.venue_width(venue), sum(map(len, models.values()))
    keys = [Key(scale.lower(), scale, filled=True) for scale in look.SCALES]
    across = _legend_columns(keys, width)
    height = 0.6 + 0.18 * len(models) + STRIP_STEP * steps + 0.15 * -(-len(keys) // across)
    with look.style():
        figure, down = look.new_figure(venue, height), 0.05
        for name, strips in models.items():
            figure.text(STRIP_LEFT / width, 1 - (down + 0.16) / height, name, va="bottom")
            down = _strips(figure, strips, down + 0.18, told=name == [*models][-1])
        figure.legend(handles=[_handle(key) for key in keys], ncols=across, **LEGEND)
        return look.files_of(figure)


def _strips(figure: Figure, strips: Sequence[Chart], down: float, *, told: bool) -> float:
    """Draw strips below one another, from `down` inches below the upper edge; where the next thing may stand.

    Args:
        told: whether relative depth is told below the last.
    """
    width, height = figure.get_size_inches()
    for at, strip in enumerate(strips):
        bottom = height - down - STRIP_STEP * (at + 1)
        size = ((width - STRIP_LEFT - STRIP_RIGHT) / width, STRIP / height)
        axes = figure.add_axes((STRIP_LEFT / width, bottom / height, *size))
        draw(axes, strip, [])
        if told and at + 1 == len(strips):
            axes.set_xlabel("relative depth")
        else:
            axes.set_xticks([])
    return down + STRIP_STEP * len(strips)


@dataclass(frozen=True)
class Sheet:
    """Where charts stand beside one another, in inches: margins, and room between lines of them."""

    width: float
    columns: int
    lines: int
    top: float
    bottom: float  # without a legend
    left: float
    right: float
    between: float
    rows: bool  # whether the left margin holds names of rows
    alike: bool  # whether the name of the horizontal axis stands once a column

    @classmethod
    def of(cls, charts: Sequence[Chart], headed: bool, width: float, abreast: int) -> Sheet:
        columns = max(1, min(abreast if width > 4 else abreast - 1, len(charts)))
        alike = len({chart.x.label for chart in charts}) == 1 and charts[0].shape in ("panel", "bars")
        longest = max((len(words) for chart in charts for _, words in chart.y.ticks), default=0)
        rows = any(chart.shape == "rows" for chart in charts)
        # A second axis, or the key of a matrix.
        beside = any(chart.second or any(isinstance(mark, Cells) for mark in chart.marks) for chart in charts)
        bare = cls(
            width,
            columns,
            -(-len(charts) // columns),
            0.42 if headed else 0.25,
            0.4,
            min(LABELS, 0.2 + LETTER * longest) if rows else 0.5,
            0.48 if beside else 0.08,
            0.5 if alike else 0.75,
            rows,
            alike,
        )
        above = LINE * max((len(bare.titled(chart)) - 1 for chart in charts), default=0)
        below = LINE * max((len(chart.x.label.split("\n")) - 1 for chart in charts), default=0)
        return replace(
            bare, top=bare.top + above, bottom=bare.bottom + below, between=bare.between + above + below
        )

    @property
    def own(self) -> float:
        """Width of the axes of one chart."""
        return (self.width - self.columns * (self.left + self.right)) / self.columns

    def titled(self, chart: Chart) -> list[str]:
        """The lines of a title; it may use the place of the names of rows."""
        inches = self.own + (self.left if self.rows else self.right)
        return wrap(chart.title, int(inches / LETTER)) or [""]


def _height(chart: Chart) -> float:
    return ROW * abs(chart.y.high - chart.y.low) if chart.shape == "rows" else HEIGHTS[chart.shape]


def _legend_columns(keys: Sequence[Key], width: float) -> int:
    """As many as fit beside one another."""
    longest = max((len(key.label) for key in keys), default=0)
    return max(1, min(len(keys), int(width / (0.42 + LETTER * longest))))


def _handle(key: Key) -> Line2D | Patch:
    if key.filled:
        return Patch(label=key.label, **look.surface(key.role))
    return Line2D([], [], color=look.COLOURS[key.role], label=key.label, **look.LOOKS[key.role])
