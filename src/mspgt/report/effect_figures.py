"""Figures 7 to 9 for a paper: bars by scale with intervals and the A/A band, as SVG and PDF."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mspgt.report.figures import BLACK, GREY, files_of, grid_of, new_figure, style, venue_width
from mspgt.report.figures import SCALES as COLOURS
from mspgt.report.interventions import BarPanel
from mspgt.report.words import number


def bars_figure(panels: Sequence[BarPanel], title: str, venue: str = "neurips") -> dict[str, bytes]:
    """Draw the panels of one model that hold a number, three abreast, or two in a narrow column.

    Returns:
        `svg` and `pdf` → the file's bytes; the same panels give the same bytes.
    """
    drawn = [panel for panel in panels if panel.drawn]
    columns = 3 if venue_width(venue) > 4 else 2
    lines = max(1, -(-len(drawn) // columns))
    with style():
        figure = new_figure(venue, 0.75 + 1.25 * lines)
        figure.text(0.05 / venue_width(venue), 0.995, title, va="top", fontsize=9)
        grid = grid_of(
            figure, lines, columns, top=0.42, bottom=0.55, left=0.5, right=0.08, wide=0.5, high=0.42
        )
        for at, panel in enumerate(drawn):
            axes = figure.add_subplot(grid[divmod(at, columns)])
            _bars(axes, panel)
            if at % columns == 0:
                axes.set_ylabel("change, %")
        handles = [Patch(color=COLOURS[s], label=s) for s in ("Local", "Intermediate", "Global")]
        handles.append(Patch(color=GREY, alpha=0.25, label="A/A range"))
        figure.legend(handles=handles, loc="lower center", ncols=4, columnspacing=1.2, handlelength=1.2)
        return files_of(figure)


def _bars(axes: Axes, panel: BarPanel) -> None:
    axes.set_title(panel.title, fontsize=7)
    if panel.chance:
        axes.axhspan(*panel.chance, color=GREY, alpha=0.25, linewidth=0)
    axes.axhline(0, color=BLACK, linewidth=0.5)
    for at, bar in enumerate(panel.bars):
        if bar.percent is None:
            continue
        colour = COLOURS[bar.scale.capitalize()]
        axes.bar(at, bar.percent, width=0.6, color=colour, alpha=1.0 if bar.claimed else 0.4)
        if bar.interval:
            axes.vlines(at, *bar.interval, color=BLACK, linewidth=0.8)
    axes.set_xticks(range(len(panel.bars)), [bar.label for bar in panel.bars])
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
