"""Charts on the page: marks as small SVG, coloured by the page's style sheet.

Elements are few on purpose: a page of many models must open at once. What looks alike is one path, and what the
pointer meets is computed by the page's script from the attributes of the drawing, never from an element a layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from mspgt.report import marks
from mspgt.report.fluid import FLUID, fluid
from mspgt.report.marks import Axis, Boundary, Cells, Chart, Key, Point
from mspgt.report.markup import shared, tag
from mspgt.report.names import LETTER, ROW, Name, names_apart
from mspgt.report.paths import path, short
from mspgt.report.words import number

SET_ROW = 8  # height of one row of confidence sets, between the curves and the axis
SHADES, SHADE = 10, 9  # of a matrix, and the width of one shade in its key
# Shapes tell roles apart where colours do not: circle, square, diamond.
SHAPES = {
    "calibrated": "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "paper": "m-3.5-3.5h7v7h-7z",
    "variant": "m0-5l5 5l-5 5l-5-5z",
}


@dataclass(frozen=True)
class Frame:
    """Size and margins of a drawing, in its own pixels."""

    kind: str  # its class
    width: int
    height: int  # of charts of rows: without them
    left: int
    right: int
    top: int
    bottom: int
    beside: bool = False  # the name of the horizontal axis stands beside its ticks, not below them
    unit: float = 0.0  # most pixels that a step of the horizontal axis takes; 0: as many as there are
    row: int = 0  # height of a row, where the vertical axis counts rows


# The page's script knows the margins of charts over layers (LEFT, HEAD, FOOT).
FRAMES = {
    "panel": Frame("chart", 430, 230, 44, 14, 24, 26, beside=True),
    "overlay": Frame("chart overlay", 430, 230, 44, 14, 24, 40),
    "wide": Frame("chart wide", 640, 330, 44, 16, 30, 40),
    "bars": Frame("chart bars", 430, 190, 44, 0, 22, 32, unit=26),
    "small": Frame("chart bars", 210, 150, 44, 8, 22, 20),
    "rows": Frame("forest", 430, 42, 150, 14, 8, 34, row=20),
    "square": Frame("chart heat", 264, 280, 26, 8, 0, 50, beside=True),
}
RIGHT_WITH_AXIS = 44
LINE = 13  # height of a line of the name of an axis


class Place:
    """From data to the pixels of one drawing."""

    def __init__(self, chart: Chart) -> None:
        self.frame = frame = FRAMES[chart.shape]
        self.chart = chart
        self.names = chart.x.label.split("\n") if chart.x.label else []
        self.height = frame.height + LINE * max(len(self.names) - 1, 0)
        self.floor: float = frame.height - frame.bottom
        if frame.row:
            rows = frame.row * round(abs(chart.y.high - chart.y.low))
            self.height, self.floor = self.height + rows, frame.top + rows
        self.left: float = frame.left
        self.end: float = frame.width - (RIGHT_WITH_AXIS if chart.second else frame.right)
        steps = chart.x.high - chart.x.low
        self.step: float = (self.end - self.left) / steps
        if chart.layers:
            # Whole pixels a layer are half the letters of a curve; the drawing gives up less than a twelfth for them.
            self.step = int(self.step) if self.step - int(self.step) < self.step / 12 else self.step
        elif frame.unit:
            self.step = min(self.step, frame.unit)
        self.end = self.left + self.step * steps
        boundaries = [mark for mark in chart.marks if isinstance(mark, Boundary)]
        self.rows = names_apart(
            [(one.name, self.x(one.at), one.outwards) for one in boundaries], LETTER, self.left, self.end
        )
        above = max((name.row for name in self.rows), default=-1) + 1
        self.top: float = frame.top + max(ROW * above - 4, 0)
        self.bottom: float = self.floor - 2 * SET_ROW * bool(boundaries)

    def x(self, value: float) -> float:
        """Pixels from the left edge."""
        return self.left + self.chart.x.share(value) * (self.end - self.left)

    def y(self, value: float, second: bool = False) -> float:
        """Pixels from the upper edge."""
        axis = self.chart.second if second and self.chart.second else self.chart.y
        return self.bottom - axis.share(value) * (self.bottom - self.top)

    def at(self, point: Point) -> Point:
        """A point, moved to the edge where it lies outside the axes."""
        return self.x(self.chart.x.inside(point[0])), self.y(self.chart.y.inside(point[1]))


def svg(chart: Chart, identifier: str = "", *, twice: bool = False) -> Markup:
    """One chart as an SVG element; nothing where nothing was measured.

    Args:
        identifier: of the drawing on its page; the parts that need a name take it with a suffix.
        twice: whether the page shows the same chart elsewhere, and so writes it once.
    """
    if chart.shape in FLUID:
        return fluid(chart)
    if not chart.drawn:
        return Markup("")
    place = Place(chart)
    about: dict[str, str | float] = {
        "class": place.frame.kind,
        "viewBox": f"0 0 {place.frame.width} {place.height}",
        "role": "img",
        "aria-label": chart.about,
    }
    if chart.layers:
        # From the pointer's place to the layer below it.
        step = f"{place.step:.3f}".rstrip("0").rstrip(".")
        about |= {"data-first": int(chart.x.low), "data-count": chart.layers, "data-step": step}
    axis = shared(*_across(chart.x, place))
    drawing = Markup("").join([*_upright(chart, place), *_inside(chart, place, identifier)])
    return tag("svg", axis, shared(drawing) if twice else drawing, **about)


def legend_html(keys: Iterable[Key], kind: str = "") -> Markup:
    """Every kind of curve with its colour and dashes; nothing without any."""
    shown = [tag("span", tag("i", class_=f"line {key.role}"), key.label) + " " for key in keys]
    return tag("p", *shown, class_=f"legend {kind}".strip()) if shown else Markup("")


def _across(axis: Axis, place: Place) -> Iterator[Markup]:
    """The horizontal axis."""
    floor, end = place.floor, place.end
    strokes = ""
    if axis.line:
        strokes = f"M{place.left} {floor}H{short(end)}"
        strokes += "".join(f"M{short(place.x(tick))} {floor}v4" for tick, _ in axis.ticks if not axis.grid)
    if axis.grid:
        lines = "".join(f"M{short(place.x(tick))} {place.top}V{floor}" for tick, _ in axis.ticks)
        yield tag("path", class_="grid", d=lines)
    if strokes:
        yield tag("path", class_="axis", d=strokes)
    down = floor + (16 if axis.line and not axis.grid else 13)
    told = [tag("text", words, x=place.x(tick), y=down) for tick, words in axis.ticks]
    told += [tag("text", words, x=place.x(at), y=floor + 27) for at, words in axis.groups]
    if place.frame.beside:
        yield tag("text", axis.label, y=down)
    else:
        middle = (place.left + end) / 2
        told += [tag("text", one, x=middle, y=floor + 30 + LINE * at) for at, one in enumerate(place.names)]
    yield tag("g", *told, class_="middle")


def _upright(chart: Chart, place: Place) -> Iterator[Markup]:
    """The vertical axes: the main one on the left, a second one on the right."""
    axis, second = chart.y, chart.second
    if axis.grid:
        lines = "".join(f"M{place.left} {short(place.y(tick))}H{short(place.end)}" for tick, _ in axis.ticks)
        yield tag("path", class_="grid", d=lines)
    told = [tag("text", words, y=place.y(tick) + 3.5) for tick, words in axis.ticks]
    yield tag("g", *told, class_="ticks")
    if axis.label:
        # In the colour of its curves where others have an axis of their own.
        yield tag("text", axis.label, class_="calibrated" if second else "", y=11)
    if second:
        told = [tag("text", words, y=place.y(tick, True) + 3.5) for tick, words in second.ticks]
        yield tag("g", *told, class_="paper", transform=f"translate({short(place.end + 6)})")
        yield tag("text", second.label, class_="end paper", x=place.frame.width, y=11)


def _inside(chart: Chart, place: Place, identifier: str) -> Iterator[Markup]:
    """All marks in their order; paths of one class stand where the first of them stands."""
    parts: list[Markup] = []
    paths: dict[tuple[str, bool], tuple[int, str]] = {}
    names = iter(place.rows)
    for mark in chart.marks:
        for kind, steps, clipped in _paths(mark, place):
            at, before = paths.get((kind, clipped), (len(parts), ""))
            paths[kind, clipped] = at, before + steps
            if not before:
                parts.append(Markup(""))
        parts += _elements(mark, place, names, identifier)
    window = f"{identifier}-window"
    for (kind, clipped), (at, steps) in paths.items():
        drawn = tag("path", class_=kind, d=steps)
        parts[at] = tag("g", drawn, clip_path=f"url(#{window})") if clipped else drawn
    if any(clipped for _, clipped in paths):
        size = {"x": place.left, "y": place.top, "width": place.end - place.left}
        shape = tag("rect", **size, height=place.bottom - place.top)
        yield tag("clipPath", shape, id=window)
    yield from parts


def _paths(mark: object, place: Place) -> Iterator[tuple[str, str, bool]]:
    """Class and steps of what is a stroke or a shape, and whether it is cut at the axes."""
    match mark:
        case marks.Curve(role, points, second, clipped):
            steps = path([(place.x(x), place.y(y, second)) for x, y in points])
            # A lone value is a path of no length, which its round cap shows as a point.
            yield f"line {role}", steps + "h0" * (len(points) == 1), clipped
        case marks.Dots(role, points):
            places = (place.at(point) for point in points)
            yield f"points {role}", "".join(f"M{short(x)} {short(y)}h0" for x, y in places), False
        case marks.Whisker(role, start, end):
            (x, y), (across, down) = place.at(start), place.at(end)
            stroke = f"V{short(down)}" if start[0] == end[0] else f"H{short(across)}"
            yield f"whisker {role}".strip(), f"M{short(x)} {short(y)}{stroke}", False
        case marks.Sign(role, point, hollow):
            x, y = place.at(point)
            yield f"dot {role}{' hollow' * hollow}", f"M{short(x)} {short(y)}{SHAPES[role]}", False
        case marks.Rule(role, at, level):
            flat = f"M{short(place.left)} {short(place.y(at))}H{short(place.end)}"
            tall = f"M{short(place.x(at))} {short(place.top)}V{short(place.floor)}"
            yield role, flat if level else tall, False
        case marks.Bar(role, at, value, width, pale):
            half, ground = width / 2 * place.step, place.y(0)
            up = ground - place.y(place.chart.y.inside(value))
            outline = f"M{place.x(at) - half:.0f} {ground:.1f}v{-up:.1f}h{2 * half:.0f}v{up:.1f}z"
            yield f"bar {role}{' unclear' * pale}", outline, False
        case marks.Boundary(role, _, at, spans, claimed, _, row):
            kind = role if claimed else f"{role} rejected"
            yield f"mark {kind}", f"M{short(place.x(at))} {short(place.top)}V{short(place.bottom)}", False
            down = place.bottom + 4 + SET_ROW * row
            for low, high in spans:
                length = max(place.x(high) - place.x(low), 2)
                yield f"set {kind}", f"M{short(place.x(low))} {short(down)}h{short(length)}", False


def _elements(mark: object, place: Place, names: Iterator[Name], identifier: str) -> Iterator[Markup]:
    """What cannot be part of a path: words, rectangles that speak, bands (which darken where they lie together)."""
    match mark:
        case marks.Band(role, ends, second, clipped):
            there = [(place.x(x), place.y(low, second)) for x, low, _ in ends]
            back = [(place.x(x), place.y(high, second)) for x, _, high in reversed(ends)]
            drawn = tag("path", class_=f"band {role}", d=path([*there, *back], unit=1) + "z")
            yield tag("g", drawn, clip_path=f"url(#{identifier}-window)") if clipped else drawn
        case marks.Span(role, x, y, told):
            sides = [own or (axis.low, axis.high) for own, axis in ((x, place.chart.x), (y, place.chart.y))]
            (left, one), (right, other) = (place.at(corner) for corner in zip(*sides, strict=True))
            size = {"x": left, "y": min(one, other), "width": max(right - left, 1.0)}
            yield tag("rect", *_told(told), class_=role, **size, height=abs(one - other))
        case marks.Cells():
            yield from _cells(mark, place, identifier)
        case marks.Boundary(role, _, at, _, claimed):
            name = next(names)
            nudge = -3 if name.anchor == "end" else 3
            kind = role if claimed else f"{role} rejected"
            yield _text(name.text, place.x(at) + nudge, place.top - 4 - ROW * name.row, name.anchor, kind)
        case marks.Label(text, point, role, anchor, shift, turned, told):
            left, down = (start + more for start, more in zip(place.at(point), shift, strict=True))
            turn = f"rotate(-90 {short(left)} {short(down)})" if turned else ""
            kind = _words(anchor, role)
            yield tag("text", text, *_told(told), class_=kind, x=left, y=down, transform=turn)


def _told(words: str) -> list[Markup]:
    """What is told when a mark is pointed at."""
    return [tag("title", words)] if words else []


def _cells(cells: Cells, place: Place, identifier: str) -> Iterator[Markup]:
    """One path a shade; a matrix that is its own mirror image is written by half."""
    shades = shades_of(cells)
    columns, rows = len(shades[0]), len(shades)
    left, top = place.x(cells.first - 0.5), place.y(cells.first_row - 0.5)
    size = {
        "width": place.x(cells.first - 0.5 + columns) - left,
        "height": place.y(cells.first_row - 0.5 + rows) - top,
    }
    parts = [tag("g", *_shaded(shades), class_="cells")]
    if shades == [list(column) for column in zip(*shades, strict=True)]:
        pairs = [[shade * (at < to) for to, shade in enumerate(row)] for at, row in enumerate(shades)]
        itself = [[shade * (at == to) for to, shade in enumerate(row)] for at, row in enumerate(shades)]
        half = f"{identifier}-half"
        parts = [
            tag("g", *_shaded(pairs), id=half, class_="cells"),
            tag("use", href=f"#{half}", transform="matrix(0 1 1 0 0 0)"),
            tag("g", *_shaded(itself), class_="cells"),
        ]
    box = f"0 0 {columns} {rows}"
    yield tag("svg", *parts, x=left, y=top, viewBox=box, preserveAspectRatio="none", **size)
    yield from _shades(cells, place)


def shades_of(cells: Cells) -> list[list[int]]:
    """A shade 1..`SHADES` for every cell; 0 where it was not measured."""
    span = cells.high - cells.low or 1.0
    return [
        [0 if v is None else 1 + min(SHADES - 1, max(0, int(SHADES * (v - cells.low) / span))) for v in row]
        for row in cells.rows
    ]


def _shaded(shades: Sequence[Sequence[int]]) -> Iterator[Markup]:
    paths: dict[int, list[str]] = {}
    for at, row in enumerate(shades):
        start = 0
        for shade, group in groupby(row):
            length = len(list(group))
            if shade:
                paths.setdefault(shade, []).append(f"M{start} {at}h{length}")
            start += length
    for shade, steps in sorted(paths.items()):
        yield tag("path", d="".join(steps), opacity=f"{shade / SHADES:g}".lstrip("0"))


def _shades(cells: Cells, place: Place) -> Iterator[Markup]:
    """The key below the axis: shades from the least to the most."""
    left, down = place.left + 28, place.floor + 20
    squares = [
        tag(
            "rect",
            x=left + shade * SHADE,
            y=down,
            width=SHADE,
            height=9,
            fill_opacity=f"{(shade + 1) / SHADES:g}".lstrip("0"),
        )
        for shade in range(SHADES)
    ]
    yield shared(tag("g", *squares, class_="shade"))
    yield _text(number(cells.low, 2), left - 4, down + 8, "end")
    yield _text(f"{number(cells.high, 2)} {cells.key}", left + 4 + SHADES * SHADE, down + 8)


def _text(text: str, x: float, y: float, anchor: str = "", role: str = "") -> Markup:
    return tag("text", text, class_=_words(anchor, role), x=x, y=y)


def _words(anchor: str, role: str) -> str:
    """The class of words; they run to the right unless told otherwise."""
    return f"{'' if anchor == 'start' else anchor} {role}".strip()
