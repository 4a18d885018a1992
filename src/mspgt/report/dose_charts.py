"""The brittleness curve, drawn for the page and for a paper: one model, four meanings of one dose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, floor, log10

from markupsafe import Markup
from matplotlib.axes import Axes

from mspgt.report.charts import path
from mspgt.report.curves import depth_ticks
from mspgt.report.doses import Brittleness
from mspgt.report.figures import BLACK, COLOURS, LOOKS, files_of, grid_of, new_figure, style
from mspgt.report.markup import tag
from mspgt.report.words import number

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 330, 44, 16, 30, 40
AXIS = "last layer that noise reaches: where Local ends"
UNIT = "extra nats a token"


def decades(chart: Brittleness) -> tuple[int, int]:
    """Powers of ten that the axis goes from and to."""
    known = [nats for _, _, points in chart.curves for _, nats in points]
    low, high = floor(log10(min(known))), ceil(log10(max(known)))
    return low, max(high, low + 1)


def brittleness_svg(chart: Brittleness) -> Markup:
    """The curve as an SVG element; nothing where nothing was measured."""
    if not chart.drawn:
        return Markup("")
    told = ", ".join(label for label, _, points in chart.curves if points)
    about: dict[str, str | float] = {
        "class": "chart brittleness", "viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img",
        "aria-label": f"{chart.title}, in {UNIT}: {told}",
        "data-first": 1, "data-count": chart.layers, "data-step": f"{_step(chart):.3f}",
    }  # fmt: skip
    return tag("svg", *_drawing(chart), **about)


def _step(chart: Brittleness) -> float:
    return (WIDTH - RIGHT - LEFT) / max(chart.layers - 1, 1)


def _drawing(chart: Brittleness) -> Iterator[Markup]:
    low, high = decades(chart)
    ground = HEIGHT - BOTTOM

    def across(layer: float) -> float:
        return LEFT + (layer - 1) * _step(chart)

    def down(nats: float) -> float:
        return ground - (log10(nats) - low) / (high - low) * (ground - TOP)

    powers = range(low, high + 1)
    yield tag(
        "path", class_="grid", d="".join(f"M{LEFT} {down(10.0**p):.1f}H{WIDTH - RIGHT}" for p in powers)
    )
    for power in powers:
        yield tag("text", number(10.0**power), x=LEFT - 6, y=down(10.0**power) + 3.5, class_="end")
    ticks = depth_ticks(tuple(range(1, chart.layers + 1)))
    strokes = "".join(f"M{across(tick):.1f} {ground}v4" for tick in ticks)
    yield tag("path", class_="axis", d=f"M{LEFT} {ground}H{WIDTH - RIGHT}{strokes}")
    for tick in ticks:
        yield tag("text", str(tick), x=across(tick), y=ground + 16, class_="tick middle")
    yield tag("text", AXIS, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 6, class_="middle")
    yield tag("text", UNIT, x=0, y=12)
    if chart.sink is not None:
        place = across(chart.sink - 0.5)
        yield tag("path", class_="reference", stroke_dasharray="2 3", d=f"M{place:.1f} {TOP}V{ground}")
        words = f"a sink appears at layer {chart.sink}"
        inside = "end" if place > (LEFT + WIDTH) / 2 else "start"
        shift = -5 if inside == "end" else 5
        yield tag("text", words, x=place + shift, y=TOP - 6, class_=inside)
    for _, role, points in chart.curves:
        if points:
            yield tag("path", class_=f"line {role}", d=path([(across(k), down(y)) for k, y in points]))
            # A path of no length shows as a point, by its round cap.
            places = "".join(f"M{across(k):.1f} {down(y):.1f}h0" for k, y in points)
            yield tag("path", class_=f"points {role}", d=places)
    if chart.jump is not None:
        (before, after, ratio), literal = chart.jump, dict(chart.curves[1][2])
        middle = (down(literal[before]) + down(literal[after])) / 2
        yield tag("text", f"× {number(ratio)}", class_="paper start", x=across(after) + 6, y=middle + 4)


def legend(chart: Brittleness) -> Markup:
    """Names of the curves beside a stroke of each."""
    items = [
        tag("span", tag("i", class_=f"line {role}"), label) for label, role, points in chart.curves if points
    ]
    return tag("p", *items, class_="legend")


def brittleness_figure(chart: Brittleness, venue: str = "neurips") -> Mapping[str, bytes]:
    """The curve for a paper: `svg` and `pdf` → the file's bytes."""
    with style():
        figure = new_figure(venue, 2.6)
        grid = grid_of(figure, 1, 1, top=0.3, bottom=0.75, left=0.5, right=0.08, wide=0.4, high=0.4)
        axes = figure.add_subplot(grid[0, 0])
        _curves(axes, chart)
        figure.legend(loc="lower center", ncols=2, columnspacing=1.2)
        return files_of(figure)


def _curves(axes: Axes, chart: Brittleness) -> None:
    axes.set_title(chart.title, fontsize=8)
    axes.set_yscale("log")
    for label, role, points in chart.curves:
        if points:
            look = {**LOOKS[role], "marker": "o", "markersize": 2.2}
            axes.plot(*zip(*points, strict=True), color=COLOURS[role], label=label, **look)
    if chart.sink is not None:
        axes.axvline(chart.sink - 0.5, color=BLACK, linewidth=0.6, linestyle=":")
        axes.annotate(
            f"sink at layer {chart.sink}", (chart.sink - 0.5, 1), (3, -8), ("data", "axes fraction"),
            "offset points", fontsize=6.5,
        )  # fmt: skip
    if chart.jump is not None:
        (before, after, ratio), literal = chart.jump, dict(chart.curves[1][2])
        middle = (literal[before] * literal[after]) ** 0.5
        axes.annotate(
            f"× {number(ratio)}", (after, middle), (4, 0), textcoords="offset points", fontsize=7,
            color=COLOURS["paper"],
        )  # fmt: skip
    axes.set_xlabel(AXIS)
    axes.set_ylabel(UNIT)
