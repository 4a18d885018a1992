"""The curves of several models over one relative depth, as a comparison shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mspgt.report.charts import Scale, path
from mspgt.report.curves import Line, logarithmic, runs
from mspgt.report.figures import (
    BLACK,
    BLUE,
    COLOURS,
    GREY,
    PURPLE,
    VERMILLION,
    files_of,
    grid_of,
    new_figure,
    style,
    venue_width,
)
from mspgt.report.markup import figure_html, tag
from mspgt.report.section import Plate, Section
from mspgt.report.tables import Cell, Table
from mspgt.report.words import NO_REASON, counted, number
from mspgt.results.comparison import Comparison
from mspgt.vocabulary import SIGNALS

PRINTED = (BLUE, VERMILLION, PURPLE, COLOURS["local"], BLACK, GREY)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 430, 230, 44, 14, 24, 40
LOOKS = 12  # kinds of line that can be told apart: six colours, whole and dashed
ABOUT = (
    "The same curve of every model over relative depth: layer l of L stands at l / L, a transition at the layer that "
    "it leaves. Calibrated mode, without intervals; the page of each run has them, and its random twins. Heights "
    "compare only where runs measured alike."
)
# Key → title, unit.
CURVES = {
    "S1": ("S1 · representation change", "−log CKA"),
    "S2": ("S2 · probe jump", "relative change of probe scores"),
    "S3": ("S3 · attention drift", "JS divergence, bits"),
    "L": ("Functional scale: Local", "share of its level"),
    "I": ("Functional scale: Intermediate", "share of its level"),
    "G": ("Functional scale: Global", "share of its level"),
}
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Curve:
    """One model's curve: relative depth and value; `look` is its number among the models."""

    model: str
    look: int
    depths: tuple[float, ...]
    values: tuple[float | None, ...]

    @property
    def kind(self) -> str:
        """Its class on the page."""
        return f"m{self.look % LOOKS}"


@dataclass(frozen=True)
class Overlay:
    """One chart: a curve of every model that has it, and why the others have none."""

    key: str
    curves: tuple[Curve, ...]
    missing: tuple[str, ...]

    @property
    def title(self) -> str:
        return CURVES[self.key][0]

    @property
    def unit(self) -> str:
        return CURVES[self.key][1]


def overlays(found: Comparison) -> list[Overlay]:
    """One chart for every kind of curve that any model of a comparison has."""
    charts = []
    for key in CURVES:
        drawn, without = [], []
        for look, (name, own) in enumerate(found.curves.items()):
            values = own.of(key)
            if values is None:
                without.append(f"{name}: {own.reasons.get(key, NO_REASON)}")
                continue
            first = 0 if len(values) == own.layers + 1 else 1
            depths = tuple((first + at) / own.layers for at in range(len(values)))
            drawn.append(Curve(name, look, depths, tuple(values)))
        if drawn:
            charts.append(Overlay(key, tuple(drawn), tuple(without)))
    return charts


def overlay_section(found: Comparison) -> Section | None:
    """Curves by relative depth, and what marks the runs that they are from; None where no model has any."""
    charts = overlays(found)
    if not charts:
        return None
    marks = {name: own.marks for name, own in found.curves.items()}
    drawings = [
        figure_html(
            f"curves-{chart.key}", chart.title, overlay_svg(chart), numbers=curves_table([chart]),
            beside="tables/curves.csv", missing=chart.missing,
        )
        for chart in charts
    ]  # fmt: skip
    parts = [tag("p", ABOUT), legend(marks), tag("div", *drawings, class_="charts overlay")]
    drawn = {chart.key for chart in charts}
    parts += [
        tag("p", f"— {CURVES[key][0]}: no model has such a curve.", class_="missing")
        for key in CURVES
        if key not in drawn
    ]
    return Section(
        "curves",
        "Curves by relative depth",
        Markup("").join(parts),
        lead=counted(len(marks), "model"),
        tables=(curves_table(charts),),
        figures={"curves": Plate(lambda venue: overlay_figure(charts, marks, venue), ABOUT)},
    )


def legend(marks: Mapping[str, Sequence[str]]) -> Markup:
    """Name and stroke of every model; what marks its run stands beside."""
    items = [
        tag("span", tag("i", class_=f"line m{look % LOOKS}"), marked(name, own))
        for look, (name, own) in enumerate(marks.items())
    ]
    return tag("p", *items, class_="legend overlay")


