"""The accounts of one model as a figure for a paper: strips of one depth, and below them curves and matrix."""

from __future__ import annotations

from collections.abc import Sequence

from mspgt.report.accounts import TITLES, Account
from mspgt.report.figures import add_legend, draw
from mspgt.report.look import files_of, new_figure, style, venue_width
from mspgt.report.marks import Chart
from mspgt.report.strips import draw_strip

HIGH, BETWEEN = 1.6, 0.7  # inches of the axes below the strips, and between two lines of them


def where_figure(
    name: str, every: Sequence[Account], charts: Sequence[Chart], venue: str = "neurips"
) -> dict[str, bytes]:
    """Draw the strips of all accounts, and below them charts, two abreast or in a column.

    Returns:
        `svg` and `pdf` → the file's bytes.
    """
    width = venue_width(venue)
    columns = min(2 if width > 4 else 1, max(len(charts), 1))
    strips = 0.3 + 0.24 * len(every)
    height = strips + 0.35 + (HIGH + BETWEEN) * -(-len(charts) // columns)
    across = (width - 0.6 - 0.75 * (columns - 1)) / columns
    with style():
        figure = new_figure(venue, height)
        figure.text(0.05 / width, 0.995, name, va="top", fontsize=9)
        box = (0.08 / width, 1 - (strips + 0.1) / height, 1 - 0.85 / width, strips / height - 0.02)
        top = figure.add_axes(box)
        for at, one in enumerate(every):
            draw_strip(top, one.row, float(at), TITLES[one.key])
        top.set(xlim=(0, 1), ylim=(len(every) - 0.6, -0.6), xticks=[0, 0.5, 1], yticks=[])
        top.spines["left"].set_visible(False)
        for at, chart in enumerate(charts):
            line, column = divmod(at, columns)
            left, down = 0.5 + column * (across + 0.75), strips + 0.45 + (HIGH + BETWEEN) * line + HIGH + 0.15
            box = (left / width, 1 - down / height, (across - 0.45) / width, HIGH / height)
            axes = figure.add_axes(box)
            draw(axes, chart, [chart.title])
            if chart.legend:
                add_legend(axes, chart.legend)
        return files_of(figure)
