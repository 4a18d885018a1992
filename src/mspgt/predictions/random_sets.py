"""Random layer sets: what noise on as many layers does wherever they lie, against which a scale must stand out.

A scale in the middle of the depth lies under any hump of sensitivity there, and beats sets farther out without
being anything by itself. What parts the two is how far beyond the sets it lies. Of sets as far apart as the scale's
own layers, no more than half of them inside it, a scale with edges lies three standard deviations beyond the mean;
a smooth hump, wherever its top, at most two, unless it is as narrow as the scale and stands just upon it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gamma, sqrt

import numpy as np
from scipy import stats

from mspgt.predictions.effects import Perturbed
from mspgt.predictions.ratios import Effect, se_of
from mspgt.results.interventions import EffectResult

LEAST = 3  # sets, whose spread has an error
BEYOND = 2.0  # standard deviations of the sets that a scale must lie beyond their mean
EDGES = 3.0  # so many it lies beyond it where sensitivity ends at its edges


@dataclass(frozen=True)
class Excess:
    """What noise on a scale does beyond the mean of random sets and `BEYOND` of their standard deviations.

    effect: log ratio, with the error of the scale's own effect; p: that it is not above 0, from this model alone.
    """

    effect: Effect
    p: float
    note: str


def excess(
    model: Perturbed, scale: str, arm: str, metric: str, *, sign: float, absolute: bool
) -> Excess | str:
    """The excess of a scale over random sets of equal size in one model, or why it cannot be said.

    The sets are draws of a normal law, and the scale is beyond them where it exceeds its quantile. Alone, a model
    must exceed that quantile's upper tolerance limit (noncentral t); over models, excesses have a mean.

    Args:
        sign: which way the metric is expected to move; absolute: whether only how far it moves counts.
    """
    own = log_ratio(model.effect(arm, metric), sign)
    if own is None:
        return f"{metric} of {arm} has no log ratio with an interval"
    # Sets as far apart as the arm of the Intermediate scale are the fairer rivals, where they were drawn.
    prefix = "random_spread_" if any(name.startswith("random_spread_") for name in model.arms) else "random_"
    sets = [
        found
        for name in sorted(model.arms)
        if name.startswith(prefix)
        and _is_rival(model, name, scale)
        and (found := log_ratio(model.effect(name, metric), sign))
    ]
    n = len(sets)
    if n < LEAST:
        return f"{metric} on {n} random layer sets; at least {LEAST} with an interval are needed"
    values = np.array([abs(one.value) if absolute else one.value for one in sets])
    value = abs(own.value) if absolute else own.value
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    # Few sets may agree by chance: alone, they are taken to spread no less than they err.
    spread = max(sd, own.se, *(one.se for one in sets))
    p = float(stats.nct.sf(sqrt(n) * (value - mean) / spread, n - 1, BEYOND * sqrt(n)))
    return Excess(
        Effect(value - mean - BEYOND * sd / _bias(n), own.se), p, f"{value:+.2f} against {mean:+.2f} on {n}"
    )


def models_needed(sets: int, level: float) -> int | None:
    """How many models show a scale with edges beyond so many random sets each, with 80 % power; None beyond 40."""
    error = sqrt(1 / sets + BEYOND**2 / (2 * (sets - 1)))
    for models in range(3, 41):
        reach = float(stats.t.isf(level, models - 1) + stats.norm.ppf(0.8))
        if (EDGES - BEYOND) / error * sqrt(models) >= reach:
            return models
    return None


def log_ratio(found: EffectResult | None, sign: float = 1.0) -> Effect | None:
    """Log ratio of an arm to baseline, positive where the metric moves in the direction of `sign`.

    None without an interval.
    """
    if found is None or not found.log_ratio_ci or found.log_ratio is None or found.baseline is None:
        return None
    value = found.log_ratio if found.baseline > 0 else -found.log_ratio
    return Effect(sign * value, se_of(found.log_ratio_ci))


def _is_rival(model: Perturbed, arm: str, scale: str) -> bool:
    arms = model.about.arms
    own, drawn = set(arms[scale].layers), arms[arm].layers if arm in arms else []
    return 2 * len(own.intersection(drawn)) <= len(drawn)


def _bias(n: int) -> float:
    """Expected standard deviation of n normal draws, over the true one."""
    return sqrt(2 / (n - 1)) * gamma(n / 2) / gamma((n - 1) / 2)
