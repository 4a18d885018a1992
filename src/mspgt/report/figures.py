"""Figures for a paper: the page's panels as SVG and PDF at a venue's width, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from mspgt.errors import InputError, did_you_mean
from mspgt.report.curves import (
    Line,
    Mark,
    Panel,
    StripRow,
    axis_values,
    depth_ticks,
    logarithmic,
    rows_apart,
    runs,
)
from mspgt.report.panels import UNDIVIDED, UNNAMED
from mspgt.report.words import BOUNDARIES, number

# Width of the text, or of one column, in inches.
VENUES = {"neurips": 5.5, "icml": 6.75, "icml-column": 3.25, "acl": 6.3, "acl-column": 3.03}

BLUE, VERMILLION, PURPLE, BLACK, GREY = "#0b5a9e", "#c1440e", "#7b3f8c", "#1a1a1a", "#8f8f8f"
COLOURS = {
    **{"calibrated": BLUE, "paper": VERMILLION, "twin": GREY, "variant": PURPLE, "level": BLACK},
    **{"functional": BLACK, "local": "#4d9a2a", "intermediate": "#2a788e", "global": "#440154"},
}
LOOKS: dict[str, dict[str, Any]] = {
    "calibrated": {"linewidth": 1.1, "marker": "o", "markersize": 1.7, "zorder": 4},
    "paper": {"linewidth": 0.7, "dashes": (4, 1.5), "zorder": 3},
    "twin": {"linewidth": 0.7, "zorder": 2},
    "variant": {"linewidth": 0.8, "dashes": (1.5, 1), "zorder": 3},
    "level": {"linewidth": 0.7, "dashes": (1, 1.5), "zorder": 2},
    # Told apart without colour too.
    "local": {"linewidth": 1.2, "dashes": (1.2, 1), "zorder": 4},
    "intermediate": {"linewidth": 1.2, "dashes": (4, 1.5), "zorder": 4},
    "global": {"linewidth": 1.2, "zorder": 4},
}
# The scales are ordered with depth, so they take three steps of an ordered map (viridis), and their letters.
SCALES = {
    "Local": "#7ad151",
    "Intermediate": "#2a788e",
    "Global": "#440154",
    UNNAMED: "#e3e3e3",
    UNDIVIDED: "#ffffff",
}

NAME_ROW, NAME_LETTER = 5, 3.6  # points: height of a row of names of boundaries, and width of a letter

STYLE = {
    "font.family": "serif",
    # First the Times-like face that comes with matplotlib, so that a figure is the same on every machine.
    "font.serif": ["STIXGeneral", "Times New Roman", "Times", "serif"],
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7.5,
    "axes.spines.top": False,
    "axes.linewidth": 0.5,
    "axes.edgecolor": BLACK,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.4,
    "axes.axisbelow": True,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.0,
    "xtick.major.size": 2,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "mspgt",
    # A model may be called `$x$`.
    "text.parse_math": False,
}


def panels_figure(
    panels: Sequence[Panel], title: str, depth: str, venue: str = "neurips"
) -> dict[str, bytes]:
    """Draw panels two abreast, or one above the other in a narrow column.

    Args:
        panels: panels of one model that share their horizontal axis.
        title: the line above them.
        depth: name of the horizontal axis.
        venue: a key of `VENUES`.

    Returns:
        `svg` and `pdf` → the file's bytes.
    """
    columns = 2 if venue_width(venue) > 4 else 1
    lines = -(-len(panels) // columns)
    right = 0.48 if any(panel.second_lines for panel in panels) else 0.08
    with style():
        figure = new_figure(venue, 0.9 + 1.35 * lines)
        figure.text(0.05 / venue_width(venue), 0.995, title, va="top", fontsize=9)
        grid = grid_of(
            figure, lines, columns, top=0.42, bottom=0.65, left=0.5, right=right, wide=0.55 + right, high=0.5
        )
        for at, panel in enumerate(panels):
            axes = figure.add_subplot(grid[divmod(at, columns)])
            draw_panel(axes, panel)
            if at + columns >= len(panels):
                axes.set_xlabel(depth)
        drawn = {(line.role, line.label): line for panel in panels for line in panel.lines}
        handles = [_handle(line) for line in drawn.values()]
        figure.legend(
            handles=handles,
            loc="lower center",
            ncols=max(len(handles), 1),
            handlelength=1.8,
            columnspacing=1.2,
        )
        return files_of(figure)


def strips_figure(models: dict[str, list[StripRow]], venue: str = "neurips") -> dict[str, bytes]:
    """Draw the layer strips of all models over relative depth, calibrated mode above paper mode.

    Returns:
        `svg` and `pdf` → the file's bytes.
    """
    with style():
        figure = new_figure(venue, 0.75 + 0.55 * len(models))
        grid = grid_of(figure, 1, 1, top=0.05, bottom=0.6, left=0.08, right=0.62)
        axes = figure.add_subplot(grid[0, 0])
        for at, (name, rows) in enumerate(models.items()):
            axes.text(0, at - 0.42, name, va="bottom")
            for offset, row in zip((-0.2, 0.12), rows, strict=True):
                draw_strip(axes, row, at + offset, row.role)
        axes.set(xlim=(0, 1), ylim=(len(models) - 0.4, -0.75), xlabel="relative depth")
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.spines[["left", "right"]].set_visible(False)
        handles = [Patch(fc=colour, ec=BLACK, lw=0.3, label=scale) for scale, colour in SCALES.items()]
        figure.legend(
            handles=handles, loc="lower center", ncols=len(SCALES), columnspacing=1.2, handlelength=1.2
        )
        return files_of(figure)


def venue_width(venue: str) -> float:
    """Width of a figure in inches.

    Raises:
        InputError: an unknown venue.
    """
    if venue not in VENUES:
        raise InputError(
            f"Expected a venue out of {', '.join(VENUES)}, found {venue!r}. Choose one of them."
            f"{did_you_mean(venue, VENUES)}"
        )
    return VENUES[venue]


def new_figure(venue: str, height: float) -> Figure:
    """An empty figure of a venue's width; `height` in inches."""
    return Figure(figsize=(venue_width(venue), height))


