"""Forest plots for a paper: the page's own, as SVG and PDF at a venue's width."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from mspgt.report.figures import BLACK, COLOURS, GREY, files_of, grid_of, new_figure, style, venue_width
from mspgt.report.forest import Dot, Forest

MARKERS = {"calibrated": "o", "paper": "s", "variant": "D", "twin": "^", "level": "x"}
ROW = 0.17  # inches


def forests_figure(forests: Sequence[Forest], venue: str = "neurips") -> dict[str, bytes]:
    """Draw forests two abreast, or one above the other in a narrow column.

    Returns:
        `svg` and `pdf` → the file's bytes.
    """
    columns = 2 if venue_width(venue) > 4 and len(forests) > 1 else 1
    lines = -(-len(forests) // columns)
    rows = max(len(forest.rows) for forest in forests)
    with style():
        # Room for a second line below the axis, and so on.
        below = 0.12 * max(len(forest.axis_lines) - 1 for forest in forests)
        figure = new_figure(venue, 0.2 + lines * (ROW * rows + 0.75 + below))
        grid = grid_of(
            figure, lines, columns, top=0.25, bottom=0.45 + below, left=1.15, right=0.08, wide=1.25,
            high=0.75 + below,
        )  # fmt: skip
        for at, forest in enumerate(forests):
            _draw(figure.add_subplot(grid[divmod(at, columns)]), forest)
        return files_of(figure)


def _draw(axes: Axes, forest: Forest) -> None:
    axes.set_title(forest.title, pad=4)
    axes.set(xlim=forest.ends, ylim=(len(forest.rows) - 0.5, -0.5), xlabel="\n".join(forest.axis_lines))
    axes.set_xticks(forest.ticks())
    axes.set_yticks(range(len(forest.rows)), [row.label for row in forest.rows])
    axes.grid(visible=False)
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)
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
