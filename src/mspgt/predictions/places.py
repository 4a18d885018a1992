"""Boundaries of a model as predictions read them, whichever account of the scales they come from.

Three accounts say where boundaries lie: functional scales (where lexical, syntactic and topical information rise;
they name their boundaries), shocks (the calibrated detector) and phases (the similarity matrix). The latter two find
boundaries without names, so that "I–G" means the same in two runs only once their boundaries were matched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats
from scipy.optimize import linear_sum_assignment

Span = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """One boundary: its relative depth ρ, and what it may be, graded.

    graded: (α, (low, high)) by falling α: the set of level 1 − α misses the boundary with chance α at most.
    strength: by which boundaries of one model are ranked; None where they have names. label: LI or IG, where it was
    called so in this model. named: whether the label means the same boundary in every model by itself.
    """

    relative: float
    graded: tuple[tuple[float, Span], ...]
    strength: float | None = None
    label: str | None = None
    named: bool = False
    layers: int | None = None  # of a model whose positions are whole layers; None: they lie anywhere

    @property
    def coarseness(self) -> float:
        """How far off the position may be by itself: half a layer, or half of its 95 % interval."""
        return 0.5 / self.layers if self.layers else (self.span[1] - self.span[0]) / 2

    @property
    def span(self) -> Span:
        """The 95 % interval."""
        return self.at(0.05)

    def at(self, alpha: float) -> Span:
        """The interval of level 1 − α; the widest there is where none reaches so far."""
        return next((span for level, span in self.graded if level <= alpha), self.graded[-1][1])


@dataclass(frozen=True)
class Matched:
    """One boundary in every run, the same one: run → place."""

    places: dict[str, Place]


def match(runs: Mapping[str, Sequence[Place]], which: int) -> Matched | str:
    """The boundary LI (`which` 0) or IG (1) in each run, after boundaries were matched between runs.

    The two strongest of three boundaries may be others in each run, and naming them anew in each would turn equal
    runs into drifting ones. So all runs must show equally many boundaries, an optimal assignment on their sets
    must pair them in order, and LI and IG are the two that are strongest over all runs together. Boundaries with
    names of their own need no matching.

    Args:
        runs: name → its boundaries by depth, at least two runs.

    Returns:
        The places, or the reason why the boundaries cannot be matched.
    """
    label = ("LI", "IG")[which]
    if all(place.named for places in runs.values() for place in places):
        found = {run: [p for p in places if p.label == label] for run, places in runs.items()}
        lacking = [run for run, places in found.items() if len(places) != 1]
        if lacking:
            return f"{label} is undefined in {', '.join(lacking)}"
        return Matched({run: places[0] for run, places in found.items()})
    counts = {run: len(places) for run, places in runs.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{run} {count}" for run, count in counts.items())
        return f"runs show different numbers of boundaries ({told}), so which is which cannot be told"
    if min(counts.values()) < 2:
        return "runs show fewer than two boundaries"
    for (first, a), (second, b) in combinations(runs.items(), 2):
        order = assignment(a, b)
        if order != list(range(len(a))):
            pairs = ", ".join(f"{i + 1} with {j + 1}" for i, j in enumerate(order))
            return f"the boundaries of {first} and {second} match out of order ({pairs})"
    strength = np.mean([[place.strength or 0.0 for place in places] for places in runs.values()], axis=0)
    chosen = sorted(np.argsort(-strength, kind="stable")[:2].tolist())[which]
    return Matched({run: places[chosen] for run, places in runs.items()})


def assignment(a: Sequence[Place], b: Sequence[Place]) -> list[int]:
    """For each boundary of a, the place in b of its counterpart: the assignment of least total cost.

    Two places whose sets meet cost nothing and any others 1, so that as many as can be are the same boundary; among
    equals, the nearer positions.
    """
    cost = [
        [(_gap(p.at(0.025), q.at(0.025)) > 0) + 1e-3 * abs(p.relative - q.relative) for q in b] for p in a
    ]
    return [int(j) for j in linear_sum_assignment(np.array(cost))[1]]


def _gap(a: Span, b: Span) -> float:
    return max(a[0] - b[1], b[0] - a[1], 0.0)


@dataclass(frozen=True)
class Drift:
    """|ρ(first) − ρ(second)| of one boundary, and its interval of at least 95 % where sets of 97.5 % are known."""

    first: str
    second: str
    drift: float
    ci: Span


def drifts(places: Mapping[str, Place]) -> list[Drift]:
    """Every pair of runs, the farthest first; each set takes half of the error of a pair."""
    found = []
    for (first, p), (second, q) in combinations(places.items(), 2):
        a, b = p.at(0.025), q.at(0.025)
        reach = max(a[1] - b[0], b[1] - a[0])
        found.append(Drift(first, second, abs(p.relative - q.relative), (_gap(a, b), min(reach, 1.0))))
    return sorted(found, key=lambda pair: -pair.drift)


def p_drifting(places: Sequence[Place], window: float) -> float:
    """p-value that no two of independent runs lie farther apart than `window`.

    If so, one window of that width holds all boundaries, and every set that it does not meet has missed its own: the
    sets of level 1 − α that no window meets together number m or more with the binomial chance of m misses among so
    many runs. The least over the levels that all places know, times their number.
    """
    levels = [alpha for alpha, _ in places[0].graded if all(dict(p.graded).get(alpha) for p in places)]
    found = []
    for alpha in levels:
        missed = discordant([place.at(alpha) for place in places], window)
        found.append(float(stats.binom.sf(missed - 1, len(places), alpha)))
    return min(1.0, len(levels) * min(found, default=1.0))


def discordant(spans: Sequence[Span], window: float) -> int:
    """Least number of spans to leave out so that one window of that width meets all the others."""
    met = max(
        sum(low <= start + window and high >= start for low, high in spans)
        for start in (high for _, high in spans)
    )
    return len(spans) - met