def grid_of(
    figure: Figure, lines: int, columns: int, *, top: float, bottom: float, left: float, right: float,
    wide: float = 0.0, high: float = 0.0,
) -> GridSpec:  # fmt: skip
    """Axes between margins in inches; a layout engine would draw every figure twice."""
    width, height = figure.get_size_inches()
    across = (width - left - right - wide * (columns - 1)) / columns
    down = (height - top - bottom - high * (lines - 1)) / lines
    return GridSpec(
        lines, columns, figure, left=left / width, right=1 - right / width, top=1 - top / height,
        bottom=bottom / height, wspace=wide / across, hspace=high / down,
    )  # fmt: skip


def draw_panel(axes: Axes, panel: Panel) -> None:
    """One panel on axes of its own."""
    axes.set_title(panel.title, pad=5)
    if not panel.drawn:
        axes.set(xticks=[], yticks=[])
        axes.spines[["left", "right"]].set_visible(False)
        axes.text(0.5, 0.5, "not measured", ha="center", va="center", color=GREY, transform=axes.transAxes)
        return
    axes.set_xlim(panel.x[0] - 0.6, panel.x[-1] + 0.6)
    axes.set_xticks(depth_ticks(panel.x))
    axes.spines["right"].set_visible(False)
    _curves(axes, panel.first_lines, panel)
    axes.set_ylabel(panel.axis)
    if panel.second_lines:
        other = axes.twinx()
        other.grid(visible=False)
        _curves(other, panel.second_lines, panel)
        other.spines[["left", "right"]].set_visible(False)
        other.set_ylabel(panel.second_axis or "", color=VERMILLION)
        other.tick_params(axis="y", colors=VERMILLION)
    rows = mark_names(axes, panel.marks)
    if rows:
        axes.set_title(panel.title, pad=5 + NAME_ROW * rows)
    for mark in panel.marks:
        _mark(axes, mark)


