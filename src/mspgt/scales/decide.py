"""From gains by document to depths, order and boundaries, each with an interval or a reason why it is undefined.

Documents are resampled, and each draw takes one of the readers' deals at random, so that intervals cover both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.results import FunctionalScale, FunctionalScales, FunctionalTask, Located
from mspgt.scales.curves import (
    block_share,
    centre,
    crossing,
    decline,
    largest_fall,
    mean_curves,
    rise,
    separation,
    smoothed,
)
from mspgt.scales.gains import Gains
from mspgt.scales.order import LEVEL, PAIRS, boundary, interval, order_tests, undefined_boundary, verdict
from mspgt.scales.tasks import TASKS, Task
from mspgt.stats.bootstrap import document_weights
from mspgt.vocabulary import INITIALS

Array = NDArray[np.float64]

DRAWS = 1000
SMALL = 0.01  # of the entropy of the labels
FALLEN = 0.3  # a larger fall before the level makes a curve non-monotone
LEAST_LAYERS = 8  # below, smoothing and the level use most of the curve: no boundaries
ONE_SIDED = 1.645  # standard errors by which a level must exceed the twin's
RETENTION = "retention: what is asked is the word itself, which is there from layer 0 on"
NAMES = {"L": "Local", "I": "Intermediate", "S": "Semantic", "G": "Global"}


@dataclass(frozen=True)
class Drawn:
    """Curves of every task, (1, tasks, layers + 1) as estimated and (draws, tasks, layers + 1) as redrawn."""

    point: Array
    draws: Array

    @classmethod
    def of(cls, gains: Gains, weights: Array, seed: int) -> Drawn:
        """Every draw takes the readers of one seed, drawn at random."""
        seeds, documents = gains.sums.shape[:2]
        point = mean_curves(gains.sums.mean(0), gains.counts, np.ones((1, documents)))
        chosen = np.random.default_rng([seed, 1]).integers(seeds, size=len(weights))
        draws = np.empty((len(weights), *point.shape[1:]))
        for number in range(seeds):
            own = chosen == number
            draws[own] = mean_curves(gains.sums[number], gains.counts, weights[own])
        return cls(point, draws)


def decide_scales(
    gains: Gains,
    *,
    tasks: Sequence[Task] = TASKS,
    twin: Gains | None = None,
    unit: str = "document",
    draws: int = DRAWS,
    seed: int = 0,
    notes: Sequence[str] = (),
) -> FunctionalScales:
    """Depths, order and boundaries of one model (docs/scales.md).

    Args:
        gains: of the model; twin: of its random twin on the same documents, which the levels must exceed.
        tasks: those that were asked, each with its scale.
    """
    weights = document_weights(gains.sums.shape[1], draws, seed)
    drawn = Drawn.of(gains, weights, seed)
    by_name = {task.name: task for task in tasks}
    reasons = undefined_tasks(gains, drawn)
    reasons |= {name: RETENTION for name in gains.tasks if by_name[name].beyond == "nothing"}
    about_twin = None
    if twin is not None:
        about_twin, beaten = _against_twin(gains, drawn, twin, weights, by_name, seed)
        reasons = {name: why or beaten.get(name, "") for name, why in reasons.items()}
    found = _tasks(gains, drawn, by_name, reasons)
    scales = {name: _scale(gains, drawn, by_name, reasons, name) for name in NAMES}
    order = order_tests(_centres(gains, drawn, scales), gains.layers)
    shares = {s: _shares(gains, drawn, scales[s].tasks) for s in INITIALS if scales[s].defined}
    too_few = (
        f"{gains.layers} layers: below {LEAST_LAYERS} no boundary is given"
        if gains.layers < LEAST_LAYERS
        else ""
    )
    boundaries = {
        pair: undefined_boundary(too_few) if too_few else boundary(shares.get(a), shares.get(b), order[pair])
        for pair, (a, b) in PAIRS.items()
    }
    return FunctionalScales(
        unit=unit,
        documents=gains.sums.shape[1],
        seeds=len(gains.sums),
        draws=draws,
        declared=[task.declared() for task in tasks],
        tasks=found,
        scales=scales,
        order=order,
        verdict=verdict(order),
        LI=boundaries["LI"],
        IG=boundaries["IG"],
        block_share=_block_share(shares),
        without=_without(gains, drawn, scales),
        twin=about_twin,
        off=dict(gains.off),
        about=dict(gains.about),
        notes=[*notes, *_twin_notes(about_twin)],
    )


def undefined_tasks(gains: Gains, drawn: Drawn) -> dict[str, str]:
    """Task → why its curve has no depth; empty where it has.

    flat: the largest gain over its standard error stays below the simultaneous limit of the draws, at 5 % over all
    tasks. small: the level is below 1 % of the labels' entropy. non-monotone: a fall of more than 30 % of the level
    before it is reached. unresolved: the interval of d50 is wider than half the depth.
    """
    shaken, point = rise(drawn.draws), rise(drawn.point)
    error = drawn.draws.std(0) + 1e-9
    noise = ((drawn.draws - drawn.point) / error)[..., 1:].max(-1)
    limit = np.quantile(noise, 1 - LEVEL / len(gains.tasks), axis=0)
    signal = (drawn.point[0] / error)[:, 1:].max(-1)
    falls = largest_fall(point)[0]
    ends = np.quantile(crossing(shaken.share, 0.5), [0.025, 0.975], axis=0)
    reasons = {}
    for i, name in enumerate(gains.tasks):
        level, entropy = float(point.level[0, i]), float(gains.entropy[i])
        width = float(ends[1, i] - ends[0, i])
        if signal[i] <= limit[i]:
            why = "flat: no layer holds more of it than the noise of documents explains"
        elif level < SMALL * entropy:
            why = f"small: {level:.3f} bit, below {SMALL:.0%} of the labels' {entropy:.2f} bits"
        elif falls[i] > FALLEN:
            why = f"non-monotone: it falls by {falls[i]:.0%} of its level before it gets there"
        elif width > gains.layers / 2:
            why = f"unresolved: the interval of d50 is {width:.1f} of {gains.layers} layers wide"
        else:
            why = ""
        reasons[name] = why
    return reasons


def _against_twin(
    gains: Gains, drawn: Drawn, twin: Gains, weights: Array, by_name: Mapping[str, Task], seed: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """The model's level less the twin's maximum over layers, on the same draws of documents; and where not beyond."""
    other = Drawn.of(twin, weights, seed)
    place = {name: i for i, name in enumerate(twin.tasks)}
    compared, beaten = {}, {}
    for i, name in enumerate(gains.tasks):
        if name not in place or by_name[name].beyond == "nothing":
            continue
        j = place[name]
        top = smoothed(other.point[:, j]).max(-1)[0]
        value = float(rise(drawn.point[:, i]).level[0] - top)
        shaken = rise(drawn.draws[:, i]).level - smoothed(other.draws[:, j]).max(-1)
        error = float(shaken.std())
        compared[name] = {
            "twin_maximum": float(top),
            "difference": value,
            "ci": [value - 1.96 * error, value + 1.96 * error],
            "beyond": value > ONE_SIDED * error,
        }
        if not compared[name]["beyond"]:
            beaten[name] = f"not beyond the twin: random weights give up to {top:.3f} bit of it"
    why = undefined_tasks(twin, other)
    defined = sorted({by_name[name].scale for name in twin.tasks if not why[name]} & set(INITIALS))
    return {
        "tasks": compared,
        "undefined": why,
        "defined_scales": defined,
        "gain": _curve_table(twin, other),
    }, beaten


def _curve_table(gains: Gains, drawn: Drawn) -> dict[str, list[float | None]]:
    return {name: numbers(drawn.point[0, i]) for i, name in enumerate(gains.tasks)}


def _twin_notes(about: Mapping[str, Any] | None) -> list[str]:
    if about is None:
        return ["No random twin was measured: no level is known to exceed what random weights give."]
    if not about["defined_scales"]:
        return []
    named = " and ".join(NAMES[scale] for scale in about["defined_scales"])
    return [
        f"THE RANDOM TWIN HAS A DEFINED SCALE ({named}): on this text such a curve does not need a trained model. "
        "Do not read the model's own scale of that name as something it learnt."
    ]


def numbers(row: Array) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in row]


def _tasks(
    gains: Gains, drawn: Drawn, by_name: Mapping[str, Task], reasons: Mapping[str, str]
) -> dict[str, FunctionalTask]:
    point, shaken = rise(drawn.point), rise(drawn.draws)
    layers = gains.layers
    known = gains.counts.sum(0)
    ends = np.nanquantile(drawn.draws, [0.025, 0.975], axis=0)
    found = {}
    for i, name in enumerate(gains.tasks):
        task = by_name[name]
        one, many = point.share[:, i], shaken.share[:, i]
        depths = {
            "d50": interval(crossing(one, 0.5), crossing(many, 0.5), layers),
            "d90": interval(crossing(one, 0.9), crossing(many, 0.9), layers),
            "centre": interval(centre(one), centre(many), layers),
            "decline": interval(decline(point)[:, i], decline(shaken)[:, i], layers),
        }
        nothing = Located(None, None)
        # The 90 % depth of a label of the document has no interval that covers it (docs/scales.md).
        if task.scale == "G":
            depths["d90"] = Located(depths["d90"].value, None)
        found[name] = FunctionalTask(
            scale=task.scale,
            says=task.says,
            beyond=task.beyond,
            classes=gains.classes[i],
            words=int(known[i]),
            entropy=float(gains.entropy[i]),
            baseline=float(gains.baseline.mean(0)[:, i].sum() / known[i]),
            gain=numbers(drawn.point[0, i]),
            gain_ci=[(float(a), float(b)) for a, b in ends[:, i].T],
            level=interval(point.level[:, i], shaken.level[:, i]),
            defined=not reasons[name],
            reason=reasons[name],
            **(dict.fromkeys(depths, nothing) if reasons[name] else depths),
        )
    return found


def _shares(gains: Gains, drawn: Drawn, names: Sequence[str]) -> tuple[Array, Array]:
    """F_s, the mean rise of tasks: (1, layers + 1) and (draws, layers + 1)."""
    own = [gains.tasks.index(name) for name in names]
    return rise(drawn.point[:, own]).share.mean(1), rise(drawn.draws[:, own]).share.mean(1)


def _scale(
    gains: Gains, drawn: Drawn, by_name: Mapping[str, Task], reasons: Mapping[str, str], scale: str
) -> FunctionalScale:
    own = [name for name in gains.tasks if by_name[name].scale == scale]
    used = [name for name in own if not reasons[name]]
    nothing = Located(None, None)
    if not used:
        missing = [name for name, task in by_name.items() if task.scale == scale and name in gains.off]
        told = [f"{name}: {reasons[name]}" for name in own] + [
            f"{name}: {gains.off[name]}" for name in missing
        ]
        why = "; ".join(told) or "no task was asked"
        return FunctionalScale([], False, why, None, nothing, nothing, nothing)
    one, many = _shares(gains, drawn, used)
    layers = gains.layers
    d90 = interval(crossing(one, 0.9), crossing(many, 0.9), layers)
    return FunctionalScale(
        used,
        True,
        "",
        numbers(one[0]),
        interval(crossing(one, 0.5), crossing(many, 0.5), layers),
        replace(d90, ci=None) if scale == "G" else d90,
        interval(centre(one), centre(many), layers),
    )


def _centres(
    gains: Gains, drawn: Drawn, scales: Mapping[str, FunctionalScale]
) -> dict[str, tuple[Array, Array]]:
    found = {}
    for name in INITIALS:
        if scales[name].defined:
            one, many = _shares(gains, drawn, scales[name].tasks)
            found[name] = centre(one), centre(many)
    return found


def _block_share(shares: Mapping[str, tuple[Array, Array]]) -> Located:
    if len(shares) < len(INITIALS):
        return Located(None, None)
    one, many = (block_share(*(shares[s][part] for s in INITIALS)) for part in (0, 1))
    return interval(one, many, hull=False)


def _without(
    gains: Gains, drawn: Drawn, scales: Mapping[str, FunctionalScale]
) -> dict[str, dict[str, float | None]]:
    """Soft boundaries and the centre of its scale when each deciding task is left out."""
    found: dict[str, dict[str, float | None]] = {}
    for scale in INITIALS:
        for task in scales[scale].tasks:
            left = {s: [name for name in scales[s].tasks if name != task] for s in INITIALS}
            rises = {s: _shares(gains, drawn, names)[0] for s, names in left.items() if names}
            softs = {
                pair: float(separation(rises[a], rises[b]).soft[0]) if a in rises and b in rises else np.nan
                for pair, (a, b) in PAIRS.items()
            }
            middle = float(centre(rises[scale])[0]) if scale in rises else np.nan
            row = {**softs, "centre": middle}
            found[task] = {key: value if np.isfinite(value) else None for key, value in row.items()}
    return found
