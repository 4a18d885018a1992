"""From tests to one verdict: what a prediction is, what it finds, and how units combine.

Every prediction is a claim about units (families, models, pairs of families): that it holds in every one, in
most, or in some. Each unit brings a p-value for the claim and one against it; a partial conjunction
(Benjamini & Heller 2008) combines them, so that a verdict needs no independence of the units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mspgt.predictions.design import Design
from mspgt.predictions.readings import Measurements, Reading
from mspgt.predictions.rules import Rules
from mspgt.results.predictions import DecidedBy, Outcome, PaperClaim, Share
from mspgt.results.predictions import Unit as Unit  # what a prediction finds

Quantifier = Literal["every", "most", "some"]
Shown = Literal["largest", "smallest", "middle"]
SUPPORTED: Final = "supported"
REFUTED: Final = "refuted"
INCONCLUSIVE: Final = "inconclusive"
NOT_TESTABLE: Final = "not testable"
Claim = PaperClaim  # by its short name, where a prediction is declared


@dataclass(frozen=True)
class Finding:
    """What a prediction finds in results under one reading; `missing` says what would be needed."""

    units: tuple[Unit, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    # A claim of several parts of which some could not be tested may fail, but cannot be supported.
    whole: bool = True


@dataclass(frozen=True)
class PaperSays:
    """What the paper's own rule would have said of the same results; never a verdict. None: it has no rule
    that these results allow."""

    supported: bool | None
    statistic: float | None
    why: str


def untested(why: str) -> Callable[[Measurements, Rules, Reading], PaperSays]:
    """Of a claim that the paper derives, assumes or says in words: it has no rule for it."""
    return lambda results, rules, reading: PaperSays(None, None, why)


@dataclass(frozen=True)
class Prediction:
    """One falsifiable statement with everything that is fixed in advance about it."""

    id: str
    title: str
    tier: str  # 1 | 2 | 3 | assumption | theory
    quantifier: Quantifier
    statistic: str  # the name and unit of the number that is held against the threshold
    threshold: Callable[[Rules], float]
    rule: str  # in words; enters the plan's hash
    paper_rule: str
    claim: Claim
    judge: Callable[[Measurements, Rules, Reading], Finding]
    paper: Callable[[Measurements, Rules, Reading], PaperSays]
    power: Callable[[Design, Rules], str]
    # What "refuted" excludes, with its threshold: no verdict claims more.
    excluded: Callable[[Rules], str]
    readings: tuple[Reading, ...] = (Reading(),)
    by_position: bool = False  # whether it rests on where boundaries lie
    # Kinds of null worlds (`calibration/worlds`) in which it is false, and the one in which it is true.
    false_in: tuple[str, ...] = ()
    true_in: tuple[str, ...] = ()
    # The unit that the printed statistic is read from: largest statistic, smallest, or the middle one.
    shown: Shown = "middle"

    @property
    def headline(self) -> bool:
        """Whether it is one of the paper's own predictions, over which error is controlled together."""
        return self.tier in ("1", "2", "3")


def at_least(p: Sequence[float], count: int) -> float:
    """p-value of "at least `count` of these hold", whatever the dependence between them.

    Partial conjunction in its Bonferroni form, (n − count + 1) · p_(count): the largest p for "every", n times
    the smallest for "some" (Benjamini & Heller 2008).
    """
    return min(1.0, (len(p) - count + 1) * sorted(p)[count - 1])


def needed(quantifier: Quantifier, units: int) -> int:
    """How many of the units must hold."""
    return {"every": units, "most": units // 2 + 1, "some": 1}[quantifier]


def combined(units: Sequence[Unit], quantifier: Quantifier) -> tuple[float, float]:
    """p-values of all units together: for the prediction, and against it."""
    n, count = len(units), needed(quantifier, len(units))
    # It fails when too few are left to hold.
    return (
        at_least([unit.p_support for unit in units], count),
        at_least([unit.p_refute for unit in units], n - count + 1),
    )


def decided_by(
    units: Sequence[Unit], quantifier: Quantifier, shown: Shown, level: float, weights: tuple[float, float]
) -> DecidedBy:
    """In how many units a claim holds or fails beyond the error that so many tests are allowed together.

    The p-value of `combined`, times its weight, is at or below the level exactly where `in` reaches `needed`.

    Args:
        weights: what p-values for and against are multiplied by where several predictions are tested (Holm).

    """
    if not units:
        return DecidedBy()
    n, count = len(units), needed(quantifier, len(units))

    def side(p: Sequence[float], least: int, weight: float) -> Share:
        return Share(sum(weight * (n - least + 1) * one <= level for one in p), needed=least)

    return DecidedBy(
        units=n,
        shown=shown,
        unit=shown_unit(units, shown).name,
        supported=side([unit.p_support for unit in units], count, weights[0]),
        refuted=side([unit.p_refute for unit in units], n - count + 1, weights[1]),
    )


def outcome(finding: Finding, p_support: float | None, p_refute: float | None, level: float) -> Outcome:
    """The verdict of p-values at a level; a finding without units is not testable."""
    if p_support is None or p_refute is None:
        return NOT_TESTABLE
    if finding.whole and p_support <= level:
        return SUPPORTED
    return REFUTED if p_refute <= level else INCONCLUSIVE


def shown_unit(units: Sequence[Unit], which: Shown) -> Unit:
    """The unit whose statistic stands for all."""
    known = [unit for unit in units if unit.statistic is not None]
    ordered = sorted(known or units, key=lambda unit: unit.statistic or 0.0)
    return ordered[{"smallest": 0, "middle": (len(ordered) - 1) // 2, "largest": -1}[which]]
