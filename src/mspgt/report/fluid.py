"""Charts as wide as their container: places are shares of the width there is, letters and bars keep their size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from markupsafe import Markup

from mspgt.report.marks import Boundary, Chart, Label, Rule, Span, Whisker
from mspgt.report.markup import shared, tag
from mspgt.report.names import LETTER, ROW, Name, names_apart

DRAWN = (Span, Rule, Label, Whisker, Boundary)
NARROW = 230  # pixels of a drawing on the smallest screen


class Sizes(NamedTuple):
    """What keeps its size, in pixels."""

    kind: str  # class of the drawing
    height: int
    top: int  # of the blocks
    line: int  # where words stand


# By shape of the chart; blocks are 18 pixels high.
FLUID = {
    "strip": Sizes("strip", 48, 16, 29),
    "arms": Sizes("strip", 20, 0, 13),
    "truths": Sizes("truths", 12, 0, 10),
}


def fluid(chart: Chart) -> Markup:
    """Blocks, boundaries with their names and the sets below them, words and strokes."""
    assert all(isinstance(mark, DRAWN) for mark in chart.marks), "marks that no such chart has"
    own = FLUID[chart.shape]
    boundaries = [mark for mark in chart.marks if isinstance(mark, Boundary)]
    places = [(one.name, 100 * chart.x.share(one.at), one.outwards) for one in boundaries]
    names = names_apart(places, 100 * LETTER / NARROW, 0, 100)
    # More rows of names move all the rest down.
    down = ROW * max((name.row for name in names), default=0)
    parts = [
        *_blocks(chart, own.top + down),
        *_words(chart, own.line + down),
        *_edges(chart, boundaries, names, down),
    ]
    size: dict[str, str | float] = {"height": own.height + down}
    size |= {"data-count": chart.layers} if chart.layers else {}
    kind = f"{own.kind} {chart.mode}".strip()
    return tag("svg", *parts, class_=kind, role="img", aria_label=chart.about, **size)


def _blocks(chart: Chart, top: int) -> Iterator[Markup]:
    """A drawing within the drawing: its unit is one block, whatever the width of the screen."""
    spans = [mark for mark in chart.marks if isinstance(mark, Span)]
    rects = [
        tag("rect", class_=f"block {one.role}", x=one.x[0], width=one.x[1] - one.x[0], height=1)
        for one in spans
        if one.x
    ]
    rules = [mark for mark in chart.marks if isinstance(mark, Rule)]
    seams = [
        tag("path", class_=role, d="".join(f"M{one.at:g} .06V.94" for one in rules if one.role == role))
        for role in dict.fromkeys(one.role for one in rules)
    ]
    # A strip without boundaries looks like every other of its depth.
    drawn = [shared(*rects, *seams)] if len(rects) == 1 else [*rects, *map(shared, seams)]
    if drawn:
        box = f"0 0 {chart.x.high:g} 1"
        yield tag("svg", *drawn, y=top or "", height=18, viewBox=box, preserveAspectRatio="none")


def _words(chart: Chart, down: int) -> Iterator[Markup]:
    for mark in chart.marks:
        match mark:
            case Label(text, (across, _), role, anchor):
                kind = f"{'' if anchor == 'start' else anchor} {role}".strip()
                yield tag("text", text, class_=kind, x=_share(chart, across), y=down)
            case Whisker(role, (left, _), (right, _)):
                ends = {"x1": _share(chart, left), "x2": _share(chart, right)}
                yield tag("line", class_=role, y1=down - 3, y2=down - 3, **ends)


def _edges(chart: Chart, boundaries: list[Boundary], names: list[Name], down: int) -> Iterator[Markup]:
    """Lines first, which names may cross; then the sets."""
    known = [(one.role, _share(chart, one.at), name) for one, name in zip(boundaries, names, strict=True)]
    for role, place, name in known:
        yield tag("line", class_=role, x1=place, x2=place, y1=12 + down - ROW * name.row, y2=36 + down)
    for role, place, name in known:
        kind = f"{role} {name.anchor}"
        yield tag("text", name.text, class_=kind, x=place, y=10 + down - ROW * name.row)
    for one in boundaries:
        for low, high in one.spans:
            width = _percent(max(100 * (chart.x.share(high) - chart.x.share(low)), 0.4))
            place = _share(chart, low)
            yield tag("rect", class_="set", x=place, y=37 + down + 5 * one.row, width=width, height=4)


def _share(chart: Chart, value: float) -> str:
    return _percent(100 * chart.x.share(value))


def _percent(share: float) -> str:
    """Of the width of the drawing, to a hundredth, in as few letters as it takes."""
    return f"{share:.2f}".rstrip("0").rstrip(".") + "%"
