"""The specification curve: every boundary under every defensible choice of analysis, in one picture a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mspgt.report.figures import charts_plate
from mspgt.report.forest import Dot, Forest, Row
from mspgt.report.markup import tag
from mspgt.report.section import Section
from mspgt.report.tables import Table
from mspgt.report.words import BOUNDARIES, claims
from mspgt.report.writing import stems
from mspgt.results import ModelResult, Results

ABOUT = (
    "Each row is one choice of analysis, each mark a boundary that it finds. Squares: paper mode. Circles: "
    "calibrated mode, with the span of the 95 % set. Diamonds: the best reading with a given number of boundaries. "
    "Hollow marks do not count: rejected by the protocol’s rule, below the critical value, or lost under that choice."
)


def specification_section(results: Results) -> Section:
    """The specification curves of all models."""
    names = stems(results.models)
    forests = {name: specification(name, model) for name, model in results.models.items()}
    why = "no choice of analysis finds a boundary"
    drawn = [
        forest.html(f"specification-{names[name]}", "tables/specification.csv", missing=why)
        for name, forest in forests.items()
    ]
    shown = [forest.chart for forest in forests.values() if forest.drawn]
    return Section(
        "specification",
        "Specification curve",
        tag("p", ABOUT) + tag("div", *drawn, class_="charts"),
        lead="which boundaries hang on a choice of analysis",
        tables=(_table(forests),),
        figures={"specification": charts_plate(shown, ABOUT)} if shown else {},
    )


def specification(name: str, model: ModelResult) -> Forest:
    """What one model's boundaries are under every choice."""
    return Forest(name, "layer", tuple(_rows(model)), limits=(0, model.layers), whole=True)


def _rows(model: ModelResult) -> Iterator[Row]:
    paper, calibrated = model.boundaries.paper, model.boundaries.calibrated
    rejected = paper.accepted is False
    yield Row(
        "paper",
        tuple(
            Dot("paper", one.layer, one.ci, name, rejected)
            for which, name in BOUNDARIES.items()
            if (one := paper.of(which))
        ),
    )
    other = paper.other_normalisation
    yield Row(
        "paper, maximum only",
        tuple(
            Dot("paper", layer, None, BOUNDARIES[which], hollow=True)
            for which, layer in (("LI", other.LI), ("IG", other.IG))
            if layer is not None
        ),
    )
    own = claims(calibrated)
    yield Row(
        "calibrated",
        tuple(Dot("calibrated", claim.layer, _span(claim.set), role or claim.kind) for role, claim in own),
    )
    for choice in dict.fromkeys(choice for _, claim in own for choice in claim.robust):
        dots = tuple(
            Dot("calibrated", claim.layer, None, role or claim.kind, hollow=not claim.robust[choice])
            for role, claim in own
            if claim.robust.get(choice) is not None
        )
        yield Row(f"calibrated, {choice.replace('_', ' ')}", dots, missing="" if dots else "not tested")
    for count, rivals in calibrated.rivals.items():
        dots = tuple(
            Dot("variant", rival.layer, None, rival.kind, hollow=rival.score < rival.critical)
            for rival in rivals
        )
        yield Row(f"K = {count}", dots)


def _span(layers: list[int]) -> tuple[float, float]:
    return layers[0], layers[-1]


def _table(forests: Mapping[str, Forest]) -> Table:
    one = next(iter(forests.values())).table("specification")
    rows = [(name, *row) for name, forest in forests.items() for row in forest.table("").rows]
    return Table("specification", "Specification curve", {"model": "string", **one.columns}, rows)
