"""Coverage of every interval and size of every test in worlds of which the truth is known, drawn anew.

Bars: 95 % intervals cover in 93.5 to 96.5 % of 2,000 worlds; tests at 5 % reject within three standard errors of it
in 5,000 worlds in which nothing is to be found, and their p is at least 1 / (draws + 1). Bounds that are one-sided by
design (Clopper–Pearson) and doubled p may err on the safe side, and only there; they are marked so.

Elsewhere: sets of the detector in calibration/, S1's intervals in calibration/results/documents.json, verdicts in
predictions/data/null_rates.json, functional scales in docs/scales.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mspgt.families import compare_families, cv_interval, cv_p_values
from mspgt.interventions.effects import all_effects, contrasts, effect, label_swap_range
from mspgt.interventions.metrics import Scores, mean_scores
from mspgt.predictions.association import Pair, rank_unit
from mspgt.predictions.rules import Rules
from mspgt.stats.bootstrap import document_weights, expanded_interval
from mspgt.stats.coverage import rate_lower, rate_upper
from mspgt.stats.equivalence import tost
from mspgt.stats.jackknife import jackknife_interval
from mspgt.stats.permutation import paired_permutation
from mspgt.stats.trend import trend
from soak.record import merged, progress, record, spent

COVERED, REJECTED, SEED = 2_000, 5_000, 41
DRAWS = 199
Draw = np.random.Generator


@dataclass(frozen=True)
class Level:
    """One interval or test: what happens in a world, and how often it should."""

    name: str
    hit: Callable[[Draw, int], bool | None]  # the interval covers, or the test rejects; None: there is none
    interval: bool
    safe: bool = False  # may err on the side of caution
    worlds: int = 0  # where not as many as all others


LEVELS: list[Level] = []


def level(
    name: str, **more: Any
) -> Callable[[Callable[[Draw, int], bool | None]], Callable[..., bool | None]]:
    def add(hit: Callable[[Draw, int], bool | None]) -> Callable[..., bool | None]:
        LEVELS.append(Level(name, hit, **more))
        return hit

    return add


def within(ends: Any, truth: float) -> bool:
    return bool(ends[0] <= truth <= ends[1])


def texts(draw: Draw, documents: int = 12, each: int = 5) -> tuple[Scores, Scores, np.ndarray]:
    """Two arms that differ by chance alone; documents move both."""
    own = np.repeat(draw.normal(size=documents), each)
    arms = [mean_scores(10 + own + draw.normal(size=own.size)) for _ in range(2)]
    return *arms, np.repeat(np.arange(documents), each)


@level("jackknife, mean over 30 skewed documents", interval=True)
def _jackknife(draw: Draw, number: int) -> bool:
    x = draw.gamma(4, size=30)
    left_out = (x.sum() - x) / 29
    weights = document_weights(30, DRAWS, number)
    bias = (weights @ x / 30).mean() - x.mean()
    return within(jackknife_interval([x.mean()], left_out[:, None], [bias])[:, 0], 4.0)


SHAPES = {"": None, "skewed ": 4.0, "exponential ": 1.0}  # of a gamma law


def _expanded(documents: int, shape: float | None, draw: Draw, number: int) -> bool:
    """Of a mean, by as many draws as a study has for the theory's numbers."""
    x = draw.normal(size=documents) if shape is None else draw.gamma(shape, size=documents) - shape
    return within(expanded_interval(document_weights(documents, 500, number) @ x / documents, documents), 0.0)


for count in (6, 8, 10, 30, 100):
    for kind, shape in SHAPES.items():
        if kind != "exponential " or count >= 10:
            level(
                f"expanded percentiles of a bootstrap over {count} {kind}documents",
                interval=True,
                worlds=20_000 if count < 10 else COVERED,
            )(partial(_expanded, count, shape))


@level("effect of an arm: difference", interval=True)
def _difference(draw: Draw, number: int) -> bool:
    before, after, documents = texts(draw)
    return within(effect(before, after, documents, draws=999, seed=number).ci, 0.0)


@level("effect of an arm: percent", interval=True)
def _percent(draw: Draw, number: int) -> bool:
    before, after, documents = texts(draw)
    return within(effect(before, after, documents, draws=999, seed=number).percent_ci, 0.0)


@level("range of two baselines: differences outside it", interval=False)
def _swapped(draw: Draw, number: int) -> bool:
    before, after, documents = texts(draw)
    found = label_swap_range(before, after, documents, draws=999, seed=number)
    percent = 100 * (after.sums[:, 0].mean() / before.sums[:, 0].mean() - 1)
    return found is not None and not within(found, percent)


@level("slope over 8 points", interval=True)
def _trend(draw: Draw, number: int) -> bool:
    x = np.arange(8.0)
    return within(trend(x, 0.3 * x + draw.normal(size=8)).ci, 0.3)


@level("offset of two families of 4 and 3", interval=True)
def _offset(draw: Draw, number: int) -> bool | None:
    members = {"a": draw.normal(0.30, 0.03, 4), "b": draw.normal(0.45, 0.03, 3)}
    found = compare_families(
        {name: {f"{name}{i}": {"LI": float(p), "IG": None} for i, p in enumerate(places)}
         for name, places in members.items()}
    )  # fmt: skip
    (offset,) = [one for one in found.offsets if one.boundary == "LI"]
    return None if offset.ci is None else within(offset.ci, -0.15)


@level("coefficient of variation of 5 positions", interval=True)
def _cv(draw: Draw, number: int) -> bool:
    x = draw.normal(1, 0.15, 5)
    return within(cv_interval(x.std(ddof=1) / x.mean(), 5), 0.15)


