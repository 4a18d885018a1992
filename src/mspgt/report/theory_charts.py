"""The theory of a model as charts: Figure 2 as a matrix over layers, and what does not run over layers."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from mspgt.report import marks, panels
from mspgt.report.charts import boundary_marks
from mspgt.report.marks import Axis, Chart, Key, Mark, Point, around, decades, layer_axis, linear
from mspgt.report.theory import KINDS, usable
from mspgt.report.words import MISSING, SCALE_NAMES, number
from mspgt.results import ModelResult
from mspgt.results.theory import Beta, Bottleneck, Concentration, Fisher

ARMS = {"predicted": ("twin", "½ Σ σ² tr F"), "kl": ("calibrated", "KL"), "loss": ("variant", "loss")}


def information_chart(name: str, model: ModelResult) -> Chart | None:
    """Figure 2: share of each label's entropy that every layer makes usable, with the boundaries of both modes.

    None where no kind of label was measured.
    """
    if model.theory is None:
        return None
    rows = [(KINDS[kind], block) for kind, block in usable(model.theory.information).items()]
    if all(block.bits is None for _, block in rows):
        return None
    x = layer_axis("layer", range(model.layers + 1))
    shares: list[tuple[float | None, ...]] = []
    told: list[Mark] = []
    for at, (_, block) in enumerate(rows):
        if block.bits is None or not block.entropy:
            shares.append((None,) * (model.layers + 1))
            told.append(marks.Label("not measured", (model.layers / 2, at), anchor="middle"))
        else:
            shares.append(tuple(bits / block.entropy for bits in block.bits))
    cells = marks.Cells("share of entropy", tuple(shares), 0.0, 1.0, first=0, first_row=0)
    names = tuple((float(at), title) for at, (title, _) in enumerate(rows))
    # A boundary lies between its layer and the next.
    boundaries = boundary_marks(tuple(panels.marks(model)), shift=0.5, sets=False)
    return Chart(
        f"{name}: usable information by layer",
        Axis("layer", -0.5, model.layers + 0.5, x.ticks),
        Axis("", len(rows) - 0.5, -0.5, names),
        (cells, *told, *boundaries),
        shape="table",
    )


def theory_charts(model: ModelResult) -> list[Chart]:
    """Rate–distortion, β̂ by noise, predicted against measured loss, and widths; empty without theory."""
    theory = model.theory
    if theory is None:
        return []
    return [
        _rate_distortion(theory.hvib),
        _weights(theory.beta),
        _arms(theory.fisher),
        _widths(theory.concentration),
    ]


def _chart(title: str, x: Axis | None, y: Axis | None, found: Sequence[Mark], *legend: Key) -> Chart:
    """One chart; without marks where nothing was measured."""
    nothing = Axis("", 0, 1)
    return Chart(
        title, x or nothing, y or nothing, tuple(found) if x and y else (), shape="small", legend=legend
    )


def _rate_distortion(block: Bottleneck) -> Chart:
    title = "Rate and distortion (next token)"
    if block.curve is None:
        return _chart(title, None, None, ())
    points = tuple((sum(one.kl), one.distortion) for one in block.curve)
    found: list[Mark] = [marks.Curve("calibrated", points), marks.Dots("calibrated", points)]
    # Inside the drawing: to the left of the last point, to the right of the others.
    most = max(points)
    for one, point in zip(block.curve, points, strict=True):
        anchor, right = ("end", -5) if point == most else ("start", 5)
        found.append(marks.Label(f"β {number(one.beta)}", point, anchor=anchor, shift=(right, -5)))
    heights = [height for _, height in points]
    if block.blind is not None:
        found.append(marks.Rule("level", block.blind, level=True))
        heights.append(block.blind)
    x = around("Σ KL, nats a token", [rate for rate, _ in points])
    return _chart(title, x, around("nats a token", heights), found)


def _weights(block: Beta) -> Chart:
    title = "Weight β of the activations, by noise"
    if not block.activations:
        return _chart(title, None, None, ())
    found: list[Mark] = []
    heights: list[float] = []
    for role in SCALE_NAMES:
        one = block.activations[role]
        points = tuple(zip(block.sigmas, one.value, strict=True))
        if one.ci:
            pairs = zip(block.sigmas, one.ci, strict=True)
            ends = tuple((at, pair[0], pair[1]) for at, pair in pairs if pair is not None)
            found.append(marks.Band(role, ends))
            heights += [end for _, low, high in ends for end in (low, high) if end > 0]
        found += [marks.Curve(role, points), marks.Dots(role, points)]
        heights += [value for value in one.value if value > 0]
    sigmas = sorted(block.sigmas)
    ticks = tuple((sigma, number(sigma)) for sigma in sigmas)
    x = Axis("σ, activation standard deviations", sigmas[0] / 1.15, sigmas[-1] * 1.15, ticks, log=True)
    y = decades("nats a nat", heights, grid=True) if heights else None
    return _chart(title, x, y, found, *(Key(role, label) for role, label in SCALE_NAMES.items()))


def _arms(block: Fisher) -> Chart:
    title = "Cost of noise on a scale"
    if not block.arms:
        return _chart(title, None, None, ())
    found: list[Mark] = []
    heights = [0.0]
    for shift, (key, (role, _)) in enumerate(ARMS.items()):
        for at, scale in enumerate(SCALE_NAMES):
            arm = block.arms[scale]
            value, ends, place = getattr(arm, key), getattr(arm, f"{key}_ci"), at + 0.27 * (shift - 1)
            found.append(marks.Bar(role, place, value, 0.25))
            heights += [value, *(ends or ())]
            if ends is not None:
                found.append(marks.Whisker("", (place, ends[0]), (place, ends[1])))
    names = tuple((float(at), label) for at, label in enumerate(SCALE_NAMES.values()))
    title = f"{title}, σ = {number(next(iter(block.arms.values())).sigma)}"
    legend = (Key(role, label, filled=True) for role, label in ARMS.values())
    return _chart(title, Axis("", -0.5, 2.5, names), around("nats a token", heights), found, *legend)


def _widths(block: Concentration) -> Chart:
    title = "Interval width: equation 34"
    if block.by_draws is None:
        return _chart(title, None, None, ())
    found: list[Mark] = []
    legend: list[Key] = []
    every: list[Point] = []
    laws = ((block.by_draws, "paper", "draws B"), (block.by_documents, "calibrated", "documents N"))
    for curve, role, label in laws:
        if curve is None:
            continue
        known = [(c, w) for c, w in zip(curve.counts, curve.widths, strict=True) if w is not None]
        points = tuple(
            (count, mean(w for c, w in known if c == count)) for count in sorted({c for c, _ in known})
        )
        if points:
            found += [marks.Curve(role, points), marks.Dots(role, points)]
        every += points
        slope = MISSING if curve.slope is None else number(curve.slope, 2)
        legend.append(Key(role, f"{label}, slope {slope}"))
    x = around("count", [count for count, _ in every], wide=True)
    y = linear("layers", 0, 1.08 * max((width for _, width in every), default=0) or 1, grid=True)
    return _chart(f"{title} {block.verdict}", x, y, found, *legend)