def _curves(axes: Axes, lines: Sequence[Line], panel: Panel) -> None:
    for line in lines:
        colour, look = COLOURS[line.role], LOOKS[line.role]
        for band in line.drawn_bands():
            for run in runs(band):
                x = [panel.x[at] for at, _ in run]
                low, high = zip(*(interval for _, interval in run), strict=True)
                axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
        for stretch in runs(line.values):
            axes.plot(
                [panel.x[at] for at, _ in stretch], [value for _, value in stretch], color=colour, **look
            )
    known = axis_values(lines)
    if not known:
        axes.set_yticks([])
    elif panel.log and logarithmic(lines):
        axes.set_yscale("log")
        axes.set_ylim(min(known) / 1.15, max(known) * 1.15)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.minorticks_off()
    else:
        # Room for the confidence sets below the curves.
        margin = (max(known) - min(known)) or abs(known[0]) or 1.0
        axes.set_ylim(min(known) - margin * (0.2 if panel.marks else 0.05), max(known) + 0.08 * margin)
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def mark_names(axes: Axes, marks: Sequence[Mark], shift: float = 0.0) -> int:
    """Write the names of boundaries above axes whose width and limits are fixed, in as many rows as keep them apart.

    Args:
        shift: from a layer to its place on the axis.

    Returns:
        How many rows there are.
    """
    low, high = axes.get_xlim()
    letter = NAME_LETTER / 72 * axes.figure.dpi * (high - low) / axes.bbox.width
    halves = [letter * (len(mark.label) + 1) / 2 for mark in marks]
    rows = rows_apart(
        [(mark.layer - half, mark.layer + half) for mark, half in zip(marks, halves, strict=True)]
    )
    for mark, row in zip(marks, rows, strict=True):
        axes.annotate(
            mark.label, (mark.layer + shift, 1), xycoords=("data", "axes fraction"), xytext=(0, 1 + NAME_ROW * row),
            textcoords="offset points", ha="center", color=COLOURS[mark.role], fontsize=6, alpha=_strength(mark),
        )  # fmt: skip
    return 1 + max(rows, default=-1)


def _strength(mark: Mark) -> float:
    return 1.0 if mark.claimed else 0.45


def _mark(axes: Axes, mark: Mark) -> None:
    colour, dashes = COLOURS[mark.role], (5, 2) if mark.label == BOUNDARIES["LI"] else (1.5, 1.5)
    strength = _strength(mark)
    paper = mark.role == "paper"
    axes.axvline(mark.layer, color=colour, linewidth=0.8, dashes=dashes, alpha=strength, zorder=1)
    for low, high in mark.spans():
        place = Rectangle(
            (low, 0.02 if paper else 0.07), high - low, 0.03, transform=axes.get_xaxis_transform(),
            facecolor=colour, alpha=strength, linewidth=0, zorder=5,
        )  # fmt: skip
        axes.add_patch(place)


def draw_strip(axes: Axes, row: StripRow, height: float, name: str) -> None:
    """A layer strip over relative depth, with its name at its end."""
    layers = len(row.scales)
    # Paper mode never stands for a verdict, so it never looks like one.
    strength = 0.2 if not row.claimed else 0.5 if row.role == "paper" else 1.0
    for block, scale in enumerate(row.scales):
        edge = "#b5b5b5" if scale == UNDIVIDED else "white"
        place = (block / layers, height - 0.11)
        axes.add_patch(Rectangle(place, 1 / layers, 0.2, fc=SCALES[scale], ec=edge, lw=0.4, alpha=strength))
    for mark in row.marks:
        axes.vlines(mark.layer / layers, height - 0.14, height + 0.14, color=BLACK, linewidth=0.9)
        # Two rows, because the sets of two boundaries may overlap.
        below = height + (0.14 if mark.label == BOUNDARIES["IG"] else 0.1)
        for low, high in mark.spans():
            axes.add_patch(Rectangle((low / layers, below), (high - low) / layers, 0.03, fc=BLACK, lw=0))
    axes.annotate(
        name, (1, height), xytext=(4, 0), textcoords="offset points", va="center",
        color=COLOURS.get(row.role, BLACK), fontsize=7, annotation_clip=False,
    )  # fmt: skip


def _handle(line: Line) -> Line2D | Patch:
    if line.role == "twin":
        return Patch(facecolor=GREY, alpha=0.35, linewidth=0, label=line.label)
    return Line2D([], [], color=COLOURS[line.role], label=line.label, **LOOKS[line.role])


@contextmanager
def style() -> Iterator[None]:
    """The look of every figure, whatever the machine's own settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def files_of(figure: Figure) -> dict[str, bytes]:
    """`svg` and `pdf` → the bytes of the file, without a date."""
    files = {}
    for form, metadata in (("svg", {"Date": None, "Creator": "mspgt"}), ("pdf", {"CreationDate": None})):
        buffer = BytesIO()
        figure.savefig(buffer, format=form, metadata=metadata)
        files[form] = buffer.getvalue()
    return files
