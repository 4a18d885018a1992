"""A3 by positions: the I–G boundary depends on the architecture, the L–I boundary does not.

Runs that lack a boundary are evidence: they may have both anywhere, and what is said must hold wherever that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mspgt.predictions import a3
from mspgt.predictions.design import Design
from mspgt.predictions.places import Place, match
from mspgt.predictions.readings import (
    Measurements,
    Reading,
    boundaries_of,
    boundary_readings,
    named,
    with_runs,
)
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, Prediction, Unit
from mspgt.vocabulary import BOUNDARIES

Array = NDArray[np.float64]
TINY = 1e-30  # of a variance, where nothing varies
# (ρ_LI, ρ_IG) of a run may lie anywhere between these; what depends on it is largest at one of them.
CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0))


@dataclass(frozen=True)
class Sorted:
    """Both boundaries of the runs of a family that show them, (runs, boundaries).

    which: how many boundaries each run shows and which of them are L–I and I–G, which families must share.
    """

    which: tuple[int, ...]
    places: Array
    errors: Array  # of a position by itself
    absent: int  # further runs, which lack one or both


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit a pair of families: how much farther apart I–G lies than L–I.

    A pair in which the boundaries cannot be matched, or fewer runs than a family needs show them, is a unit that
    nothing supports. Without a distance in any pair there is no statistic.
    """
    missing: list[str] = []
    families: dict[str, Sorted | str] = {}
    for family, models in with_runs(results, rules.members, missing):
        found = {name: boundaries_of(model, reading) for name, model in named(models)}
        missing += [f"{family}: {name}: {why}" for name, why in found.items() if isinstance(why, str)]
        families[family] = _sorted(found, rules)
    units = []
    for first, second in combinations(families, 2):
        a, b = families[first], families[second]
        if isinstance(a, str) or isinstance(b, str) or a.which != b.which:
            why = _refused({first: a, second: b})
            missing.append(f"{first} and {second}: {why}")
            units.append(Unit(f"{first} and {second}", None, None, 1.0, 1.0, _evidence(first, second), why))
        else:
            units.append(_unit(first, second, a, b))
    if len(families) < 2:
        missing.append(f"families of {rules.members} training runs or more: two; found {len(families)}")
    if all(unit.statistic is None for unit in units):
        units = []
    return Finding(tuple(units), tuple(missing))


def _sorted(found: Mapping[str, tuple[Place, ...] | str], rules: Rules) -> Sorted | str:
    """The boundaries of a family, or why they cannot be compared with another's."""
    able = {name: one for name, one in found.items() if not isinstance(one, str) and _has_both(one)}
    if len(able) < rules.members:
        return f"{len(able)} of {len(found)} training runs show both boundaries; needed are {rules.members}"
    li, ig = match(able, 0), match(able, 1)
    if isinstance(li, str) or isinstance(ig, str):
        return li if isinstance(li, str) else str(ig)
    some, places = next(iter(able.items()))
    both = [(li.places[run], ig.places[run]) for run in able]
    return Sorted(
        # Where boundaries have names of their own, it does not matter how many there are.
        () if places[0].named else (len(places), *(places.index(one.places[some]) for one in (li, ig))),
        np.array([[one.relative for one in pair] for pair in both]),
        np.array([[one.coarseness / sqrt(3) for one in pair] for pair in both]),
        len(found) - len(able),
    )


def _has_both(places: tuple[Place, ...]) -> bool:
    if places[0].named:
        return {*BOUNDARIES} <= {place.label for place in places}
    return len(places) > 1


def _refused(families: Mapping[str, Sorted | str]) -> str:
    told = [f"{family}: {one}" for family, one in families.items() if isinstance(one, str)]
    return (
        "; ".join(told)
        or "their two strongest boundaries are others of all, so which is which cannot be told"
    )


def _unit(first: str, second: str, a: Sorted, b: Sorted) -> Unit:
    early, late = np.abs(a.places.mean(0) - b.places.mean(0)).tolist()
    runs = [f"{len(one.places)} of {len(one.places) + one.absent}" for one in (a, b)]
    note = (
        f"families differ by {early:.2f} in L–I and {late:.2f} in I–G; {' against '.join(runs)} training runs"
    )
    if a.absent or b.absent:
        note += "; those without both boundaries may have theirs anywhere"
    return Unit(
        f"{first} and {second}",
        late - early,
        None,
        p_farther(a, b, 1, 0),
        p_farther(a, b, 0, 1),
        _evidence(first, second),
        note,
    )


