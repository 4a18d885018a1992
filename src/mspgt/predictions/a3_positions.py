"""A3 by positions: the I–G boundary depends on the architecture, the L–I boundary does not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import sqrt

from mspgt.predictions import a3
from mspgt.predictions.design import Design
from mspgt.predictions.effects import apart, sum_of
from mspgt.predictions.places import Place, match
from mspgt.predictions.ratios import Effect, p_both
from mspgt.predictions.readings import (
    Measurements,
    Reading,
    boundaries_of,
    boundary_readings,
    by_family,
    named,
)
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, Prediction, Unit

Both = tuple[Effect, Effect]  # of one model: ρ_LI and ρ_IG
# How many boundaries a family has and which of them are L–I and I–G; both of every run.
Sorted = tuple[tuple[int, ...], list[Both]]


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit a pair of families: how much farther apart I–G lies than L–I."""
    missing: list[str] = []
    families: dict[str, dict[str, tuple[Place, ...]]] = {}
    for family, models in sorted(by_family(results).items()):
        if len(models) < rules.members:
            missing.append(f"{family}: {len(models)} training runs; needed are {rules.members}")
            continue
        found = {name: boundaries_of(model, reading) for name, model in named(models)}
        missing += [f"{family}: {name}: {why}" for name, why in found.items() if isinstance(why, str)]
        own = {name: one for name, one in found.items() if not isinstance(one, str)}
        if len(own) < rules.members:
            missing.append(f"{family}: {len(own)} training runs with boundaries; needed are {rules.members}")
        else:
            families[family] = own
    units = []
    for first, second in combinations(families, 2):
        a, b = _matched(families[first]), _matched(families[second])
        if isinstance(a, str) or isinstance(b, str) or a[0] != b[0]:
            missing.append(f"{first} and {second}: {_refused(first, a, second, b)}")
        else:
            units.append(_unit(first, second, a[1], b[1]))
    if not units and len(families) < 2:
        missing.append(f"boundaries in models of two families; found {len(families)} such families")
    return Finding(tuple(units), tuple(missing))


def _matched(runs: dict[str, tuple[Place, ...]]) -> Sorted | str:
    """Which of how many boundaries are L–I and I–G in a family, and both of every run; or why nobody knows."""
    li, ig = match(runs, 0), match(runs, 1)
    if isinstance(li, str) or isinstance(ig, str):
        return li if isinstance(li, str) else str(ig)
    some, places = next(iter(runs.items()))
    # Where boundaries have names of their own, it does not matter how many there are.
    which = () if places[0].named else tuple(places.index(one.places[some]) for one in (li, ig))
    count = 0 if places[0].named else len(places)
    return (count, *which), [(_effect(li.places[run]), _effect(ig.places[run])) for run in runs]


def _refused(first: str, a: Sorted | str, second: str, b: Sorted | str) -> str:
    told = [f"{family}: {one}" for family, one in ((first, a), (second, b)) if isinstance(one, str)]
    return (
        "; ".join(told)
        or "their two strongest boundaries are others of all, so which is which cannot be told"
    )


def _effect(place: Place) -> Effect:
    return Effect(place.relative, place.coarseness / sqrt(3))


def _unit(first: str, second: str, a: list[Both], b: list[Both]) -> Unit:
    def between(combine: Callable[[Both], Effect]) -> Effect:
        return apart([combine(one) for one in a], [combine(one) for one in b])

    def exceeds(more: int, less: int) -> float:
        return p_both(*(between(lambda m, s=s: sum_of(m[more], m[less], s)) for s in (-1.0, 1.0)))  # type: ignore[misc]

    early, late = (abs(between(lambda m, at=at: m[at]).value) for at in range(2))  # type: ignore[misc]
    return Unit(
        f"{first} and {second}",
        late - early,
        None,
        exceeds(1, 0),
        exceeds(0, 1),
        f"families.{first}, families.{second}",
        f"families differ by {early:.2f} in L–I and {late:.2f} in I–G; {len(a)} against {len(b)} models",
    )


def power(design: Design, rules: Rules) -> str:
    """Which families have models enough."""
    enough = [name for name, members in design.families().items() if len(members) >= rules.members]
    if len(enough) < 2:
        return (
            f"needs {rules.members} models with both boundaries in each of two families; found {len(enough)}"
        )
    return (
        f"{len(enough)} families; {rules.members} models of each must show boundaries, and those must match"
    )


PREDICTION = Prediction(
    id="A3-positions",
    title="The place of the I–G boundary depends on the architecture more than that of the L–I boundary",
    tier="assumption",
    quantifier="most",
    statistic="|difference between families in ρ_IG| − |difference in ρ_LI|",
    threshold=lambda rules: 0.0,
    rule=(
        "For every pair of families within each of which the boundaries of the runs that have any match (as in "
        "P3.2), as many in both: the distance between the families' mean I–G positions against that between their "
        "mean L–I positions; models are the random unit, and both positions of a model are taken together. "
        "Supported: it is larger in more than half of the pairs. Refuted: it is smaller in at least half of them."
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
    false_in=("three alike", "both apart"),
    true_in=("late apart",),
)
