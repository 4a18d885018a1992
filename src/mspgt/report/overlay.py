"""The curves of several models over one relative depth, as a comparison shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mspgt.report.charts import line_marks
from mspgt.report.curves import Line, axis_values
from mspgt.report.figures import charts_plate
from mspgt.report.look import PRINTED
from mspgt.report.marks import Axis, Chart, Key, around
from mspgt.report.markup import missing_html, tag
from mspgt.report.panels import SIGNALS as DRAWN
from mspgt.report.section import Section
from mspgt.report.shown import figure_html
from mspgt.report.svg import legend_html
from mspgt.report.tables import Table, columns_of
from mspgt.report.words import NO_REASON, counted, number
from mspgt.results.comparison import Comparison
from mspgt.vocabulary import SIGNALS

LOOKS = 2 * len(PRINTED)  # kinds of line that can be told apart: six colours, whole and dashed
ABOUT = (
    "The same curve of every model over relative depth: layer l of L stands at l / L, a transition at the layer that "
    "it leaves. Calibrated mode, without intervals; the page of each run has them, and its random twins. Heights "
    "compare only where runs measured alike."
)
# Key → title, unit.
CURVES = {
    **{signal: DRAWN[signal][:2] for signal in SIGNALS},
    "L": ("Functional scale: Local", "share of its level"),
    "I": ("Functional scale: Intermediate", "share of its level"),
    "G": ("Functional scale: Global", "share of its level"),
}
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Overlay:
    """One chart: a curve of every model that has it, and why the others have none."""

    key: str
    curves: tuple[tuple[Line, tuple[float, ...]], ...]  # with relative depths
    missing: tuple[str, ...]

    @property
    def chart(self) -> Chart:
        """The curves as marks."""
        title, unit = CURVES[self.key]
        y = around(unit, axis_values(line for line, _ in self.curves), wide=self.key in SIGNALS)
        marks = tuple(mark for line, depths in self.curves for mark in line_marks(line, depths))
        told = ", ".join(line.label for line, _ in self.curves)
        return Chart(
            title,
            Axis("relative depth", 0, 1, tuple((tick, number(tick)) for tick in TICKS)),
            y or Axis(unit, 0, 1),
            marks if y else (),
            shape="overlay",
            about=f"{title} by relative depth: {told}",
        )


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
            drawn.append((Line(name, role_of(look), values), depths))
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
            f"curves-{one.key}",
            one.chart,
            numbers=curves_table([one]),
            beside="tables/curves.csv",
            missing=one.missing,
        )
        for one in charts
    ]
    keys = legend(marks)
    parts = [tag("p", ABOUT), legend_html(keys, "overlay"), tag("div", *drawings, class_="charts overlay")]
    drawn = {chart.key for chart in charts}
    absent = (title for key, (title, _) in CURVES.items() if key not in drawn)
    parts.append(missing_html(*(f"{title}: no model has such a curve." for title in absent)))
    return Section(
        "curves",
        "Curves by relative depth",
        Markup("").join(parts),
        lead=counted(len(marks), "model"),
        tables=(curves_table(charts),),
        figures={"curves": charts_plate([one.chart for one in charts], ABOUT, legend=keys)},
    )


def role_of(look: int) -> str:
    """How the curves of a model are drawn, by its number among the models."""
    return f"m{look % LOOKS}"


def legend(marks: Mapping[str, Sequence[str]]) -> list[Key]:
    """Name and stroke of every model; what marks its run stands beside."""
    return [Key(role_of(look), marked(name, own)) for look, (name, own) in enumerate(marks.items())]


def marked(name: str, marks: Sequence[str]) -> str:
    """A model with what marks its run."""
    return f"{name} ({'; '.join(marks)})" if marks else name


def curves_table(charts: Sequence[Overlay]) -> Table:
    """One row a model, curve and layer."""
    columns = columns_of("curve:string model:string relative:double value:double")
    records = (
        {"curve": chart.key, "model": line.label, "relative": depth, "value": value}
        for chart in charts
        for line, depths in chart.curves
        for depth, value in zip(depths, line.values, strict=True)
    )
    return Table.of("curves", "Curves by relative depth", columns, records)
