"""P-order: what is read out of the layers follows Local, Intermediate, Global: parts of speech first, topic last.

By functional scales, where they were measured, it is the order of their centres. Shocks and phases say where layers
differ, not of what, so that for both the centres of gravity of the probes are read.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import isotonic_regression

from mspgt.predictions.design import Design
from mspgt.predictions.order_functional import functional_unit
from mspgt.predictions.readings import Measurements, Reading, finished, named
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, Prediction, Unit, untested
from mspgt.results import ModelResult
from mspgt.results.record import Interval

ORDER = ("pos", "dep", "srl", "topic")
DRAWS = 400
NOT_MEASURED = "it was not measured"
TINY = 1e-9  # an error of 0 would be certainty
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Centre:
    """A centre of gravity with its standard error, in layers or in relative depth."""

    layer: float
    error: float


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit a model: the centres of its functional scales, or of gravity of its probes, in the expected order."""
    if reading.positions == "functional":
        return _by_scales(results)
    units, missing, whole = [], [], True
    for name, model in named(finished(results)):
        centres = {}
        for task in ORDER:
            curve = _curve(model, task, reading)
            if isinstance(curve, str):
                missing.append(f"{name}: no curve over layers for {task}: {curve}")
                continue
            centre = centre_of_gravity(*curve, seed=zlib.crc32(f"{name}/{task}".encode()))
            if centre is None:
                missing.append(
                    f"{name}: {task} gains nothing over its embedding that could be told from noise"
                )
                continue
            depth = model.layers
            centres[task] = Centre(centre.layer / depth, max(centre.error / depth, TINY))
        whole &= len(centres) == len(ORDER)
        if len(centres) > 1:
            units.append(_unit(name, centres))
    notes = () if whole else ("not all four tasks were measured: the order can fail, but not be supported",)
    return Finding(tuple(units), tuple(missing), notes, whole)


def _by_scales(results: Measurements) -> Finding:
    missing: list[str] = []
    found = [functional_unit(name, model, missing) for name, model in named(finished(results))]
    units = tuple(unit for unit, _ in found if unit)
    whole = all(tested for _, tested in found)
    notes = () if whole else ("not both steps were tested: the order can fail, but not be supported",)
    return Finding(units, tuple(missing), notes, whole)


def _unit(name: str, centres: dict[str, Centre]) -> Unit:
    steps = {}
    for (a, first), (b, second) in pairwise(centres.items()):
        error = float(np.hypot(first.error, second.error))
        steps[f"{a} → {b}"] = (second.layer - first.layer, error, (second.layer - first.layer) / error)
    least = min(steps, key=lambda step: steps[step][2])
    size, error, weakest = steps[least]
    margin = 1.96 * error
    told = ", ".join(f"{task} {centre.layer:.2f}" for task, centre in centres.items())
    return Unit(
        name,
        size,
        (size - margin, size + margin),
        float(stats.norm.sf(weakest)),
        # Any of the steps may be the reversed one.
        min(1.0, len(steps) * float(stats.norm.cdf(weakest))),
        f"models.{name}.probes",
        f"centres of gravity: {told}; least step {least}",
    )


def _curve(model: ModelResult, task: str, reading: Reading) -> tuple[Array, Array] | str:
    """Score of a task by layer 0..L with its standard error; topic is read off the theory part.

    A curve without a value or an interval at some layer is none, and the reason is returned in its place.
    """
    if task == "topic":
        topic = model.theory.information.topical if model.theory else None
        return _with_errors(topic.bits, topic.ci) if topic else NOT_MEASURED
    probe = model.probes.get(task)
    return _with_errors(getattr(probe, reading.metric or "f1"), probe.f1_ci) if probe else NOT_MEASURED


