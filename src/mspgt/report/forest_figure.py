"""Forest plots for a paper: the page's own, as SVG and PDF at a venue's width."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from mspgt.report.figures import BLACK, COLOURS, GREY, files_of, grid_of, new_figure, style, venue_width
from mspgt.report.forest import Dot, Forest

MARKERS = {"calibrated": "o", "paper": "s", "variant": "D", "twin": "^", "level": "x"}
ROW, LINE, LABELS = 0.17, 0.13, 1.15  # inches: of a row, of a line of text, and of the place for labels
TITLE_LETTERS = 46


def forests_figure(forests: Sequence[Forest], venue: str = "neurips") -> dict[str, bytes]:
    """Draw forests two abreast, or one above the other in a narrow column.

    Returns:
        `svg` and `pdf` → the file's bytes.
    """
    columns = 2 if venue_width(venue) > 4 and len(forests) > 1 else 1
    lines = -(-len(forests) // columns)
    rows = max(len(forest.rows) for forest in forests)
    with style():
        # Room for a second line of a title or below an axis, and so on.
        above = LINE * max(len(_title(forest)) - 1 for forest in forests)
        below = LINE * max(len(forest.axis_lines) - 1 for forest in forests)
        figure = new_figure(venue, 0.2 + lines * (ROW * rows + 0.75 + above + below))
        grid = grid_of(
            figure, lines, columns, top=0.25 + above, bottom=0.45 + below, left=LABELS, right=0.08,
            wide=LABELS + 0.1, high=0.75 + above + below,
        )  # fmt: skip
        for at, forest in enumerate(forests):
            _draw(figure.add_subplot(grid[divmod(at, columns)]), forest)
        return files_of(figure)


def _title(forest: Forest) -> list[str]:
    return wrap(forest.title, TITLE_LETTERS)


def _draw(axes: Axes, forest: Forest) -> None:
    # Title and name of the axis have the place of the labels too.
    axes.annotate(
        "\n".join(_title(forest)), (0, 1), (-72 * LABELS, 4), "axes fraction", "offset points",
        va="bottom", fontsize="medium", annotation_clip=False,
    )  # fmt: skip
    axes.set_xlabel("\n".join(forest.axis_lines), loc="right")
    axes.set(xlim=forest.ends, ylim=(len(forest.rows) - 0.5, -0.5))
    axes.set_xticks(forest.ticks())
    axes.set_yticks(range(len(forest.rows)), [row.label for row in forest.rows])
    axes.grid(visible=False)
    axes.grid(visible=True, axis="x")
    axes.spines[["left", "right"]].set_visible(False)
    if forest.reference is not None:
        axes.axvline(forest.reference, color=BLACK, linewidth=0.5)
    for at, row in enumerate(forest.rows):
        if row.band:
            low, high = row.band
            axes.add_patch(Rectangle((low, at - 0.4), high - low, 0.8, fc=GREY, alpha=0.25, lw=0))
        drawn = [dot for dot in row.dots if dot.value is not None]
        for place, dot in enumerate(drawn):
            _dot(axes, dot, at + (place - (len(drawn) - 1) / 2) * min(0.3, 0.7 / len(drawn)))


def _dot(axes: Axes, dot: Dot, height: float) -> None:
    assert dot.value is not None
    colour = COLOURS[dot.role]
    if dot.interval:
        axes.hlines(height, *dot.interval, color=colour, linewidth=0.8)
    face = "white" if dot.hollow and dot.role != "level" else colour
    axes.plot([dot.value], [height], MARKERS[dot.role], color=colour, markerfacecolor=face, markersize=3.2,
              markeredgewidth=0.7)  # fmt: skip
