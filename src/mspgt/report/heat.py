"""A similarity matrix as a chart: every pair of blocks a cell, darker where they write alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mspgt.report.curves import Values
from mspgt.report.marks import Axis, Cells, Chart, Mark, Rule, layer_axis
from mspgt.report.words import number


@dataclass(frozen=True)
class Heat:
    """(L, L) similarities of blocks 1..L with the boundaries between them."""

    title: str
    rows: Sequence[Values]
    boundaries: tuple[int, ...] = ()
    candidate: int | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """Least and most similarity of two blocks; of a block with itself it is 1."""
        known = [v for i, row in enumerate(self.rows) for j, v in enumerate(row) if i != j and v is not None]
        return (min(known), max(known)) if known else (0.0, 1.0)

    @property
    def chart(self) -> Chart:
        """The same as marks, block 1 in the upper left corner."""
        blocks, (low, high) = len(self.rows), self.ends
        ticks = layer_axis("block", range(1, blocks + 1)).ticks
        places = [f"a boundary after block {layer}" for layer in self.boundaries] or ["no boundary"]
        marks: list[Mark] = [Cells("similarity", tuple(tuple(row) for row in self.rows), low, high)]
        lines = [("cut", layer) for layer in self.boundaries]
        lines += [("candidate", self.candidate)] if self.candidate is not None else []
        marks += [Rule(role, layer + 0.5, level) for role, layer in lines for level in (False, True)]
        range_ = f"from {number(low, 2)} to {number(high, 2)}"
        return Chart(
            self.title,
            Axis("block", 0.5, blocks + 0.5, ticks, line=False),
            Axis("", blocks + 0.5, 0.5, ticks),
            tuple(marks),
            shape="square",
            about=f"similarity of blocks 1 to {blocks}, {range_}; {', '.join(places)}",
        )