def _with_errors(
    values: Sequence[float | None] | None, intervals: Sequence[Interval | None] | None
) -> tuple[Array, Array] | str:
    """Values by layer and their standard errors, or why there are none."""
    if not values:
        return NOT_MEASURED
    for what, column in (("value", values), ("interval", intervals)):
        if not column:
            return f"it has no {what}"
        if gaps := [str(layer) for layer, one in enumerate(column) if one is None]:
            return f"it has no {what} at layer {', '.join(gaps)}"
    ends = np.array(intervals, dtype=float)
    return np.array(values, dtype=float), (ends[:, -1] - ends[:, 0]) / (2 * 1.96)


def centre_of_gravity(values: Array, errors: Array, seed: int) -> Centre | None:
    """The mean layer at which a score is gained over the embedding.

    The expected layer of Tenney et al. (2019), Σ l·(P(l) − P(l−1)) / (P(top) − P(0)), of the rising curve that
    fits best, so that noise on a plateau counts little. What noise adds to it is drawn, and taken off.

    Args:
        values, errors: (layers + 1,), from the embedding up.

    Returns:
        In layers; None where the best score is not above the embedding's beyond noise.
    """
    best = int(values.argmax())
    # The best of many layers rises by noise alone: one-sided 5 % over all of them.
    beyond = float(stats.norm.isf(0.05 / (len(values) - 1)))
    if values[best] - values[0] <= beyond * float(np.hypot(errors[best], errors[0])):
        return None
    noise = np.random.default_rng(seed).standard_normal((DRAWS, len(values))) * errors
    own = _gained(values)
    drawn = np.array([_gained(values + one) for one in noise])
    return Centre(2 * own - float(drawn.mean()), float(drawn.std(ddof=1)))


def _gained(values: Array) -> float:
    gains = np.diff(isotonic_regression(values).x)
    total = float(gains.sum())
    # A curve that only falls gains nothing anywhere; the middle says as little as any layer.
    return float(gains @ np.arange(1, len(values))) / total if total > 0 else len(values) / 2


def power(design: Design, rules: Rules) -> str:
    """Which tasks are there; the order of four needs all four. Functional scales bring their own."""
    there = [task for task in ORDER if task in design.tasks or (task == "topic" and design.theory)]
    lacking = [task for task in ORDER if task not in there]
    if len(there) < 2:
        return f"needs probes of two tasks out of {', '.join(ORDER)}; found {', '.join(there) or 'none'}"
    text = f"tests the order of {', '.join(there)} in {len(design.members)} models"
    return text + (f"; without {', '.join(lacking)} it can be refuted, not supported" if lacking else "")


PREDICTION = Prediction(
    id="P-order",
    title="What layers hold is gained in the order Local, Intermediate, Global",
    tier="assumption",
    quantifier="most",
    statistic="least step between centres in the expected order, in relative depth",
    threshold=lambda rules: 0.0,
    rule=(
        "Where functional scales were measured: Local, Intermediate and Global become usable in this order, each "
        "step beyond the margin of their own test (both steps judged together). Elsewhere by probes: the centre "
        "of gravity of a task is the mean layer at which its score is gained over the embedding, on the rising "
        "curve that fits best, less what noise adds; the order is part of speech < dependency < semantic role < "
        "topic. Supported: in more than half of the models every step is beyond its error. Refuted: in at least "
        "half of them some step is reversed beyond its error (Bonferroni over steps). Unless every step was "
        "tested it cannot be supported."
    ),
    paper_rule="None: the names Local, Intermediate and Global assume the order.",
    claim=Claim(
        "Lexical recognition must precede syntax; layers map onto Local, Intermediate, Global in order of depth",
        "sections 3.1 and 3.3.1",
        "assumed",
        "No order is tested in the paper; published probing finds syntax early and much of semantics everywhere.",
    ),
    judge=judge,
    paper=untested("the paper assumes the order"),
    power=power,
    false_in=("smooth", "one depth"),
    true_in=("as predicted", "in order"),
    excluded=lambda rules: (
        "that Local, Intermediate and Global (or parts of speech, dependencies, roles and topic) are gained in this "
        "order, in more than half of the models"
    ),
    readings=(Reading(), Reading(metric="selectivity"), Reading(positions="functional")),
    shown="smallest",
)
