"""A similarity matrix as a chart: every pair of blocks a cell, darker where they write alike."""

from __future__ import annotations

from collections.abc import Sequence

from mspgt.report.curves import Values
from mspgt.report.marks import Axis, Cells, Chart, Mark, Rule, layer_axis
from mspgt.report.words import number


def heat_chart(
    title: str, rows: Sequence[Values], boundaries: Sequence[int] = (), candidate: int | None = None
) -> Chart:
    """(L, L) similarities of blocks 1..L with the boundaries between them, block 1 in the upper left corner.

    Shades go from the least to the most similarity of two blocks; of a block with itself it is 1.
    """
    blocks = len(rows)
    known = [v for i, row in enumerate(rows) for j, v in enumerate(row) if i != j and v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    ticks = layer_axis("block", range(1, blocks + 1)).ticks
    places = [f"a boundary after block {layer}" for layer in boundaries] or ["no boundary"]
    marks: list[Mark] = [Cells("similarity", tuple(tuple(row) for row in rows), low, high)]
    lines = [("cut", layer) for layer in boundaries]
    lines += [("candidate", candidate)] if candidate is not None else []
    marks += [Rule(role, layer + 0.5, level) for role, layer in lines for level in (False, True)]
    between = f"from {number(low, 2)} to {number(high, 2)}"
    return Chart(
        title,
        Axis("block", 0.5, blocks + 0.5, ticks, line=False),
        Axis("", blocks + 0.5, 0.5, ticks),
        tuple(marks),
        shape="square",
        about=f"similarity of blocks 1 to {blocks}, {between}; {', '.join(places)}",
    )
