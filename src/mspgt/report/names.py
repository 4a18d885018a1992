"""Names of boundaries on the page, above their lines, in as many rows as keep them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mspgt.report.curves import rows_apart

LETTER = 6.5  # width of a letter
ROW = 10  # height of one row of names


@dataclass(frozen=True)
class Name:
    """Where the name of a boundary stands: which way it runs from its line, and in which row above the drawing."""

    text: str
    anchor: str  # start | end
    row: int


def names_apart(
    names: Sequence[tuple[str, float, bool]], letter: float, left: float, right: float
) -> list[Name]:
    """The names of boundaries in as many rows as keep them apart.

    Args:
        names: text, place of the boundary, and whether it runs to the left where it has room.
        letter: width of a letter; it and the ends of the drawing are in units of the places.
    """
    anchors, spans = [], []
    for text, at, outwards in names:
        width = letter * (len(text) + 1)
        anchors.append("end" if (outwards and at - width > left) or at + width > right else "start")
        spans.append((at - width, at) if anchors[-1] == "end" else (at, at + width))
    texts = (text for text, _, _ in names)
    return [Name(*name) for name in zip(texts, anchors, rows_apart(spans), strict=True)]
