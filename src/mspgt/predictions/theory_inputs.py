"""Reading the theory part of a model, and tests of what it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from scipy import stats

from mspgt.predictions.design import Design
from mspgt.predictions.ratios import se_of
from mspgt.predictions.readings import Measurements, finished, named
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Finding, Unit
from mspgt.results.theory import Theory

Block = TypeVar("Block")


def blocks(
    results: Measurements, block: Callable[[Theory], Block], missing: list[str]
) -> Iterator[tuple[str, Block]]:
    """(model, a block of its theory part); models without a theory part are told in `missing`."""
    models = finished(results)
    if not any(model.theory for model in models.values()):
        missing.append("the theory part was not run (`mspgt theory`, or `theory` in a study file)")
        return
    for name, model in named(models):
        if model.theory:
            yield name, block(model.theory)
        else:
            missing.append(f"models.{name}.theory: not measured")


def judged(
    results: Measurements,
    block: Callable[[Theory], Block],
    test: Callable[[str, Block], Iterable[Unit | str]],
) -> Finding:
    """What a test says of one block of every model: its units, and in words whatever it could not test."""
    missing: list[str] = []
    units: list[Unit] = []
    for name, own in blocks(results, block, missing):
        for found in test(name, own):
            if isinstance(found, Unit):
                units.append(found)
            else:
                missing.append(found)
    return Finding(tuple(units), tuple(missing))


def with_theory(needs: str, told: Callable[[Design, Rules], str]) -> Callable[[Design, Rules], str]:
    """What a study with a theory part could show, and what it `needs` where it has none."""
    return lambda design, rules: told(design, rules) if design.theory else f"needs {needs}"


def normal_p(value: float, ci: tuple[float, float], bound: float) -> tuple[float, float]:
    """One-sided p-values that the truth lies below, and above, a bound; normal, from a 95 % interval."""
    se = se_of(ci)
    if se == 0:
        return float(value >= bound), float(value <= bound)
    z = (value - bound) / se
    return float(stats.norm.cdf(z)), float(stats.norm.sf(z))


def inside_p(value: float, ci: tuple[float, float], low: float, high: float) -> tuple[float, float]:
    """p-values that the truth lies between two bounds (two one-sided tests), and outside of them."""
    below_high, above_high = normal_p(value, ci, high)
    below_low, above_low = normal_p(value, ci, low)
    return max(below_high, above_low), min(1.0, 2 * min(above_high, below_low))