def marked(name: str, marks: Sequence[str]) -> str:
    """A model with what marks its run."""
    return f"{name} ({'; '.join(marks)})" if marks else name


def curves_table(charts: Sequence[Overlay]) -> Table:
    """One row a model, curve and layer."""
    columns = {"curve": "string", "model": "string", "relative": "double", "value": "double"}
    rows: list[tuple[Cell, ...]] = [
        (chart.key, curve.model, depth, value)
        for chart in charts
        for curve in chart.curves
        for depth, value in zip(curve.depths, curve.values, strict=True)
    ]
    return Table("curves", "Curves by relative depth", columns, rows)


def overlay_svg(chart: Overlay) -> Markup:
    """One chart as an SVG element."""
    told = ", ".join(curve.model for curve in chart.curves)
    about: dict[str, str | float] = {
        "class": "chart overlay", "viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img",
        "aria-label": f"{chart.title} by relative depth: {told}",
    }  # fmt: skip
    return tag("svg", *_drawing(chart), **about)


def _lines(chart: Overlay) -> list[Line]:
    return [Line(curve.model, curve.kind, list(curve.values)) for curve in chart.curves]


def _drawing(chart: Overlay) -> Iterator[Markup]:
    ground = HEIGHT - BOTTOM
    scale = Scale.of(_lines(chart), TOP, ground, chart.key in SIGNALS)
    if scale is None:
        return

    def across(depth: float) -> float:
        return LEFT + depth * (WIDTH - LEFT - RIGHT)

    yield tag(
        "path",
        class_="grid",
        d="".join(f"M{LEFT} {scale(tick):.1f}H{WIDTH - RIGHT}" for tick in scale.ticks()),
    )
    for tick in scale.ticks():
        yield tag("text", number(tick), x=LEFT - 6, y=scale(tick) + 3.5, class_="end")
    strokes = "".join(f"M{across(tick):.1f} {ground}v4" for tick in TICKS)
    yield tag("path", class_="axis", d=f"M{LEFT} {ground}H{WIDTH - RIGHT}{strokes}")
    for tick in TICKS:
        yield tag("text", number(tick), x=across(tick), y=ground + 16, class_="tick middle")
    yield tag("text", "relative depth", x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 6, class_="middle")
    yield tag("text", chart.unit, x=0, y=11)
    for curve in chart.curves:
        for run in runs(curve.values):
            points = [(across(curve.depths[at]), scale(value)) for at, value in run]
            yield tag("path", class_=f"line {curve.kind}", d=path(points))


def overlay_figure(
    charts: Sequence[Overlay], marks: Mapping[str, Sequence[str]], venue: str = "neurips"
) -> dict[str, bytes]:
    """All charts for a paper, two abreast: `svg` and `pdf` → the file's bytes."""
    columns = 2 if venue_width(venue) > 4 else 1
    lines = -(-len(charts) // columns)
    with style():
        figure = new_figure(venue, 0.9 + 1.35 * lines + 0.14 * len(marks))
        bottom = 0.5 + 0.14 * len(marks)
        grid = grid_of(
            figure, lines, columns, top=0.25, bottom=bottom, left=0.5, right=0.08, wide=0.6, high=0.5
        )
        for at, chart in enumerate(charts):
            _draw(figure.add_subplot(grid[divmod(at, columns)]), chart)
        handles = [
            Line2D([], [], label=marked(name, own), **_look(at))
            for at, (name, own) in enumerate(marks.items())
        ]
        figure.legend(handles=handles, loc="lower center", ncols=1)
        return files_of(figure)


def _draw(axes: Axes, chart: Overlay) -> None:
    axes.set_title(chart.title)
    axes.set(xlim=(0, 1), xticks=TICKS, ylabel=chart.unit, xlabel="relative depth")
    if logarithmic(_lines(chart)) and chart.key in SIGNALS:
        axes.set_yscale("log")
    for curve in chart.curves:
        values = [nan if value is None else value for value in curve.values]
        axes.plot(curve.depths, values, **_look(curve.look))


def _look(number_of_model: int) -> dict[str, Any]:
    dashed = number_of_model % LOOKS >= len(PRINTED)
    return {
        "color": PRINTED[number_of_model % len(PRINTED)],
        "linewidth": 1.0,
        "linestyle": (0, (4, 1.5)) if dashed else "-",
    }