@level("bounds of a rate, both at 97.5 %", interval=True, safe=True)
def _rate(draw: Draw, number: int) -> bool:
    successes = int(draw.binomial(200, 0.1))
    return rate_lower(successes, 200, 0.975) <= 0.1 <= rate_upper(successes, 200, 0.975)


@level("equivalence at the edge of its bounds", interval=False)
def _tost(draw: Draw, number: int) -> bool:
    return tost(draw.normal(0.5, 0.4, 30), -0.5, 0.5).equivalent


@level("exchange of signs by document", interval=False)
def _signs(draw: Draw, number: int) -> bool:
    groups = np.repeat(np.arange(15), 3)
    values = draw.normal(size=15)[groups] + draw.normal(size=45)
    p = paired_permutation(values, groups=groups, draws=DRAWS, seed=number).p
    assert p >= 1 / (DRAWS + 1)
    return p <= 0.05


@level("t test of an effect over independent texts", interval=False)
def _paired_t(draw: Draw, number: int) -> bool | None:
    before, after = (mean_scores(draw.normal(10, 1, 20)) for _ in range(2))
    p = effect(before, after, np.zeros(20, int)).p_t  # one document: no bootstrap, the same test
    return None if p is None else p <= 0.05


def _contrast(draw: Draw, number: int, sense: str) -> bool:
    """The middle scale does as much as one other, which is the hardest truth."""
    x = draw.normal(10, 1, 60)
    shifts = {"baseline": 0.0, "local": -1.0, "intermediate": 1.0, "global": 1.0}
    scores = {arm: {"length": mean_scores(x + s + draw.normal(0, 0.3, 60))} for arm, s in shifts.items()}
    found = contrasts(all_effects(scores, np.repeat(np.arange(12), 5), draws=DRAWS, seed=number))
    return bool(getattr(found["length"]["plain"], sense).p <= 0.05)


@level("contrast of the middle scale, signed", interval=False)
def _signed(draw: Draw, number: int) -> bool:
    return _contrast(draw, number, "signed")


@level("contrast of the middle scale, absolute", interval=False, safe=True)
def _absolute(draw: Draw, number: int) -> bool:
    return _contrast(draw, number, "absolute")


def _ranks(draw: Draw, n: int = 10, r: float = 0.0) -> Any:
    x, e = draw.normal(size=(2, n))
    pairs = {f"model {i}": Pair(x[i], r * x[i] + (1 - r * r) ** 0.5 * e[i]) for i in range(n)}
    unit = rank_unit("r", pairs, 1.0, "", Rules())
    assert not isinstance(unit, str)
    return unit


@level("rank correlation over 10 architectures", interval=False)
def _rank_p(draw: Draw, number: int) -> bool:
    unit = _ranks(draw)
    assert unit.p_support >= 1 / 2000
    return bool(unit.p_support <= 0.05)


@level("rank correlation over 10 architectures, interval", interval=True)
def _rank_interval(draw: Draw, number: int) -> bool:
    return within(_ranks(draw).ci, 0.0)


@level("rank correlation of .58 over 8 architectures, interval", interval=True)
def _rank_interval_of_a_relation(draw: Draw, number: int) -> bool:
    return within(_ranks(draw, 8, 0.6).ci, 6 / np.pi * np.arcsin(0.3))


@level("coefficient of variation above a threshold", interval=False)
def _cv_above(draw: Draw, number: int) -> bool:
    x = draw.normal(1, 0.2, 5)
    return cv_p_values(x.std(ddof=1) / x.mean(), 5, 0.2)[1] <= 0.05


@level("coefficient of variation below a threshold", interval=False)
def _cv_below(draw: Draw, number: int) -> bool:
    x = draw.normal(1, 0.2, 5)
    return cv_p_values(x.std(ddof=1) / x.mean(), 5, 0.2)[0] <= 0.05


def measured(one: Level, worlds: int) -> dict[str, Any]:
    """How often it covers or rejects, and whether the bar is met."""
    hits = none = 0
    for number in range(worlds):
        hit = one.hit(np.random.default_rng([SEED, number]), number)
        hits, none = hits + bool(hit), none + (hit is None)
        progress(f"levels, {one.name}", number + 1, worlds)
    share = hits / worlds
    low, high = (0.935, 0.965) if one.interval else (0.05 - 3 * _error(worlds), 0.05 + 3 * _error(worlds))
    met = (share >= low or (one.safe and not one.interval)) and (share <= high or (one.safe and one.interval))
    what = "covers" if one.interval else "rejects"
    seen = f"{what} in {100 * share:.1f} %" + (
        "" if met else f": outside {100 * low:.1f} to {100 * high:.1f} %"
    )
    if none:
        seen += f"; {none:,} without one"
    return {"done": f"{'interval' if one.interval else 'test'}: {one.name}", "count": worlds, "share": share,
            "met": met, "without": none, "seen": seen}  # fmt: skip


def _error(worlds: int) -> float:
    return (0.05 * 0.95 / worlds) ** 0.5


def names() -> Iterator[str]:
    return (f"{'interval' if one.interval else 'test'}: {one.name}" for one in LEVELS)


def main(only: Sequence[str] = ()) -> None:
    """All intervals and tests, or those whose names begin so; their lines take the place of older ones."""
    for one in LEVELS:
        if only and not one.name.startswith(tuple(only)):
            continue
        started = spent()
        found = measured(one, one.worlds or (COVERED if one.interval else REJECTED))
        found["processor_seconds"] = round(spent() - started)
        record("levels", "intervals and tests", SEED, merged("levels", found, "done", names()))
