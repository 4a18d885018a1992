"""A panel over layers as a chart: curves with their bands, boundaries with their sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from mspgt.report.curves import Line, Panel, axis_values, runs
from mspgt.report.curves import Mark as Located
from mspgt.report.marks import Axis, Band, Boundary, Chart, Curve, Key, Label, Mark, around, layer_axis
from mspgt.report.words import BOUNDARIES

NOTHING = Axis("", 0, 1)


def panel_chart(panel: Panel, across: str = "layer") -> Chart:
    """One panel; a chart without marks where nothing was measured.

    Args:
        across: name of the horizontal axis.
    """
    if not panel.drawn:
        return Chart(panel.title, NOTHING, NOTHING)
    apart = [line for line in panel.lines if panel.second_axis and line.role == "paper"]
    together = [line for line in panel.lines if line not in apart]
    first = around(panel.axis, axis_values(together), wide=panel.log)
    second = around(panel.second_axis or "", axis_values(apart), wide=panel.log)
    curves = [mark for line in together if first for mark in line_marks(line, panel.x)]
    curves += [mark for line in apart if second for mark in line_marks(line, panel.x, second=True)]
    # The foremost first; a level has its name beside it in the drawing.
    drawn = dict.fromkeys((line.role, line.label) for line in reversed(panel.lines) if line.role != "level")
    return Chart(
        panel.title,
        layer_axis(across, panel.x),
        first or NOTHING,
        (*curves, *boundary_marks(panel.marks)),
        second=second,
        about=f"by depth: {', '.join(line.label for line in panel.lines)}",
        legend=tuple(Key(role, label, filled=role == "twin") for role, label in drawn),
        layers=len(panel.x),
    )


def boundary_marks(found: Sequence[Located], shift: float = 0.0, *, sets: bool = True) -> list[Boundary]:
    """Boundaries with their names, and with their sets unless those are not wanted.

    Args:
        shift: from a layer to its place on the axis.
    """
    outer = BOUNDARIES["LI"]
    return [
        Boundary(
            one.role,
            f"{one.label} {one.layer}",
            one.layer + shift,
            tuple(one.spans()) if sets else (),
            one.claimed,
            outwards=one.label == outer,
            row=int(one.role == "paper"),
        )
        for one in found
    ]


def line_marks(line: Line, x: Sequence[float], *, second: bool = False) -> Iterator[Mark]:
    """Bands, stretches without a gap, and for one level its name at its end."""
    for band in line.drawn_bands():
        for run in runs(band):
            ends = tuple((x[at], *interval) for at, interval in run)
            yield Band(line.role, ends, second, line.clipped)
    for stretch in runs(line.values):
        points = tuple((x[at], value) for at, value in stretch)
        if line.role == "level":
            points = points[:1] + points[1:][-1:]
        yield Curve(line.role, points, second, line.clipped)
    if line.role == "level" and line.values[-1] is not None:
        yield Label(line.label, (x[-1], line.values[-1]), anchor="end", shift=(0, -4))


def keys_of(charts: Sequence[Chart]) -> list[Key]:
    """Every line of the legends of several charts, once."""
    return list(dict.fromkeys(chain.from_iterable(chart.legend for chart in charts)))
