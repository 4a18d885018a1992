"""Claims over models: that one number of a model grows with another, told as a rank correlation over architectures.

Training runs of one architecture are no further architectures, so that they are averaged. Fewer than a stated number
of architectures test nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from mspgt.predictions.design import Design
from mspgt.predictions.readings import Measurements, by_architecture
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Finding, Unit

Array = NDArray[np.float64]
DRAWS = 1999
SEED = 31


@dataclass(frozen=True)
class Pair:
    """Two numbers of one training run, between which a relation is claimed."""

    x: float
    y: float


def means_by_architecture(results: Measurements, pairs: Mapping[str, Pair]) -> dict[str, Pair]:
    """Architecture → the mean of both numbers over its training runs; runs without them are not in it."""
    found = {}
    for (family, layers, width, _), runs in by_architecture(results):
        if own := [pairs[name] for name in runs if name in pairs]:
            mean = Pair(sum(one.x for one in own) / len(own), sum(one.y for one in own) / len(own))
            found[f"{family}, {layers} layers, width {width}"] = mean
    return found


def associated(
    results: Measurements,
    by_name: Mapping[str, Mapping[str, Pair]],
    sign: float,
    evidence: Callable[[str], str],
    rules: Rules,
    missing: Sequence[str],
) -> Finding:
    """One unit a relation: its name → the two numbers of every training run that has both.

    Args:
        sign: as of `rank_unit`; evidence: of a relation, by its name. missing: what is known to lack beforehand.
    """
    found = [
        rank_unit(name, means_by_architecture(results, pairs), sign, evidence(name), rules)
        for name, pairs in by_name.items()
    ]
    lacking = [one for one in found if isinstance(one, str)]
    return Finding(tuple(one for one in found if isinstance(one, Unit)), (*missing, *lacking))


def rank_unit(name: str, found: Mapping[str, Pair], sign: float, evidence: str, rules: Rules) -> Unit | str:
    """One test: y grows (`sign` 1) or falls (−1) with x over architectures; or how many it lacks.

    For the claim, a permutation test of Spearman's correlation; against it, the normal test of its Fisher transform
    that it is not below the size that a relation must have (standard error of Bonett & Wright 2000).
    """
    n = len(found)
    if n < rules.architectures:
        return f"{name}: {n} architectures; needed are {rules.architectures}"
    x, y = (np.array([getattr(one, axis) for one in found.values()]) for axis in ("x", "y"))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return f"{name}: all architectures have one value, so that nothing can go with it"
    correlation = spearman(x, sign * y)
    near = float(np.clip(correlation, -1 + 1e-9, 1 - 1e-9))
    error = sqrt((1 + near**2 / 2) / (n - 3))
    told = ", ".join(f"{architecture} {one.x:.3g} and {one.y:.3g}" for architecture, one in found.items())
    return Unit(
        name,
        correlation,
        _interval(near, n),
        _by_permutation(x, sign * y, correlation),
        float(stats.norm.cdf((atanh(near) - atanh(rules.association)) / error)),
        evidence,
        f"over {n} architectures: {told}",
    )


def spearman(x: Array, y: Array) -> float:
    """Rank correlation, ties at their mean rank."""
    return float(np.corrcoef(stats.rankdata(x), stats.rankdata(y))[0, 1])


def _interval(correlation: float, n: int) -> tuple[float, float]:
    """Rank correlations that are within 1.96 of their own standard errors, on the scale of Fisher's transform.

    As Wilson's interval of a share does, it takes the error at the correlation in question (Bonett & Wright 2000).
    The error at the estimate, which is larger far from 0, covers 0 in 97 % over 10 architectures; this one covers 0,
    .3, .6 and .9 in 94 to 96.5 % over 8 to 30 normal pairs.
    """
    middle, reach = atanh(correlation), float(stats.norm.ppf(0.975))

    def excess(place: float) -> float:
        return (place - middle) ** 2 - reach**2 * (1 + tanh(place) ** 2 / 2) / (n - 3)

    farthest = 1.001 * reach * sqrt(1.5 / (n - 3))  # beyond the error of a perfect correlation
    ends = (brentq(excess, middle - farthest, middle), brentq(excess, middle, middle + farthest))
    return tanh(ends[0]), tanh(ends[1])


def _by_permutation(x: Array, y: Array, correlation: float) -> float:
    """One-sided p-value of a rank correlation: the share of orders of y, drawn anew, that do as well."""
    first, second = (stats.zscore(stats.rankdata(one)) for one in (x, y))
    rng = np.random.default_rng(SEED)
    drawn = rng.permuted(np.tile(second, (DRAWS, 1)), axis=1) @ first / len(first)
    return float((1 + (drawn >= correlation - 1e-12).sum()) / (DRAWS + 1))


def power_with(needs: str) -> Callable[[Design, Rules], str]:
    """What as many architectures as a study has would show; `needs` stands where it has no theory or no texts."""

    def power(design: Design, rules: Rules) -> str:
        if not design.theory or design.samples is None:
            return f"needs {needs}"
        return told_power(len(design.architectures()), rules)

    return power


def told_power(n: int, rules: Rules) -> str:
    """The rank correlation that so many architectures would show."""
    if n < rules.architectures:
        return f"needs {rules.architectures} architectures; found {n}"
    reach = (float(stats.norm.isf(rules.level)) + float(stats.norm.ppf(0.8))) * sqrt(1.06 / (n - 3))
    return f"over {n} architectures a rank correlation of about {tanh(reach):.2f} has 80 % power"
