"""The page's drawings are well-formed, in proportion, and inert whatever a model is called."""

import re
from itertools import accumulate, pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspgt.report import panels
from mspgt.report.charts import panel_chart
from mspgt.report.curves import Line, Mark, Panel, StripRow
from mspgt.report.markup import once
from mspgt.report.paths import path as steps_of
from mspgt.report.strips import strip_chart
from mspgt.report.svg import svg
from tests.report.planted_results import HOSTILE
from tests.whole import typed


def parsed(panel: Panel) -> ElementTree.Element:
    return ElementTree.fromstring(svg(panel_chart(panel), "p"))


def points(path: str) -> list[tuple[float, float]]:
    """Places along a path that starts at a place and goes on in steps."""
    numbers = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", path.removesuffix("h0"))]
    steps = zip(numbers[::2], numbers[1::2], strict=True)
    return list(accumulate(steps, lambda at, step: (at[0] + step[0], at[1] + step[1])))


@given(
    st.lists(st.tuples(st.floats(0, 430), st.floats(-1000, 1000)), min_size=1, max_size=200),
)
def test_a_path_never_drifts_from_its_points(line: list[tuple[float, float]]) -> None:
    drawn = points(steps_of(line))
    assert len(drawn) == len(line)
    for (x, y), (across, down) in zip(drawn, line, strict=True):
        assert (x, y) == pytest.approx((across, down), abs=0.0501)


@pytest.mark.parametrize("values", [[1.0, 3.0, 2.0, 5.0], [0.001, 0.01, 0.1, 1.0]])
def test_heights_are_in_proportion_to_values_or_their_logarithms(values: list[float]) -> None:
    log = values[0] < 0.1
    panel = Panel("k", "t", "u", (1, 2, 3, 4), (Line("c", "calibrated", values),), log=True)
    (curve,) = parsed(panel).findall("path[@class='line calibrated']")
    heights = [y for _, y in points(curve.get("d", ""))]
    shares = [(y - heights[0]) / (heights[-1] - heights[0]) for y in heights]
    expected = [0, 1 / 3, 2 / 3, 1] if log else [0, 0.5, 0.25, 1]
    assert shares == pytest.approx(expected, abs=0.005)


def test_a_curve_breaks_at_a_missing_value_and_keeps_a_lone_one() -> None:
    line = Line("c", "calibrated", [1.0, 2.0, None, 3.0])
    (curve,) = parsed(Panel("k", "t", "u", (1, 2, 3, 4), (line,))).findall("path[@class='line calibrated']")
    stretches = curve.get("d", "").removeprefix("M").split("M")
    assert [len(points(stretch)) for stretch in stretches] == [2, 1]


def test_a_confidence_set_is_drawn_with_its_gap() -> None:
    mark = Mark("L–I", "calibrated", 3, layers=(2, 3, 5))
    line = Line("c", "calibrated", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    drawn = parsed(Panel("k", "t", "u", (1, 2, 3, 4, 5, 6), (line,), (mark,)))
    (sets,) = drawn.findall("path[@class='set calibrated']")
    first, second = map(float, re.findall(r"h([\d.]+)", sets.get("d", "")))
    assert first == pytest.approx(2 * second, abs=0.2)


@pytest.mark.parametrize("far", [-1.0, 0.0, 1e6])
def test_a_clipped_curve_leaves_the_axis_as_it_is(far: float) -> None:
    own, twin = Line("c", "calibrated", [0.001, 0.1]), Line("t", "twin", [0.01, far], clipped=True)
    alone, both = (parsed(Panel("k", "t", "u", (1, 2), lines, log=True)) for lines in ((own,), (twin, own)))
    path = "path[@class='line calibrated']"
    assert alone.find(path).get("d") == both.find(path).get("d")
    window = both.find("clipPath").get("id")
    assert both.find("g[@clip-path]").get("clip-path") == f"url(#{window})"


NAMES = st.lists(
    st.tuples(st.sampled_from(["L–I", "I–G", "spike", "kink"]), st.integers(1, 23)), max_size=5, unique=True
)


@given(NAMES)
def test_names_of_boundaries_never_meet(found: list[tuple[str, int]]) -> None:
    own = tuple(Mark(label, "calibrated", layer, layers=(layer,)) for label, layer in found)
    strip = ElementTree.fromstring(svg(strip_chart(StripRow("calibrated", ("Local",) * 24, own))))
    letter = 100 * 5.5 / 230  # percent of the narrowest strip, for a letter of ten pixels' height
    spans: dict[str, list[tuple[float, float]]] = {}
    for name in strip.findall("text"):
        kind = (name.get("class") or "").split()
        if kind[0] == "edge":
            across, width = float((name.get("x") or "").rstrip("%")), letter * len(name.text or "")
            span = (across - width, across) if "end" in kind else (across, across + width)
            spans.setdefault(name.get("y") or "", []).append(span)
            assert -1e-9 <= span[0] < span[1] <= 100 + 1e-9
    for row in spans.values():
        for (_, high), (low, _) in pairwise(sorted(row)):
            assert high <= low
    assert all(float(y) <= float(strip.find("svg").get("y", 0)) - 6 for y in spans)


def test_what_drawings_have_alike_stands_once_on_a_page() -> None:
    x = (1, 2, 3, 4)
    drawn = [
        svg(panel_chart(Panel("k", "t", "u", x, (Line("c", "calibrated", [v] * 4),))), "p")
        for v in (1.0, 2.0)
    ]
    page = once(f"<main>{drawn[0]}{drawn[1]}</main>")
    assert page.count('<use href="#s0"/>') == 2
    assert page.count(">layer</text>") == page.count('id="s0"') == 1
    assert once("<main></main>") == "<main></main>"
    # What only one has stays where it is.
    alone = once(f"<main>{drawn[0]}</main>")
    assert "<use" not in alone
    assert alone.count(">layer</text>") == 1


def test_nothing_measured_draws_nothing() -> None:
    assert svg(panel_chart(Panel("k", "t", "u", (), (), missing=("one block",))), "p") == ""


def test_hostile_text_stays_text() -> None:
    line = Line(HOSTILE, "level", [1.0, 1.0])
    drawing = svg(panel_chart(Panel("k", HOSTILE, HOSTILE, (1, 2), (line,))), 'x"><script>')
    assert "<script" not in drawing
    assert HOSTILE in "".join(ElementTree.fromstring(drawing).itertext())


def test_every_planted_chart_is_well_formed(results: dict[str, Any]) -> None:
    whole = typed(results)
    for name, model in whole.models.items():
        for group in (panels.signal_panels, panels.probe_panels, panels.control_panels):
            for panel in group(whole, name):
                if panel.drawn:
                    parsed(panel)
        for row in panels.strip_rows(model):
            strip = ElementTree.fromstring(svg(strip_chart(row)))
            blocks = strip.findall("svg/rect[@width]")
            widths = [float(b.get("width", 0)) for b in blocks if (b.get("class") or "").startswith("block")]
            assert sum(widths) == model.layers
