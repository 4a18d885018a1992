"""The brittleness curve as a chart: one model, four meanings of one dose."""

from __future__ import annotations

from mspgt.report.doses import Brittleness
from mspgt.report.marks import Chart, Curve, Dots, Key, Label, Mark, Rule, decades, layer_axis
from mspgt.report.words import number

AXIS = "last layer that noise reaches: where Local ends"
UNIT = "extra nats a token"


def brittleness_chart(found: Brittleness) -> Chart:
    """Extra nats a token by the last layer with noise; without marks where nothing was measured."""
    x = layer_axis(AXIS, range(1, found.layers + 1))
    known = {(label, role): points for label, role, points in found.curves if points}
    y = decades(UNIT, [nats for points in known.values() for _, nats in points] or [1.0], grid=True)
    marks: list[Mark] = []
    if found.sink is not None:
        marks.append(Rule("sink", found.sink - 0.5))
        right = found.sink - 0.5 > (x.low + x.high) / 2
        marks.append(
            Label(
                f"a sink appears at layer {found.sink}",
                (found.sink - 0.5, y.high),
                anchor="end" if right else "start",
                shift=(-5 if right else 5, -6),
            )
        )
    for (_, role), points in known.items():
        marks += [Curve(role, points), Dots(role, points)]
    if found.jump is not None:
        (before, after, ratio), literal = found.jump, dict(found.curves[1][2])
        middle = (literal[before] * literal[after]) ** 0.5
        marks.append(Label(f"× {number(ratio)}", (after, middle), role="paper", shift=(6, 4)))
    return Chart(
        found.title,
        x,
        y,
        tuple(marks) if known else (),
        shape="wide",
        about=f"{found.title}, in {UNIT}: {', '.join(label for label, _ in known)}",
        legend=tuple(Key(role, label) for label, role in known),
        layers=found.layers,
    )