def _evidence(first: str, second: str) -> str:
    return f"families.{first}, families.{second}"


def p_farther(a: Sorted, b: Sorted, more: int, less: int) -> float:
    """p-value that two families lie farther apart in one boundary than in the other, wherever absent runs lie.

    |difference in more| > |difference in less| is that two sums, more ± less, have one sign (Welch's t tests, models
    as the random unit); either sign will do, so that the p-value is doubled.
    """
    filled = [_filled(one) for one in (a, b)]
    positive, negative = [], []
    for sign in (-1.0, 1.0):
        (mean, se2, df), (other, other_se2, other_df) = (
            _means(places[..., more] + sign * places[..., less], errors.sum(-1)) for places, errors in filled
        )
        spread = se2[:, None] + other_se2
        freedom = spread**2 / (se2[:, None] ** 2 / df + other_se2**2 / other_df)
        t = (mean[:, None] - other) / np.sqrt(spread)
        positive.append(stats.t.sf(t, freedom))
        negative.append(stats.t.cdf(t, freedom))
    return min(1.0, 2 * min(float(np.max(positive)), float(np.max(negative))))


def _filled(one: Sorted) -> tuple[Array, Array]:
    """Positions (ways, runs, boundaries), absent runs at every choice of corners, and errors (runs, boundaries)."""
    ways = list(combinations_with_replacement(CORNERS, one.absent))
    shown = np.broadcast_to(one.places, (len(ways), *one.places.shape))
    placed = np.array(ways, dtype=np.float64).reshape(len(ways), one.absent, 2)
    return np.concatenate([shown, placed], axis=1), np.concatenate([one.errors, np.zeros((one.absent, 2))])


def _means(values: Array, errors: Array) -> tuple[Array, Array, int]:
    """Mean over runs (ways, runs), its squared error and degrees of freedom: between runs, or within where larger."""
    n = values.shape[1]
    return values.mean(1), np.maximum(values.var(1, ddof=1), max(float(np.mean(errors**2)), TINY)) / n, n - 1


def power(design: Design, rules: Rules) -> str:
    """Which families have models enough."""
    enough = [name for name, members in design.families().items() if len(members) >= rules.members]
    if len(enough) < 2:
        return (
            f"needs {rules.members} models with both boundaries in each of two families; found {len(enough)}"
        )
    return (
        f"{len(enough)} families; {rules.members} models of each must show both boundaries, those must match, and "
        "every model that does not is taken to have its own anywhere"
    )


PREDICTION = Prediction(
    id="A3-positions",
    title="The place of the I–G boundary depends on the architecture more than that of the L–I boundary",
    tier="assumption",
    quantifier="most",
    statistic="|difference between families in ρ_IG| − |difference in ρ_LI|",
    threshold=lambda rules: 0.0,
    rule=(
        "For every pair of families of enough training runs, boundaries matched within each (as in P3.2), as many in "
        "both: the distance between the families' mean I–G positions against that between their mean L–I positions; "
        "models are the random unit, and both positions of a model are taken together. Runs without both boundaries "
        "may have theirs anywhere, and either verdict must hold wherever that is. Supported: the distance is larger "
        "in more than half of the pairs. Refuted: it is smaller in at least half of them. A pair in which boundaries "
        "do not match, or too few runs show them, speaks for nothing but counts as one."
    ),
    paper_rule=a3.PREDICTION.paper_rule,
    claim=Claim(
        "The L–I boundary is “architecture-robust”, the I–G boundary “architecture-sensitive”",
        "section 3.3.1",
        "assumed",
        a3.PREDICTION.claim.rereading,
    ),
    judge=judge,
    paper=a3.paper,
    power=power,
    readings=boundary_readings(),
    by_position=True,
    excluded=lambda rules: "that families differ more in I–G than in L–I, in more than half of their pairs",
    false_in=("three alike", "both apart", "late shown"),
    true_in=("late apart", "late apart, some silent"),
)
