"""Every mark stands at the same data coordinates on the page and on paper, read back from what was drawn."""

import re
from importlib.resources import files
from typing import Any, get_args
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from mspgt.report.look import LOOKS
from mspgt.report.marks import (
    Axis,
    Band,
    Bar,
    Boundary,
    Cells,
    Chart,
    Curve,
    Dots,
    Label,
    Mark,
    Point,
    Rule,
    Sign,
    Span,
    Whisker,
    around,
    decades,
    layer_axis,
)
from mspgt.report.paper import draw
from mspgt.report.svg import shades_of, svg

Box = tuple[
    float | None, float | None, float | None, float | None
]  # left, right, low, high; None: to the edge

X = Axis("x", 0, 10, tuple((float(at), str(at)) for at in (0, 2, 5, 10)))
LINEAR = Axis("y", 0, 5, ((0.0, "0"), (1.0, "1"), (4.0, "4")), grid=True)
LOG = Axis("y", 0.1, 1000, ((1.0, "1"), (100.0, "100")), log=True, grid=True)
# Mark → the box of data in which it must lie.
MARKS: list[tuple[Mark, Box]] = [
    (Curve("calibrated", ((1, 1), (4, 3), (6, 2))), (1, 6, 1, 3)),
    (Dots("paper", ((2, 2), (3, 4))), (2, 3, 2, 4)),
    (Band("twin", ((1, 1, 2), (5, 3, 4))), (1, 5, 1, 4)),
    (Whisker("variant", (1, 2), (6, 2)), (1, 6, 2, 2)),
    (Whisker("", (3, 1), (3, 4)), (3, 3, 1, 4)),
    (Sign("variant", (3, 2)), (3, 3, 2, 2)),
    (Sign("calibrated", (7, 3), hollow=True), (7, 7, 3, 3)),
    (Rule("reference", 4), (4, 4, None, None)),
    (Rule("level", 2, level=True), (None, None, 2, 2)),
    (Span("chance", (1, 3), (2, 4)), (1, 3, 2, 4)),
    (Span("chance", None, (1, 2), told="by chance"), (0, 10, 1, 2)),
    (Label("here", (5, 2)), (5, 5, 2, 2)),
]  # fmt: skip
ON_LINEAR: list[tuple[Mark, Box]] = [
    (Bar("local", 3, 4), (2.6, 3.4, 0, 4)),
    (Cells("k", ((0.1, 0.2), (None, 0.4)), 0, 1, first=3, first_row=1), (2.5, 4.5, 0.5, 2.5)),
]
CASES = [(LINEAR, *one) for one in (*MARKS, *ON_LINEAR)] + [(LOG, *one) for one in MARKS]


def moved(command: str, at: Point, start: Point, numbers: list[float]) -> Point:
    """Where one step of a path leads."""
    match command:
        case "z":
            return start
        case "M":
            return numbers[0], numbers[1]
        case "H":
            return numbers[0], at[1]
        case "V":
            return at[0], numbers[0]
        case "h":
            return at[0] + numbers[0], at[1]
        case "v":
            return at[0], at[1] + numbers[0]
    return at[0] + numbers[-2], at[1] + numbers[-1]


