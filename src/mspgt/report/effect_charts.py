"""Experiment 2 as charts: one a metric with its doses side by side, and the noise–response curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mspgt.report import marks
from mspgt.report.interventions import DOSE_WORD, BarPanel, signed, significant
from mspgt.report.marks import Axis, Chart, Key, Mark, around, decades
from mspgt.report.words import MISSING, SCALE_NAMES
from mspgt.results.interventions import EffectResult, ResponseCurve

GAP = 0.9  # the space between doses, in bars
FAR = 3.0  # a literal dose that reaches so many times as far as all others is cut, and its number written
LEGEND = (
    *(Key(scale, name, filled=True) for scale, name in SCALE_NAMES.items()),
    Key("chance", "A/A range", filled=True),
)


def bars_chart(doses: Mapping[str, BarPanel]) -> Chart | None:
    """One metric at every dose, over what chance does; None where nothing was measured.

    Args:
        doses: dose → its bars, in the order in which they stand.
    """
    drawn = {dose: panel for dose, panel in doses.items() if panel.drawn}
    if not drawn:
        return None
    title, y = next(iter(drawn.values())).title, _extent(drawn)
    bars, groups, at = [], [], GAP / 2
    for dose, panel in drawn.items():
        bars += [(at + place + 0.5, *one) for place, one in enumerate(panel.scales.items())]
        groups.append((at + len(panel.scales) / 2, DOSE_WORD[dose]))
        at += len(panel.scales) + GAP
    ticks = tuple((place, scale[0].upper()) for place, scale, _ in bars)
    x = Axis("", 0, at - GAP / 2, ticks, groups=tuple(groups) if len(groups) > 1 else (), line=False)
    ranges = dict.fromkeys(panel.chance for panel in drawn.values() if panel.chance)
    chance = [
        marks.Span(
            "chance", y=ends, told="two runs without noise differ by [{}, {}] %".format(*map(signed, ends))
        )
        for ends in ranges
    ]
    told = [mark for bar in bars for mark in _bar(*bar, y)]
    return Chart(
        title,
        x,
        y,
        (*chance, *told, marks.Rule("axis", 0, level=True)),
        shape="bars",
        about=f"{title}: change in percent, by dose and scale",
        legend=LEGEND,
    )


def _bar(at: float, scale: str, found: EffectResult, y: Axis) -> Iterator[Mark]:
    """A bar with its interval, or its number where it leaves the drawing; what was not measured as a dash."""
    percent = found.percent
    if percent is None:
        yield marks.Label(MISSING, (at, 0), anchor="middle", shift=(0, -4), told=found.reason or "")
        return
    yield marks.Bar(scale, at, percent, pale=not significant(found))
    if y.inside(percent) != percent:
        words = f"{percent:+,.0f} %".replace("-", "−")
        anchor, down = ("end", 4) if percent > 0 else ("start", -4)
        yield marks.Label(words, (at, y.inside(percent)), "cut", anchor, (3, down), turned=True)
    elif found.percent_ci:
        low, high = found.percent_ci
        yield marks.Whisker("", (at, low), (at, high))


def _reach(panel: BarPanel) -> list[float]:
    ends = [end for found in panel.scales.values() for end in (found.percent, *(found.percent_ci or ()))]
    return [0.0, *(panel.chance or ()), *(end for end in ends if end is not None)]


def _extent(doses: Mapping[str, BarPanel]) -> Axis:
    """Of all doses, save the literal one where it would leave the others without height."""
    reach = {dose: _reach(panel) for dose, panel in doses.items()}
    others = [value for dose, known in reach.items() if dose != "literal" for value in known]
    literal = reach.get("literal") or []
    most = max(map(abs, others), default=0.0)
    far = most and max(map(abs, literal), default=0.0) > FAR * most
    axis = around("% of the baseline", others if far else [*others, *literal], margin=0.06)
    assert axis
    return axis


def response_chart(response: Mapping[str, ResponseCurve] | None) -> Chart | None:
    """The noise–response curves of a model, solid as far as they are linear in the dose; None without any."""
    points = {
        scale: tuple((s, d) for s, d in zip(c.sigma, c.divergence, strict=True) if d and d > 0)
        for scale, c in (response or {}).items()
    }
    known = [point for curve in points.values() for point in curve]
    if not response or not known:
        return None
    x = decades("", [s for s, _ in known])
    y = decades("KL of the next token, nats, by σ", [d for _, d in known], grid=True)
    found: list[Mark] = []
    for scale, curve in points.items():
        limit = response[scale].linear_up_to or 0.0
        within = tuple(point for point in curve if point[0] <= limit)
        beyond = curve[max(len(within) - 1, 0) :]
        both = {"within": within, "beyond": beyond}
        found += [marks.Curve(role, stretch) for role, stretch in both.items() if len(stretch) > 1]
        if curve:
            name = marks.Label(scale[0].upper(), curve[len(curve) // 2], anchor="end", shift=(-4, -4))
            found += [marks.Dots(scale, curve), name]
    about = "divergence of the next token by size of noise, a curve a scale"
    return Chart("Divergence of the next token", x, y, tuple(found), shape="small", about=about)
