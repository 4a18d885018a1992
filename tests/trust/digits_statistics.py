"""Estimators of texts, tests and families beside their exact values."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
from scipy import stats

from mspgt.families import compare_families
from mspgt.interventions.effects import effect
from mspgt.interventions.metrics import Scores, mean_scores, shares, value
from mspgt.interventions.structure import variance_within
from mspgt.stats.bootstrap import percentile_interval
from mspgt.stats.coverage import rate_lower, rate_upper
from mspgt.stats.equivalence import tost
from mspgt.stats.multiplicity import benjamini_hochberg, holm
from mspgt.stats.permutation import paired_permutation
from tests.trust import exact
from tests.trust.digits import case, drawn


def lengths(offset: float) -> np.ndarray:
    return np.random.default_rng(3).integers(3, 40, size=30) + offset


def moments(values: np.ndarray) -> np.ndarray:
    return np.stack([np.ones_like(values), values, values**2], axis=1)


@case("variance from moments")
def _moments(offset: float) -> tuple[Any, Any]:
    x = lengths(offset)
    within = variance_within(moments(x).sum(0, keepdims=True))[0]
    truth = exact.variance(exact.numbers(x))
    return [float(value("variance", moments(x).sum(0))), within], [truth, truth]


@case("shares of a variance")
def _shares(offset: float) -> tuple[Any, Any]:
    x = lengths(offset)
    numbers = exact.numbers(x)
    centre = exact.mean(numbers)
    spread = exact.mean([(v - centre) ** 2 for v in numbers])
    truth = [((v - centre) ** 2 - spread) / len(x) for v in numbers]
    return shares("variance", moments(x), moments(x).sum(0)), truth


@case("effect: percent, Hedges' g, log ratio")
def _effect(offset: float) -> tuple[Any, Any]:
    a = drawn(20) + 5 + offset
    b = a + 0.3 + 0.2 * drawn(20, seed=4)
    found = effect(mean_scores(a), mean_scores(b), np.repeat(np.arange(10), 2), draws=200)
    x, y = exact.numbers(a), exact.numbers(b)
    gap = exact.mean(y) - exact.mean(x)
    g = gap / mp.sqrt((exact.variance(x) + exact.variance(y)) / 2) * (1 - mp.mpf(3) / (8 * 20 - 9))
    ours = [found.percent, found.hedges_g, found.log_ratio, found.difference]
    return ours, [100 * gap / exact.mean(x), g, mp.log(exact.mean(y) / exact.mean(x)), gap]


@case("paired t of an effect")
def _paired(offset: float) -> tuple[Any, Any]:
    a = drawn(20) + 5 + offset
    b = a + 0.1 + 0.2 * drawn(20, seed=4)
    found = effect(mean_scores(a), mean_scores(b), np.repeat(np.arange(10), 2), draws=200)
    change = [v - u for u, v in zip(exact.numbers(a), exact.numbers(b), strict=True)]
    t = exact.mean(change) / mp.sqrt(exact.variance(change) / 20)
    return found.p_t, 2 * exact.t_tail(abs(t), 19)


@case("bootstrap interval of a mean")
def _bootstrap(offset: float) -> tuple[Any, Any]:
    values = drawn(12) + offset
    weights = np.random.default_rng(1).multinomial(12, np.full(12, 1 / 12), size=40).astype(float)
    found = percentile_interval(
        value("ratio", weights @ Scores("ratio", np.stack([values, np.ones(12)], 1)).sums)
    )
    x = exact.numbers(values)
    draws = [mp.fdot(exact.numbers(w), x) / 12 for w in weights]
    ranked = sorted(draws)

    def at(level: Any) -> Any:
        place = (len(ranked) - 1) * level
        low = int(mp.floor(place))
        return ranked[low] + (place - low) * (ranked[low + 1] - ranked[low])

    return found, [at(mp.mpf("0.025")), at(mp.mpf("0.975"))]


@case("TOST")
def _tost(offset: float) -> tuple[Any, Any]:
    x = 0.2 * drawn(15) + offset
    found = tost(x, offset - 0.3, offset + 0.25)
    return [found.estimate, found.p], [
        exact.mean(exact.numbers(x)),
        exact.tost_p(x, offset - 0.3, offset + 0.25),
    ]


@case("TOST, interval")
def _tost_interval(offset: float) -> tuple[Any, Any]:
    x = 0.2 * drawn(15) + offset
    found = tost(x, offset - 0.3, offset + 0.25)
    numbers = exact.numbers(x)
    margin = exact.t_quantile(mp.mpf("0.95"), 14, 1.76) * mp.sqrt(exact.variance(numbers) / 15)
    return found.ci[1] - found.ci[0], 2 * margin


@case("permutation p")
def _permutation(offset: float) -> tuple[Any, Any]:
    x = drawn(9) + 0.4 + offset
    return paired_permutation(x).p, exact.permutation_p(x)


@case("Holm and Benjamini–Hochberg", offset=False)
def _adjusted(_: float) -> tuple[Any, Any]:
    p = np.array([0.001, 0.02, 0.03, 0.2, 0.7])
    x = exact.numbers(p)
    scaled = [v * (5 - i) for i, v in enumerate(x)]
    family = [min(mp.mpf(1), max(scaled[: i + 1])) for i in range(5)]
    rates = [min(x[j] * 5 / (j + 1) for j in range(i, 5)) for i in range(5)]
    return np.concatenate([holm(p), benjamini_hochberg(p)]), family + rates


@case("Clopper–Pearson bounds", offset=False)
def _proportion(_: float) -> tuple[Any, Any]:
    found, truth = [], []
    for successes, trials in ((1, 20), (7, 50), (9_990, 10_000)):
        upper, lower = rate_upper(successes, trials), rate_lower(successes, trials)
        found += [upper, lower]
        tail = mp.mpf("0.05")
        for near, a, b, level in (
            (upper, successes + 1, trials - successes, 1 - tail),
            (lower, successes, trials - successes + 1, tail),
        ):
            mass = mp.betainc(a, b, 0, mp.mpf(near), regularized=True) - level
            slope = mp.mpf(near) ** (a - 1) * (1 - mp.mpf(near)) ** (b - 1) / mp.beta(a, b)
            truth.append(mp.mpf(near) - mass / slope)  # one step of Newton from 14 digits
    return found, truth


@case("families: mean, CV, offset of families and its interval", offset=False)
def _families(_: float) -> tuple[Any, Any]:
    positions = {"a": (0.31, 0.36, 0.28, 0.33), "b": (0.41, 0.47, 0.43)}
    families = {
        name: {f"{name}{i}": {"LI": p, "IG": None} for i, p in enumerate(places)}
        for name, places in positions.items()
    }
    made = compare_families(families)
    first = made.families["a"]["LI"]
    offset = next(one for one in made.offsets if one.boundary == "LI")
    x, y = (exact.numbers(places) for places in positions.values())
    squares = [exact.variance(side) / len(side) for side in (x, y)]
    df = sum(squares) ** 2 / (squares[0] ** 2 / 3 + squares[1] ** 2 / 2)
    margin = exact.t_quantile(mp.mpf("0.975"), df, float(stats.t.ppf(0.975, float(df)))) * mp.sqrt(
        sum(squares)
    )
    gap = exact.mean(x) - exact.mean(y)
    assert offset.ci is not None
    ours = [first.mean, first.sd, first.cv, offset.offset, *offset.ci]
    sd = mp.sqrt(exact.variance(x))
    return ours, [exact.mean(x), sd, sd / exact.mean(x), gap, gap - margin, gap + margin]
