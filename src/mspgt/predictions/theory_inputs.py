"""Reading the theory part of a model: every key that a prediction takes from it stands here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scipy import stats

from mspgt.predictions.readings import finished, named

Json = dict[str, Any]


def blocks(results: Json, key: str, missing: list[str]) -> Iterator[tuple[str, Json]]:
    """(model, its block of the theory part); models without one are told in `missing`."""
    models = finished(results)
    if not any(model.get("theory") for model in models.values()):
        missing.append("the theory part was not run (`mspgt theory`, or `theory` in a study file)")
        return
    for name, model in named(models):
        block = (model.get("theory") or {}).get(key)
        if block:
            yield name, block
        else:
            missing.append(f"models.{name}.theory.{key}: not measured")


def interval(ends: Any) -> tuple[float, float] | None:
    """A 95 % interval; None where an end is missing."""
    return (float(ends[0]), float(ends[-1])) if ends and None not in ends else None


def normal_p(value: float, ci: tuple[float, float], bound: float) -> tuple[float, float]:
    """One-sided p-values that the truth lies below, and above, a bound; normal, from a 95 % interval."""
    se = (ci[1] - ci[0]) / (2 * float(stats.norm.ppf(0.975)))
    if se == 0:
        return float(value >= bound), float(value <= bound)
    z = (value - bound) / se
    return float(stats.norm.cdf(z)), float(stats.norm.sf(z))


def inside_p(value: float, ci: tuple[float, float], low: float, high: float) -> tuple[float, float]:
    """p-values that the truth lies between two bounds (two one-sided tests), and outside of them."""
    below_high, above_high = normal_p(value, ci, high)
    below_low, above_low = normal_p(value, ci, low)
    return max(below_high, above_low), min(1.0, 2 * min(above_high, below_low))
