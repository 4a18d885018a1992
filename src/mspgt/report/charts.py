"""Charts of the page: small SVG drawn from panels, coloured by the page's style sheet.

Elements are few on purpose: a page of many models must open at once. What the pointer meets is computed by the
page's script from the attributes of the drawing, never from an element a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import log

from markupsafe import Markup
from matplotlib.ticker import LogLocator, MaxNLocator

from mspgt.report.curves import (
    Line,
    Mark,
    Panel,
    StripRow,
    axis_values,
    depth_ticks,
    logarithmic,
    rows_apart,
    runs,
)
from mspgt.report.markup import shared, tag
from mspgt.report.words import BOUNDARIES, number

WIDTH, HEIGHT = 430, 230
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 24, 26
RIGHT_WITH_AXIS = 44
LETTER = 6.5  # width of a letter, in a chart and in pixels of a strip
ROW = 10  # height of one row of names of boundaries, above the curves
NARROW = 230  # pixels of a strip on the smallest screen
SET_ROW = 8  # height of one row of confidence sets, between the curves and the axis

Place = Callable[[float], float]


@dataclass(frozen=True)
class Scale:
    """From value to height in the drawing, with ticks."""

    low: float
    high: float
    top: float
    bottom: float
    logarithmic: bool

    @classmethod
    def of(cls, lines: Sequence[Line], top: float, bottom: float, allow_log: bool) -> Scale | None:
        known = axis_values(lines)
        if not known:
            return None
        low, high = min(known), max(known)
        if allow_log and logarithmic(lines):
            return cls(low / 1.15, high * 1.15, top, bottom, True)
        margin = 0.05 * (high - low) or 0.1 * abs(high) or 1.0
        return cls(low - margin, high + margin, top, bottom, False)

    def __call__(self, value: float) -> float:
        if self.logarithmic:
            # A clipped curve may hold what a logarithm cannot; it leaves the drawing either way.
            share = log(max(value, 1e-9 * self.low) / self.low) / log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)

    def ticks(self) -> list[float]:
        locator = LogLocator(subs=(1, 3)) if self.logarithmic else MaxNLocator(4, steps=[1, 2, 5, 10])
        ticks = locator.tick_values(self.low, self.high)
        return [float(tick) for tick in ticks if self.low <= tick <= self.high]


def panel_svg(panel: Panel, identifier: str, *, twice: bool = False) -> Markup:
    """One panel as an SVG element; nothing where nothing was measured.

    Args:
        identifier: of the drawing on its page; the parts that need a name take it with a suffix.
        twice: whether the page shows the same panel elsewhere, and so writes it once.
    """
    if not panel.drawn:
        return Markup("")
    end: float = WIDTH - (RIGHT_WITH_AXIS if panel.second_axis else RIGHT)
    step: float = (end - LEFT) / max(len(panel.x) - 1, 1)
    # Whole pixels a layer are half the letters of a curve; the drawing gives up less than a twelfth for them.
    step = int(step) if step - int(step) < step / 12 else step
    end = LEFT + step * max(len(panel.x) - 1, 1)
    about: dict[str, str | float] = {
        "class": "chart",
        "viewBox": f"0 0 {WIDTH} {HEIGHT}",
        "role": "img",
        "aria-label": f"by depth: {', '.join(line.label for line in panel.lines)}",
        # From the pointer's place to the layer below it.
        "data-first": panel.x[0],
        "data-count": len(panel.x),
        "data-step": f"{step:.3f}".rstrip("0").rstrip("."),
    }
    axis = shared(*_depth_axis(panel.x, lambda at: LEFT + (at - panel.x[0]) * step, HEIGHT - BOTTOM, end))
    drawing = Markup("").join(_drawing(panel, f"{identifier}-window", end, step))
    return tag("svg", axis, shared(drawing) if twice else drawing, **about)


def _drawing(panel: Panel, window: str, end: float, step: float) -> Iterator[Markup]:
    def place(position: float) -> float:
        return LEFT + (position - panel.x[0]) * step

    names = _names(panel.marks, [place(mark.layer) for mark in panel.marks], LETTER, LEFT, end)
    rows = 1 + max((name.row for name in names), default=-1)
    floor = HEIGHT - BOTTOM
    top, bottom = TOP + max(ROW * rows - 4, 0), floor - 2 * SET_ROW * bool(panel.marks)

    if any(line.clipped for line in panel.lines):
        size = {"x": LEFT, "y": top, "width": end - LEFT, "height": bottom - top}
        yield tag("clipPath", tag("rect", **size), id=window)
    for lines, on_right in ((panel.first_lines, False), (panel.second_lines, True)):
        scale = Scale.of(lines, top, bottom, panel.log)
        if scale:
            yield from _value_axis(panel, scale, end, on_right)
            for line in lines:
                curve = _curve(line, panel.x, place, scale)
                if line.clipped:
                    yield tag("g", *curve, clip_path=f"url(#{window})")
                else:
                    yield from curve
    for mark, name in zip(panel.marks, names, strict=True):
        yield from _mark(mark, name, place, step, top, bottom)


def _depth_axis(x: Sequence[int], place: Place, floor: float, end: float) -> Iterator[Markup]:
    ticks = depth_ticks(x)
    strokes = "".join(f"M{place(tick):.1f} {floor}v4" for tick in ticks)
    yield tag("path", class_="axis", d=f"M{LEFT} {floor}H{end}{strokes}")
    yield _text(0, floor + 16, "layer", "tick")
    for tick in ticks:
        yield _text(place(tick), floor + 16, str(tick), "tick middle")


def _value_axis(panel: Panel, scale: Scale, end: float, on_right: bool) -> Iterator[Markup]:
    ticks = scale.ticks()
    if on_right:
        yield from (_text(end + 6, scale(tick) + 3.5, number(tick), "start", "paper") for tick in ticks)
        yield _text(WIDTH, 11, panel.second_axis or "", "end", "name paper")
        return
    yield tag("path", class_="grid", d="".join(f"M{LEFT} {scale(tick):.1f}H{end:.0f}" for tick in ticks))
    told = (tag("text", number(tick), y=scale(tick) + 3.5) for tick in ticks)
    yield tag("g", *told, class_="end", transform=f"translate({LEFT - 6})")
    yield _text(0, 11, panel.axis, "start", "name")


def _curve(line: Line, x: Sequence[int], place: Place, scale: Scale) -> Iterator[Markup]:
    for band in line.drawn_bands():
        for run in runs(band):
            ends = [(place(x[at]), *interval) for at, interval in run]
            there = [(across, scale(low)) for across, low, _ in ends]
            back = [(across, scale(high)) for across, _, high in reversed(ends)]
            yield tag("path", class_=f"band {line.role}", d=path([*there, *back], unit=1) + "z")
    for stretch in runs(line.values):
        points = [(place(x[at]), scale(value)) for at, value in stretch]
        if line.role == "level":
            points = [points[0], points[-1]]
        # A lone value is a path of no length, which its round cap shows as a point.
        yield tag("path", class_=f"line {line.role}", d=path(points) + "h0" * (len(points) == 1))
    if line.role == "level" and line.values[-1] is not None:
        yield _text(place(x[-1]), scale(line.values[-1]) - 4, line.label, "end")


def path(points: Iterable[tuple[float, float]], unit: float = 0.1) -> str:
    """A line through points, in steps from point to point: half the letters of places.

    Args:
        unit: what places are rounded to: a tenth of a pixel for a line, a pixel for the edge of a band.
    """
    scale = round(10 * unit)
    tenths = [(scale * round(across / unit), scale * round(down / unit)) for across, down in points]
    steps = [(x - a, y - b) for (a, b), (x, y) in pairwise(tenths)]
    start = f"M{_tenths(tenths[0][0])} {_tenths(tenths[0][1])}"
    return start + ("l" if steps else "") + "".join(_step(*step) for step in steps).strip()


def _step(across: int, down: int) -> str:
    """A sign separates two numbers as well as a space does."""
    return "".join(text if text.startswith("-") else f" {text}" for text in (_tenths(across), _tenths(down)))


def _tenths(count: int) -> str:
    whole, tenth = divmod(abs(count), 10)
    digits = f"{whole or ''}.{tenth}" if tenth else f"{whole}"
    return f"-{digits}" if count < 0 else digits


@dataclass(frozen=True)
class Name:
    """Where the name of a boundary stands: which way it runs from its line, and in which row above the drawing."""

    text: str
    anchor: str  # start | end
    row: int


def _names(
    marks: Sequence[Mark], across: Sequence[float], letter: float, left: float, right: float
) -> list[Name]:
    """The names of boundaries, in as many rows as keep them apart; that of L–I runs outwards where it has room.

    Args:
        across: place of each boundary.
        letter: width of a letter; it and the ends of the drawing are in units of `across`.
    """
    texts = [f"{mark.label} {mark.layer}" for mark in marks]
    anchors, spans = [], []
    for mark, text, at in zip(marks, texts, across, strict=True):
        width = letter * (len(text) + 1)
        outwards = mark.label == BOUNDARIES["LI"] and at - width > left
        anchors.append("end" if outwards or at + width > right else "start")
        spans.append((at - width, at) if anchors[-1] == "end" else (at, at + width))
    return [Name(*name) for name in zip(texts, anchors, rows_apart(spans), strict=True)]


def _mark(mark: Mark, name: Name, place: Place, step: float, top: float, bottom: float) -> Iterator[Markup]:
    paper = mark.role == "paper"
    kind = mark.role if mark.claimed else f"{mark.role} rejected"
    across = place(mark.layer)
    yield tag("path", class_=f"mark {kind}", d=f"M{across:.1f} {top}V{bottom}")
    nudge = -3 if name.anchor == "end" else 3
    yield _text(across + nudge, top - 4 - ROW * name.row, name.text, name.anchor, kind)
    # Confidence sets lie in two rows above the axis, calibrated first.
    row = bottom + 2 + SET_ROW * paper
    for low, high in mark.spans():
        size: dict[str, float] = {
            "x": place(low),
            "y": row,
            "width": max((high - low) * step, 2),
            "height": SET_ROW - 4,
        }
        yield tag("rect", class_=f"set {kind}", **size)


def strip_svg(row: StripRow) -> Markup:
    """One mode of the layer strip, as wide as its container: blocks, boundaries, and the sets below them."""
    layers = len(row.scales)
    share = 100 / layers
    across = [mark.layer * share for mark in row.marks]
    names = _names(row.marks, across, 100 * LETTER / NARROW, 0, 100)
    # More rows of names move all the rest down.
    down = ROW * max((name.row for name in names), default=0)
    rects, scales, start = [], [], 0
    for scale, group in groupby(row.scales):
        length = len(list(group))
        rects.append(tag("rect", class_=f"block {scale.lower()}", x=start, width=length, height=1))
        # About seven pixels a letter on the narrowest strip.
        label = scale if length * share > 2.8 * len(scale) else scale[0]
        middle = f"{(start + length / 2) * share:.2f}%"
        scales.append(tag("text", label, class_=f"on middle {scale.lower()}", x=middle, y=29 + down))
        start += length
    lines = "".join(f"M{block} .06V.94" for block in range(1, layers))
    seams = tag("path", class_="seams" if row.marks else "seams plain", d=lines)
    # A strip without boundaries looks like every other of its depth.
    drawn = (*rects, shared(seams)) if len(rects) > 1 else (shared(*rects, seams),)
    # A drawing within the drawing: its unit is one block, whatever the width of the screen.
    blocks = tag(
        "svg", *drawn,
        y=16 + down, width="100%", height=18, viewBox=f"0 0 {layers} 1", preserveAspectRatio="none",
    )  # fmt: skip
    marks = [
        *(_edge(at, name, down) for at, name in zip(across, names, strict=True)),
        # After the lines, which they may cross.
        *(_edge_name(at, name, down) for at, name in zip(across, names, strict=True)),
        *_strip_sets(row.marks, share, down),
    ]
    kind = f"strip {row.role}" if row.claimed else f"strip {row.role} rejected"
    words = "; ".join(mark.text for mark in row.marks) or "no boundary"
    label = f"scale of each block, {row.role} mode: {words}"
    size: dict[str, str | float] = {"width": "100%", "height": 48 + down, "data-count": layers}
    return tag("svg", blocks, *scales, *marks, class_=kind, role="img", aria_label=label, **size)


def _edge(across: float, name: Name, down: int) -> Markup:
    place = f"{across:.2f}%"
    return tag("line", class_="edge", x1=place, x2=place, y1=12 + down - ROW * name.row, y2=36 + down)


def _edge_name(across: float, name: Name, down: int) -> Markup:
    kind = f"edge {name.anchor}"
    return tag("text", name.text, class_=kind, x=f"{across:.2f}%", y=10 + down - ROW * name.row)


def _strip_sets(marks: Sequence[Mark], share: float, down: int) -> Iterator[Markup]:
    spans = [mark.spans() for mark in marks]
    # In two rows, where those of two boundaries overlap.
    whole = [(min(low for low, _ in one), max(high for _, high in one)) if one else (0, 0) for one in spans]
    for one, row in zip(spans, rows_apart(whole), strict=True):
        for low, high in one:
            place, width = f"{low * share:.2f}%", f"{max((high - low) * share, 0.4):.2f}%"
            yield tag("rect", class_="set", x=place, y=37 + down + 5 * (row % 2), width=width, height=4)


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> Markup:
    return tag("text", text, class_=f"{anchor} {kind}".strip(), x=x, y=y)
