"""The accounts of one model as a figure for a paper: strips of one depth, and below them curves and matrix."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.lines import Line2D

from mspgt.report.accounts import TITLES, Account
from mspgt.report.curves import Panel
from mspgt.report.figures import (
    BLUE,
    COLOURS,
    LOOKS,
    draw_panel,
    draw_strip,
    files_of,
    new_figure,
    style,
    venue_width,
)
from mspgt.report.heat import Heat, draw_heat


def where_figure(
    name: str, every: Sequence[Account], panel: Panel | None, heat: Heat | None, venue: str = "neurips"
) -> dict[str, bytes]:
    """Draw the strips of all accounts, and what was measured of curves and matrix, two abreast or in a column.

    Returns:
        `svg` and `pdf` → the file's bytes.
    """
    below = [part for part in (panel if panel and panel.drawn else None, heat) if part is not None]
    wide = venue_width(venue) > 4
    rows = -(-len(below) // 2) if wide else len(below)
    strips = 0.3 + 0.24 * len(every)
    height = strips + 0.35 + 2.3 * rows
    with style():
        figure = new_figure(venue, height)
        width = venue_width(venue)
        figure.text(0.05 / width, 0.995, name, va="top", fontsize=9)
        top = figure.add_axes(
            (0.08 / width, 1 - (strips + 0.1) / height, 1 - 0.85 / width, strips / height - 0.02)
        )
        for at, one in enumerate(every):
            draw_strip(top, one.row, float(at), TITLES[one.key])
        top.set(xlim=(0, 1), ylim=(len(every) - 0.6, -0.6))
        top.set_xticks([0, 0.5, 1])
        top.set_yticks([])
        top.grid(visible=False)
        top.spines[["left", "right"]].set_visible(False)
        columns = 2 if wide and len(below) > 1 else 1
        across = (width - 0.6 - 0.5 * (columns - 1)) / columns
        for at, part in enumerate(below):
            line, column = divmod(at, columns)
            left = (0.5 + column * (across + 0.5)) / width
            axes = figure.add_axes(
                (
                    left,
                    1 - (strips + 0.45 + 2.3 * line + 1.75) / height,
                    (across - 0.05) / width,
                    1.6 / height,
                )
            )
            if isinstance(part, Heat):
                draw_heat(axes, part, BLUE)
            else:
                draw_panel(axes, part)
                axes.set_xlabel("layer")
                handles = [
                    Line2D([], [], color=COLOURS[line.role], label=line.label, **LOOKS[line.role])
                    for line in part.lines
                ]
                axes.legend(handles=handles, fontsize=6, loc="lower right")
        return files_of(figure)
