"""Strips of layers as charts: every block in the colour of its scale, boundaries with their sets below."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, groupby

from markupsafe import Markup

from mspgt.report.charts import boundary_marks
from mspgt.report.curves import StripRow, rows_apart
from mspgt.report.marks import Axis, Boundary, Chart, Label, Mark, Rule, Span
from mspgt.report.markup import tag
from mspgt.report.svg import svg

HALVES = (0, 0.5, 1)  # relative depths that are told


def strip_chart(row: StripRow) -> Chart:
    """One mode of the layer strip: blocks 1..L from 0 to L, boundary l at l."""
    layers = len(row.scales)
    blocks: list[Mark] = []
    words: list[Mark] = []
    start = 0
    for scale, group in groupby(row.scales):
        length = len(list(group))
        blocks.append(Span(scale.lower(), (start, start + length), (0, 1)))
        # About seven pixels a letter on the narrowest strip.
        label = scale if 100 * length / layers > 2.8 * len(scale) else scale[0]
        words.append(Label(label, (start + length / 2, 0.5), f"on {scale.lower()}", "middle", (0, 4)))
        start += length
    seam = "seams" if row.marks else "seams plain"
    seams = (Rule(seam, layer) for layer in range(1, layers))
    told = "; ".join(mark.text for mark in row.marks) or "no boundary"
    return Chart(
        row.role,
        Axis("", 0, layers, tuple((layers * depth, f"{depth:g}") for depth in HALVES), line=False),
        Axis("", 0, 1),
        (*blocks, *seams, *words, *_edges(row)),
        shape="strip",
        mode=row.role if row.claimed else f"{row.role} rejected",
        about=f"scale of each block, {row.role} mode: {told}",
        layers=layers,
    )


def _edges(row: StripRow) -> list[Boundary]:
    """Boundaries, their sets in two rows where those of two of them overlap."""
    edges = boundary_marks(row.marks)
    whole = [(one.spans[0][0], one.spans[-1][1]) if one.spans else (0, 0) for one in edges]
    return [
        Boundary("edge", one.name, one.at, one.spans, one.claimed, one.outwards, at % 2)
        for one, at in zip(edges, rows_apart(whole), strict=True)
    ]


def strips_html(rows: Mapping[str, StripRow]) -> Markup:
    """Strips below one another, each behind its name."""
    drawn = [
        (tag("span", name, class_=f"role {row.role}"), svg(strip_chart(row))) for name, row in rows.items()
    ]
    return tag("div", *chain.from_iterable(drawn), class_="strips")
