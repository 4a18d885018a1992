"""Positions across sizes, for a comparison: every configuration on one depth, and the slopes with their intervals."""

from __future__ import annotations

from dataclasses import asdict

from markupsafe import Markup

from mspgt.report.figures import charts_plate
from mspgt.report.forest import Dot, Forest, Row
from mspgt.report.markup import table_html, tag
from mspgt.report.section import Section
from mspgt.report.shown import figure_html
from mspgt.report.tables import Cell, Table, columns_of, ends
from mspgt.report.words import BOUNDARIES, MISSING, counted, interval, listing, number
from mspgt.results.comparison import SizedConfiguration, Sizes, SizeTrend

ABOUT = (
    "Positions by relative depth, the smallest model first. Models of one configuration are runs of it: their mean "
    "is one point. A slope is the change of relative depth for each doubling, by least squares, with a 95 % interval "
    "of Student’s t over configurations; a position is known to half a layer at best, and families that differ in "
    "more than size are not told apart."
)
ROLES = {"LI": "calibrated", "IG": "variant"}
WORDS = {"layers": "layers", "width": "width", "parameters": "parameters", "step": "training steps"}


def sizes_section(sizes: Sizes | None) -> Section | None:
    """The scaling picture of a comparison; None where it has none."""
    if sizes is None or not sizes.configurations:
        return None
    forest, table, trends = _forest(sizes), configurations_table(sizes), trends_table(sizes)
    parts = [tag("p", ABOUT)]
    figures = {}
    if forest.drawn:
        drawing = figure_html("sizes-positions", forest.chart, numbers=table, beside="tables/sizes.csv")
        parts.append(tag("div", drawing, class_="charts one"))
        figures["sizes"] = charts_plate([forest.chart], ABOUT)
    parts.append(table_html(Table.told("slopes of positions on size", map(_trend, sizes.trends))))
    known = sum(one.slope is not None for one in sizes.trends)
    lead = f"{counted(len(sizes.configurations), 'configuration')}, {counted(known, 'slope')}"
    return Section(
        "sizes", "Across sizes", Markup("").join(parts), lead=lead, tables=(table, trends), figures=figures
    )


def _slope(one: SizeTrend) -> str:
    if one.slope is None:
        return f"{MISSING} {one.reason}"
    return f"{number(one.slope, 2)}{interval(one.ci, 2)}"


def _trend(one: SizeTrend) -> dict[str, Cell]:
    return {
        "boundary": BOUNDARIES[one.boundary],
        "for each doubling of": WORDS[one.against],
        "configurations": one.n,
        "families": listing(one.families),
        "change of relative depth": _slope(one),
    }


def _forest(sizes: Sizes) -> Forest:
    rows = [
        Row(
            f"{_name(one)}: {one.layers} × {one.width}, {number(one.parameters)}",
            tuple(
                Dot(role, place, label=BOUNDARIES[which])
                for which, role in ROLES.items()
                if (place := one.of(which)) is not None
            ),
            missing="no boundary" if one.LI is None and one.IG is None else "",
        )
        for one in sizes.configurations
    ]
    return Forest("Positions by size", "relative depth", tuple(rows), limits=(0.0, 1.0))


def _name(one: SizedConfiguration) -> str:
    runs = len(one.models)
    name = one.models[0] if runs == 1 else f"{one.family}, {runs} runs"
    return f"{name}, step {number(one.step)}" if one.step and runs > 1 else name


def configurations_table(sizes: Sizes) -> Table:
    """One row a configuration."""
    columns = columns_of(
        "family:string models:string layers:int64 width:int64 parameters:int64 step:int64",
        "LI:double IG:double LI_models:int64 IG_models:int64",
    )
    records = (asdict(one) | {"models": ", ".join(one.models)} for one in sizes.configurations)
    return Table.of("sizes", "Relative positions by size of the model", columns, records)


def trends_table(sizes: Sizes) -> Table:
    """One row a slope: change of relative depth for each doubling."""
    columns = columns_of(
        "boundary:string against:string n:int64 slope:double low:double high:double",
        "families:string reason:string",
    )
    records = (asdict(one) | ends(one.ci) | {"families": ", ".join(one.families)} for one in sizes.trends)
    return Table.of("size_slopes", "Slopes of relative positions on the logarithm of size", columns, records)