def walk(steps: str) -> list[tuple[float, float]]:
    """The places that a path comes to."""
    at, start, found = (0.0, 0.0), (0.0, 0.0), []
    for command, given in re.findall(r"([MmlHhVvaz])([^MmlHhVvaz]*)", steps):
        numbers = [float(one) for one in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", given)]
        size = {"H": 1, "h": 1, "V": 1, "v": 1, "a": 7, "z": 0}.get(command, 2)
        for turn in range(0, len(numbers), size) if size else [0]:
            at = moved(command, at, start, numbers[turn : turn + size])
            start = at if command in "Mm" else start
            found.append(at)
    return found


def pixels(part: ElementTree.Element) -> list[tuple[float, float]]:
    """The places that an element reaches."""
    if part.tag == "path":
        places = walk(part.get("d", ""))
        # A shape is drawn round the place that it moves to first.
        return places[:1] if "dot" in part.get("class", "") else places
    x, y, width, height = (float(part.get(key, 0)) for key in ("x", "y", "width", "height"))
    return [(x, y), (x + width, y + height)]


def box_on_page(chart: Chart, wanted: set[str]) -> Box:
    """In data, by the places of the ticks alone."""
    drawing = ElementTree.fromstring(svg(chart, "here"))
    across = {text.text: float(text.get("x", 0)) for text in drawing.findall("g[@class='middle']/text")}
    upright = {text.text: float(text.get("y", 0)) - 3.5 for text in drawing.findall("g[@class='ticks']/text")}
    parts = [one for one in drawing if wanted & set((one.get("class") or "").split()) or one.tag in wanted]
    assert parts, ElementTree.tostring(drawing)
    places = np.array([place for part in parts for place in pixels(part)])

    def data(axis: Axis, found: dict[str, float], pixel: np.ndarray) -> list[float]:
        (first, one), (last, other) = axis.ticks[0], axis.ticks[-1]
        ends = np.log([first, last]) if axis.log else np.array([first, last])
        value = ends[0] + (pixel - found[one]) / (found[other] - found[one]) * (ends[1] - ends[0])
        value = np.exp(value) if axis.log else value
        return [float(value.min()), float(value.max())]

    return tuple(data(chart.x, across, places[:, 0]) + data(chart.y, upright, places[:, 1]))


def box_on_paper(chart: Chart) -> Box:
    """In data, from the artists that were added."""
    axes = Figure().add_subplot()
    draw(axes, Chart(chart.title, chart.x, chart.y, (Label("", (0, 1)),)), [""])
    before = set(axes.get_children())
    draw(axes, chart, [""])
    x: list[float] = []
    y: list[float] = []
    for one in set(axes.get_children()) - before:
        found = artist_data(one)
        if found is not None and len(found):
            x += found[:, 0].tolist()
            y += found[:, 1].tolist()
    return min(x), max(x), min(y), max(y)


def artist_data(one: Any) -> np.ndarray | None:
    if hasattr(one, "get_coordinates"):  # cells
        return one.get_coordinates().reshape(-1, 2)
    if hasattr(one, "get_xydata"):
        return one.get_xydata()
    if hasattr(one, "get_patch_transform"):
        return one.get_patch_transform().transform(one.get_path().vertices)
    if hasattr(one, "get_paths"):
        return np.concatenate([path.vertices for path in one.get_paths()])
    if hasattr(one, "xy") and one.get_text() == "here":
        return np.array([one.xy])
    return None


def kinds(mark: Mark) -> set[str]:
    """What the page calls it."""
    match mark:
        case Cells():
            return {"svg"}
        case Rule() | Span():
            return {mark.role}
        case Label():
            return {"text"}
    return {{"Curve": "line", "Dots": "points", "Sign": "dot"}.get(name := type(mark).__name__, name.lower())}


@pytest.mark.parametrize(("y", "mark", "box"), CASES)
def test_a_mark_stands_where_its_data_are(y: Axis, mark: Mark, box: Box) -> None:
    chart = Chart("t", X, Axis("", *[y.low, y.high], y.ticks, y.log, y.grid), (mark,), shape="overlay")
    page = box_on_page(chart, kinds(mark))
    paper = box_on_paper(chart)
    for found in (page, paper):
        for axis, ends, expected in ((X, found[:2], box[:2]), (y, found[2:], box[2:])):
            for at, value in zip(ends, expected, strict=True):
                if value is not None:  # a line to the edge has no data there
                    # Within a pixel of the page.
                    assert axis.share(at) == pytest.approx(axis.share(value), abs=1 / 160), (mark, found)


def test_every_mark_is_held_against_both_drawings() -> None:
    assert {type(mark) for _, mark, _ in CASES} | {Boundary} == set(get_args(Mark))


@pytest.mark.parametrize(("low", "high"), [(2.5, 4.5), (1.5, 2.5)])
def test_a_boundary_has_its_line_name_and_set(low: float, high: float) -> None:
    x = layer_axis("layer", range(1, 9))
    curve = Curve("calibrated", tuple((float(at), at % 3) for at in range(1, 9)))
    mark = Boundary("paper", "L–I 3", 3, ((low, high),))
    chart = Chart("t", x, LINEAR, (curve, mark), layers=8)
    drawing = ElementTree.fromstring(svg(chart))
    step = float(drawing.get("data-step", 0))
    (line,), (stretch,) = (drawing.findall(f"path[@class='{kind} paper']") for kind in ("mark", "set"))
    first = pixels(drawing.find("path[@class='line calibrated']"))[0][0]
    assert (pixels(line)[0][0] - first) / step == pytest.approx(3 - 1, abs=0.01)
    assert [(x - first) / step + 1 for x, _ in pixels(stretch)] == pytest.approx([low, high], abs=0.01)
    assert "L–I 3" in "".join(drawing.itertext())
    axes = Figure().add_subplot()
    draw(axes, chart, ["t"])
    (rectangle,) = axes.patches
    assert [rectangle.get_x(), rectangle.get_x() + rectangle.get_width()] == [low, high]
    assert 3 in [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2]
    assert "L–I 3" in [text.get_text() for text in axes.texts]


def test_what_looks_alike_is_one_path_and_bands_are_not() -> None:
    marks = [Curve("paper", ((1, 1), (2, 2))), Sign("paper", (3, 3)), Curve("paper", ((4, 4), (5, 5)))]
    bands = [Band("paper", ((1, 1, 2), (2, 1, 2)))] * 2
    drawing = ElementTree.fromstring(svg(Chart("t", X, LINEAR, (*bands, *marks))))
    assert len(drawing.findall("path[@class='line paper']")) == 1
    assert len(drawing.findall("path[@class='band paper']")) == 2


def test_a_bar_that_leaves_the_axis_ends_there() -> None:
    chart = Chart("t", X, LINEAR, (Bar("local", 3, 400.0),), shape="bars")
    drawing = ElementTree.fromstring(svg(chart))
    (bar,) = drawing.findall("path[@class='bar local']")
    heights = [y for _, y in pixels(bar)]
    told = {text.text: float(text.get("y", 0)) - 3.5 for text in drawing.findall("g[@class='ticks']/text")}
    per_unit = (told["4"] - told["0"]) / 4
    assert (min(heights) - told["0"]) / per_unit == pytest.approx(LINEAR.high, abs=0.02)


def test_axes_hold_their_values_and_tell_no_tick_outside() -> None:
    for axis in (around("u", [0.001, 3.0], wide=True), around("u", [-1.0, 2.0]), decades("u", [0.02, 7.0])):
        assert all(0 <= axis.share(at) <= 1 for at, _ in axis.ticks)
        assert len(axis.ticks) >= 3
    assert around("u", [0.001, 3.0], wide=True).log
    assert not around("u", [0.1, 3.0 - 0.1], wide=True).log
    assert around("u", []) is None
    assert decades("u", [0.02, 7.0]).low == pytest.approx(0.01)
    assert decades("u", [0.02, 7.0]).high == pytest.approx(10)


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("line", [role for role in LOOKS if not role.startswith("m")]),
        ("mark", ["calibrated", "paper", "functional", "level"]),
        ("set", ["calibrated", "paper", "functional"]),
        ("bar", ["local", "intermediate", "global"]),
    ],
)
def test_a_role_that_paper_knows_has_a_colour_on_the_page(kind: str, roles: list[str]) -> None:
    """A line of a role without a rule of its own would not be seen."""
    style = (files("mspgt.report") / "template" / "report.css").read_text("utf-8")
    rules = re.findall(r"^([^{}@]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", style), re.M)
    painted = "fill: var(--own)" if kind == "bar" else "stroke: var(--own)"
    assert any(painted in body for names, body in rules if re.search(rf"\.{kind}$", names.strip()))
    for role in roles:
        # In charts of responses every line is grey, and those beyond the linear range are dashed.
        name, own = (
            (r"^\.bars \.line", "stroke:") if role in ("within", "beyond") else (rf"^\.{role}", "--own:")
        )
        assert any(own in body for names, body in rules if re.search(rf"{name}$", names.strip())), role


def test_what_was_not_measured_has_no_shade() -> None:
    assert shades_of(Cells("k", ((1.0, None, 0.5),), 0.0, 1.0)) == [[10, 0, 6]]
