"""The brittleness curve as a chart: one model, four meanings of one dose."""

from __future__ import annotations

from mspgt.report.doses import DEFINITIONS, Audit
from mspgt.report.marks import Chart, Curve, Dots, Key, Label, Mark, Rule, decades, layer_axis
from mspgt.report.words import number

AXIS = "last layer that noise reaches: where Local ends"
UNIT = "extra nats a token"


def brittleness_chart(audit: Audit, title: str) -> Chart:
    """Extra nats a token by the last layer with noise; without marks where nothing was measured."""
    x = layer_axis(AXIS, range(1, audit.layers + 1))
    known = {DEFINITIONS[definition]: points for definition, points in audit.curves.items() if points}
    y = decades(UNIT, [nats for points in known.values() for _, nats in points] or [1.0], grid=True)
    marks: list[Mark] = []
    if (sink := audit.about.sink_layer) is not None:
        at = sink - 0.5
        anchor, right = ("end", -5) if at > (x.low + x.high) / 2 else ("start", 5)
        words = f"a sink appears at layer {sink}"
        marks += [Rule("sink", at), Label(words, (at, y.high), anchor=anchor, shift=(right, -6))]
    for (_, role), points in known.items():
        marks += [Curve(role, points), Dots(role, points)]
    if audit.jump is not None:
        (before, after, ratio), literal = audit.jump, dict(audit.curves["all"])
        middle = (literal[before] * literal[after]) ** 0.5
        marks.append(Label(f"× {number(ratio)}", (after, middle), role="paper", shift=(6, 4)))
    return Chart(
        title,
        x,
        y,
        tuple(marks) if known else (),
        shape="wide",
        about=f"{title}, in {UNIT}: {', '.join(label for label, _ in known)}",
        legend=tuple(Key(role, label) for label, role in known),
        layers=audit.layers,
    )
