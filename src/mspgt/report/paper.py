"""One chart for a paper, on axes of its own: every mark as matplotlib draws it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from mspgt.report import look, marks
from mspgt.report.curves import rows_apart
from mspgt.report.marks import Axis, Boundary, Cells, Chart, Mark, Span
from mspgt.report.words import number

NAME_ROW, NAME_LETTER = 5, 3.6  # points: height of a row of names of boundaries, and width of a letter
PIXEL = 0.6  # points of a paper for a pixel of the page


class Sets(NamedTuple):
    """Where confidence sets lie below the curves: room, of the height of the curves; their bars, of both together."""

    room: float
    rows: tuple[float, float]
    high: float


SETS = Sets(0.16, (0.07, 0.02), 0.03)
STRIP_SETS = Sets(0.5, (0.18, 0.04), 0.09)


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
