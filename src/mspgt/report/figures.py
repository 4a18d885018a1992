"""Charts for a paper: marks as SVG and PDF at a venue's width, the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from textwrap import wrap
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from mspgt.report import look, marks
from mspgt.report.charts import keys_of
from mspgt.report.curves import rows_apart
from mspgt.report.marks import Axis, Boundary, Cells, Chart, Key, Mark, Span
from mspgt.report.section import Plate
from mspgt.report.words import number

NAME_ROW, NAME_LETTER = 5, 3.6  # points: height of a row of names of boundaries, and width of a letter
PIXEL = 0.6  # points of a paper for a pixel of the page
ROW, LINE, LABELS = 0.17, 0.13, 1.15  # inches: of a row, of a line of text, and of the place for labels
LETTER = 0.055  # inches that a letter takes, about
STRIP, STRIP_STEP = 0.2, 0.28  # inches of a strip of layers with its sets, and from one to the next
STRIP_LEFT, STRIP_RIGHT = 0.08, 0.77  # inches beside a strip; on the right stands whose it is


class Sets(NamedTuple):
    """Where confidence sets lie below the curves: room, of the height of the curves; their bars, of both together."""

    room: float
    rows: tuple[float, float]
    high: float


SETS = Sets(0.16, (0.07, 0.02), 0.03)
STRIP_SETS = Sets(0.5, (0.18, 0.04), 0.09)
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
    lines = sheet.lines * max(map(_height, charts), default=0.0)
    height = sheet.top + bottom + lines + sheet.between * max(sheet.lines - 1, 0) + above
    with look.style():
        figure = look.new_figure(venue, height)
        if title:
            figure.text(0.05 / sheet.width, 1 - 0.02 / height, title, va="top", fontsize=9)
        _strips(figure, strips, 0.25, told=True)
        grid = look.grid_of(
            figure,
            max(sheet.lines, 1),
            sheet.columns,
            top=sheet.top + above,
            bottom=bottom,
            left=sheet.left,
            right=sheet.right,
            wide=sheet.left + sheet.right,
            high=sheet.between,
        )
        for at, chart in enumerate(charts):
            axes = figure.add_subplot(grid[divmod(at, sheet.columns)])
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
        bottom = height - down - STRIP_STEP * at - (STRIP_STEP - STRIP) - STRIP
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

    def titled(self, chart: Chart) -> list[str]:
        """The lines of a title; it may use the place of the names of rows."""
        own = (self.width - self.columns * (self.left + self.right)) / self.columns
        inches = own + (self.left if self.rows else self.right)
        return wrap(chart.title, int(inches / LETTER)) or [""]


def _height(chart: Chart) -> float:
    return ROW * abs(chart.y.high - chart.y.low) if chart.shape == "rows" else HEIGHTS[chart.shape]


def _legend_columns(keys: Sequence[Key], width: float) -> int:
    """As many as fit beside one another."""
    longest = max((len(key.label) for key in keys), default=0)
    return max(1, min(len(keys), int(width / (0.42 + LETTER * longest))))


def draw(axes: Axes, chart: Chart, title: Sequence[str], labels: float = 0.0) -> None:
    """One chart on axes of its own.

    Args:
        title: its lines.
        labels: inches on the left that its title may use, where they hold the names of rows.
    """
    boundaries = [mark for mark in chart.marks if isinstance(mark, Boundary)]
    if not chart.drawn:
        axes.set(xticks=[], yticks=[])
        axes.spines["left"].set_visible(False)
        axes.text(
            0.5, 0.5, "not measured", ha="center", va="center", color=look.GREY, transform=axes.transAxes
        )
        axes.set_title("\n".join(title), pad=5)
        return
    strip = chart.shape == "strip"
    room = STRIP_SETS.room if strip else SETS.room * bool(boundaries)
    _across(axes, chart)
    _upright(axes, chart.y, room)
    other = axes
    if chart.second:
        other = axes.twinx()
        _upright(other, chart.second, room, colour=look.VERMILLION)
    axes.spines["left"].set_visible(chart.shape not in ("rows", "square", "table", "strip"))
    axes.spines["bottom"].set_visible(not strip)
    above = _names(axes, boundaries)
    axes.annotate(
        "\n".join(title),
        (0, 1),
        (-72 * labels, 5 + NAME_ROW * above),
        "axes fraction",
        "offset points",
        va="bottom",
        fontsize="medium",
        annotation_clip=False,
    )
    if strip:
        colour = look.COLOURS.get(chart.title, look.BLACK)
        axes.annotate(
            chart.title, (1, 0.5), (4, -2.4), ("axes fraction", "data"), "offset points", color=colour
        )
    strength = look.STRENGTHS.get(chart.mode, 1.0)
    for mark in chart.marks:
        _mark(other if getattr(mark, "second", False) else axes, mark, strength)


def _across(axes: Axes, chart: Chart) -> None:
    axis = chart.x
    if axis.log:
        axes.set_xscale("log")
    room = 0.6 if chart.layers and chart.shape != "strip" else 0.0
    axes.set_xlim(axis.low - room, axis.high + room)
    axes.set_xticks([at for at, _ in axis.ticks], [words for _, words in axis.ticks])
    axes.minorticks_off()
    axes.grid(visible=axis.grid, axis="x")
    axes.set_xlabel(axis.label, loc="right" if chart.shape == "rows" else "center")
    for at, words in axis.groups:
        axes.annotate(
            words, (at, 0), (0, -17), ("data", "axes fraction"), "offset points", ha="center", fontsize=7
        )


def _upright(axes: Axes, axis: Axis, room: float, *, colour: str = look.BLACK) -> None:
    """The vertical axis, with room for confidence sets below the curves, of their height."""
    low = axis.low
    if axis.log:
        axes.set_yscale("log")
    if room:
        low = low * (low / axis.high) ** room if axis.log else low - room * (axis.high - low)
    axes.set_ylim(low, axis.high)
    axes.set_yticks([at for at, _ in axis.ticks], [words for _, words in axis.ticks])
    axes.minorticks_off()
    axes.grid(visible=axis.grid and colour == look.BLACK, axis="y")
    axes.set_ylabel(axis.label, color=colour)
    axes.tick_params(axis="y", colors=colour)


def _mark(axes: Axes, mark: Mark, strength: float) -> None:
    """One mark on the axes that it belongs to; surfaces by the `strength` of their chart."""
    match mark:
        case marks.Curve(role, points):
            axes.plot(*zip(*points, strict=True), color=look.COLOURS.get(role, look.GREY), **look.LOOKS[role])
        case marks.Dots(role, points):
            axes.plot(*zip(*points, strict=True), "o", color=look.COLOURS[role], markersize=2.2, zorder=5)
        case marks.Band(role, ends):
            x, low, high = zip(*ends, strict=True)
            axes.fill_between(x, low, high, color=look.COLOURS[role], alpha=0.16, linewidth=0)
        case marks.Bar(role, at, value, width, pale):
            axes.bar(at, value, width, color=look.FILLS[role], alpha=0.4 if pale else 1.0)
        case marks.Whisker(role, start, end):
            axes.plot(*zip(start, end, strict=True), color=look.COLOURS.get(role, look.BLACK), linewidth=0.8)
        case marks.Sign(role, (across, height), hollow):
            face = "white" if hollow else look.COLOURS[role]
            axes.plot(
                [across],
                [height],
                look.MARKERS[role],
                color=look.COLOURS[role],
                markerfacecolor=face,
                markersize=3.2,
                markeredgewidth=0.7,
            )
        case marks.Rule(role, at, level):
            (axes.axhline if level else axes.axvline)(at, **{"color": look.BLACK} | look.RULES[role])
        case marks.Span():
            _span(axes, mark, strength)
        case marks.Cells():
            _cells(axes, mark)
        case marks.Boundary():
            _boundary(axes, mark)
        case marks.Label(text, at_, role, anchor, (right, down), turned):
            axes.annotate(
                text,
                at_,
                (PIXEL * right, -PIXEL * down),
                textcoords="offset points",
                fontsize=6.5,
                ha={"start": "left", "middle": "center", "end": "right"}[anchor],
                color=look.ink(role, strength),
                rotation=90 if turned else 0,
                annotation_clip=False,
            )


def _span(axes: Axes, span: Span, strength: float) -> None:
    (left, right), (low, high) = span.x or axes.get_xlim(), span.y or axes.get_ylim()
    surface = look.surface(span.role)
    surface["alpha"] *= strength
    axes.add_patch(Rectangle((left, low), right - left, high - low, **surface))


def _cells(axes: Axes, cells: Cells) -> None:
    """The matrix, with the key of its shades beside it."""
    columns = [cells.first - 0.5 + at for at in range(len(cells.rows[0]) + 1)]
    rows = [cells.first_row - 0.5 + at for at in range(len(cells.rows) + 1)]
    values = [[float("nan") if value is None else value for value in row] for row in cells.rows]
    drawn = axes.pcolormesh(columns, rows, values, cmap=look.RAMP, vmin=cells.low, vmax=cells.high)
    beside = axes.inset_axes((1.02, 0, 0.02, 1))
    figure = axes.get_figure(root=True)
    assert figure
    bar = figure.colorbar(drawn, cax=beside)
    beside.spines[:].set_linewidth(0.4)
    bar.set_label(cells.key, fontsize=6.5)
    bar.set_ticks([cells.low, cells.high], labels=[number(cells.low, 2), number(cells.high, 2)])


def _names(axes: Axes, boundaries: Sequence[Boundary]) -> int:
    """Write the names of boundaries above axes whose width and limits are fixed, in as many rows as keep them apart.

    Returns:
        How many rows there are.
    """
    low, high = axes.get_xlim()
    letter = NAME_LETTER / 72 * axes.figure.dpi * (high - low) / axes.bbox.width
    halves = [letter * (len(one.name) + 1) / 2 for one in boundaries]
    rows = rows_apart([(one.at - half, one.at + half) for one, half in zip(boundaries, halves, strict=True)])
    for one, row in zip(boundaries, rows, strict=True):
        axes.annotate(
            one.name,
            (one.at, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 1 + NAME_ROW * row),
            textcoords="offset points",
            ha="center",
            color=look.COLOURS[one.role],
            fontsize=6,
            alpha=_strength(one),
        )
    return 1 + max(rows, default=-1)


def _strength(boundary: Boundary) -> float:
    return 1.0 if boundary.claimed else 0.45


def _boundary(axes: Axes, one: Boundary) -> None:
    colour, dashes = look.COLOURS[one.role], (5, 2) if one.outwards else (1.5, 1.5)
    line = look.RULES.get(one.role) or {"linewidth": 0.8, "dashes": dashes, "zorder": 1}
    axes.axvline(one.at, color=colour, alpha=_strength(one), **line)
    sets = STRIP_SETS if one.role == "edge" else SETS
    for low, high in one.spans:
        place = Rectangle(
            (low, sets.rows[one.row]),
            high - low,
            sets.high,
            transform=axes.get_xaxis_transform(),
            facecolor=colour,
            alpha=_strength(one),
            linewidth=0,
            zorder=5,
        )
        axes.add_patch(place)


def _handle(key: Key) -> Line2D | Patch:
    if key.filled:
        return Patch(label=key.label, **look.surface(key.role))
    return Line2D([], [], color=look.COLOURS[key.role], label=key.label, **look.LOOKS[key.role])
