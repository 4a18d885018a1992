"""Every public estimator beside its exact value, on data that are easy, typical, or far from zero.

`CASES[name](offset)` returns what the package finds and what is true. An offset of 1e6 is added to data whose
estimator should not mind, or cannot; estimators of counts and probabilities know no offset.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import torch
from scipy import stats

from mspgt.families import compare_families
from mspgt.interventions.coherence import coherence
from mspgt.interventions.diversity import self_bleu
from mspgt.interventions.effects import effect
from mspgt.interventions.lexical import mattr, ttr
from mspgt.interventions.metrics import Scores, mean_scores, shares, value
from mspgt.interventions.structure import variance_within
from mspgt.signals.attention import jensen_shannon, row_drift
from mspgt.signals.cka import cka
from mspgt.signals.document_tables import layer_tables
from mspgt.signals.similarity import update_similarity
from mspgt.stats.bootstrap import percentile_interval
from mspgt.stats.coverage import rate_lower, rate_upper
from mspgt.stats.equivalence import tost
from mspgt.stats.multiplicity import benjamini_hochberg, holm
from mspgt.stats.permutation import paired_permutation
from mspgt.theory.beta import activation_weights, effective_dimensions, extrapolate, rate_through_noise
from mspgt.theory.fisher import Sensitivity, score
from mspgt.theory.information import (
    conditional_information,
    gaussian_information,
    nearest_neighbour_information,
)
from mspgt.theory.kink import straightened
from mspgt.theory.usable import Usable
from tests.trust import exact

Case = Callable[[float], tuple[Any, Any]]
CASES: dict[str, Case] = {}
NO_OFFSET: set[str] = set()


def case(name: str, *, offset: bool = True) -> Callable[[Case], Case]:
    def add(function: Case) -> Case:
        CASES[name] = function
        if not offset:
            NO_OFFSET.add(name)
        return function

    return add


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def related(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    x = drawn(rows, 3, seed=seed)
    return x, x @ drawn(3, 4, seed=seed + 1) + 0.7 * drawn(rows, 4, seed=seed + 2)


@case("CKA, unbiased")
def _cka(offset: float) -> tuple[Any, Any]:
    x, y = (v + offset for v in related(14))
    return cka(x, y), exact.cka(x, y, unbiased=True)


@case("CKA, biased")
def _cka_biased(offset: float) -> tuple[Any, Any]:
    x, y = (v + offset for v in related(14))
    return cka(x, y, unbiased=False), exact.cka(x, y, unbiased=False)


@case("CKA across documents")
def _cka_across(offset: float) -> tuple[Any, Any]:
    x, y = related(15)
    y = y[:, :3]
    documents = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4]
    states = [torch.from_numpy(v + offset) for v in (x, y)]
    tables = layer_tables(
        lambda layer: states[layer] - states[layer].mean(0), 2, torch.tensor(documents), 5, across=True
    )
    return tables.cka()[0], exact.cka_across(x + offset, y + offset, documents)


@case("similarity of updates (float32)", offset=False)
def _similarity(_: float) -> tuple[Any, Any]:
    hidden = np.cumsum(drawn(3, 12, 4), axis=0).astype(np.float32)
    documents = [0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3]
    found = update_similarity(torch.from_numpy(hidden), torch.tensor(documents), 4, {}).matrices["main"]
    units = []
    for step in range(2):
        rows = [[b - a for a, b in zip(*pair, strict=True)] for pair in
                zip(exact.numbers(hidden[step]), exact.numbers(hidden[step + 1]), strict=True)]  # fmt: skip
        rows = [[v / mp.sqrt(exact.mean([u * u for u in row])) for v in row] for row in rows]
        centre = [exact.mean(column) for column in zip(*rows, strict=True)]
        units.append(exact.gram([[v - c for v, c in zip(row, centre, strict=True)] for row in rows]))
    apart = [(i, j) for i in range(12) for j in range(12) if documents[i] != documents[j]]
    s = [[mp.fsum(a[i, j] * b[i, j] for i, j in apart) for b in units] for a in units]
    return found[0, 1], s[0][1] / mp.sqrt(s[0][0] * s[1][1])


@case("Jensen–Shannon divergence", offset=False)
def _js(_: float) -> tuple[Any, Any]:
    p, q = np.exp(6 * drawn(2, 5, 12))
    return jensen_shannon(p, q), [exact.jensen_shannon(a, b) for a, b in zip(p, q, strict=True)]


@case("Jensen–Shannon divergence of near equals", offset=False)
def _js_near(_: float) -> tuple[Any, Any]:
    p = np.exp(drawn(12))
    p /= p.sum()
    q = p + np.resize([1e-6, -1e-6], 12)
    # Weights are normalised in double precision first, whose last bit is all that q − p is known to.
    return jensen_shannon(p, q), exact.jensen_shannon(p, q)


@case("drift of attention (float32)", offset=False)
def _drift(_: float) -> tuple[Any, Any]:
    maps = torch.softmax(4 * torch.from_numpy(drawn(2, 1, 12, 12)).float(), -1).tril()
    whole = torch.ones(1, 12, dtype=torch.bool)
    found = row_drift(maps, whole, whole)[0, 0, 2:]
    return found, [exact.jensen_shannon(maps[0, 0, i, : i + 1], maps[1, 0, i, : i + 1]) for i in range(2, 12)]


WORDS = [list(np.random.default_rng(7).choice(list("abcdefgh"), size=n)) for n in (12, 9, 15, 11)]


@case("Self-BLEU", offset=False)
def _bleu(_: float) -> tuple[Any, Any]:
    return self_bleu(WORDS), exact.self_bleu(WORDS)


@case("TTR and MATTR", offset=False)
def _lexical(_: float) -> tuple[Any, Any]:
    text = WORDS[2]
    return [ttr(text), mattr(text, 7)], [mp.mpf(len(set(text))) / len(text), exact.moving_ratio(text, 7)]


@case("coherence", offset=False)
def _coherence(_: float) -> tuple[Any, Any]:
    vectors = drawn(3, 6)
    order = {"One here.": 0, "Two here.": 1, "Three here.": 2}
    found = coherence(
        ["One here. Two here. Three here."], lambda sentences: vectors[[order[s] for s in sentences]]
    )
    rows = exact.numbers(vectors)

    def cosine(a: Any, b: Any) -> Any:
        return mp.fdot(a, b) / mp.sqrt(mp.fdot(a, a) * mp.fdot(b, b))

    return found[0], (cosine(rows[0], rows[1]) + cosine(rows[1], rows[2])) / 2


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


@case("Gaussian information")
def _information(offset: float) -> tuple[Any, Any]:
    x, y = (v + offset for v in related(60))
    return gaussian_information(x, y), exact.gaussian_information(x, y)


@case("conditional information")
def _conditional(offset: float) -> tuple[Any, Any]:
    x, y = related(80)
    z = x + drawn(80, 3, seed=9)
    x, y, z = (v + offset for v in (x, y[:, :2], z))
    return conditional_information(x, y, z), exact.conditional_information(x, y, z)


@case("nearest-neighbour information")
def _neighbours(offset: float) -> tuple[Any, Any]:
    x = drawn(60, 1) + offset
    y = x + 0.5 * drawn(60, 1, seed=2)
    a, b = (([v[0] for v in exact.numbers(side)]) for side in (x, y))
    a, b = ([v / mp.sqrt(exact.variance(side) * 59 / 60) for v in side] for side in (a, b))
    terms = []
    for i in range(60):
        apart = sorted(max(abs(a[i] - a[j]), abs(b[i] - b[j])) for j in range(60) if j != i)
        counts = [sum(abs(s[i] - s[j]) < apart[3] for j in range(60) if j != i) for s in (a, b)]
        terms.append(sum(mp.digamma(count + 1) for count in counts))
    return nearest_neighbour_information(x, y), mp.digamma(4) + mp.digamma(60) - exact.mean(terms)


@case("dimensions and rate through noise", offset=False)
def _through_noise(_: float) -> tuple[Any, Any]:
    spectrum, noise = np.exp(3 * drawn(8)), np.array(0.37)
    x, s = exact.numbers(spectrum), mp.mpf(0.37)
    truth = [mp.fsum(v / (v + s) for v in x), mp.fsum(mp.log(1 + v / s) for v in x) / 2]
    return [float(effective_dimensions(spectrum, noise)), float(rate_through_noise(spectrum, noise))], truth


@case("β̂, extrapolated to no inflation", offset=False)
def _extrapolated(_: float) -> tuple[Any, Any]:
    x, y = (0.04, 0.02, 0.01), np.array([1.31, 1.17, 1.13])
    return extrapolate(x, y), exact.polynomial_at_zero(x, y)


@case("β̂ of activations", offset=False)
def _beta(_: float) -> tuple[Any, Any]:
    traces, variances, std = np.exp(drawn(4)), np.exp(drawn(4, 5)), np.exp(drawn(4, seed=8))
    found = activation_weights(traces, variances, std, (0.05, 0.1), {"local": (1, 2), "global": (3, 4)})
    truth = []
    for layers in ((0, 1), (2, 3)):
        for sigma in (mp.mpf(0.05), mp.mpf(0.1)):
            noise = [(sigma * mp.mpf(float(std[l]))) ** 2 for l in layers]
            dims = mp.fsum(
                v / (v + s) for l, s in zip(layers, noise, strict=True) for v in exact.numbers(variances[l])
            )
            truth.append(sigma**2 * mp.fsum(mp.mpf(float(traces[l])) for l in layers) / dims)
    return np.concatenate([found["local"], found["global"]]), truth


@case("usable information", offset=False)
def _usable(_: float) -> tuple[Any, Any]:
    saved, counts, prior = drawn(6, 3) * 100, np.arange(6.0) + 30, np.full(6, 90.0)
    weights = np.array([2.0, 0, 1, 1, 0, 2])
    found = Usable("lexical", "", 4, saved, counts, prior, np.arange(6)).bits(weights[None])[0]
    w, n = exact.numbers(weights), exact.numbers(counts)
    return found, [mp.fdot(w, column) / mp.fdot(w, n) for column in zip(*exact.numbers(saved), strict=True)]


def _sensitivity(fisher: np.ndarray, kl: np.ndarray) -> Sensitivity:
    return Sensitivity(
        tokens=np.array([11.0, 7, 9]),
        document=np.array([0, 0, 1]),
        std=np.ones(2),
        sigmas=np.array([0.05, 0.1, 0.2]),
        fisher=fisher,
        empirical=fisher,
        hessian=None,
        kl=kl,
        loss=kl,
        arm_layers={"local": (1, 2)},
        arm_sigma=0.1,
    )


@case("Fisher trace a token, prediction and slope", offset=False)
def _fisher(_: float) -> tuple[Any, Any]:
    fisher, kl = np.exp(drawn(3, 2)), np.exp(drawn(3, 3, 2)) * 0.01
    made = _sensitivity(fisher, kl)
    trace = [mp.fsum(column) / 27 for column in zip(*exact.numbers(fisher), strict=True)]
    sigmas = [mp.mpf(s) for s in (0.05, 0.1, 0.2)]
    slopes = []
    for layer in range(2):
        y = [2 * mp.fsum(exact.numbers(kl[:, at, layer])) / 27 / s**2 for at, s in enumerate(sigmas)]
        x = [s**2 for s in sigmas]
        centre = exact.mean(x)
        slope = mp.fsum((u - centre) * v for u, v in zip(x, y, strict=True)) / mp.fsum(
            (u - centre) ** 2 for u in x
        )
        slopes.append(exact.mean(y) - slope * centre)
    found = [*made.per_token(fisher), float(made.predicted("local")), *made.zero_noise(kl)]
    return found, [*trace, mp.mpf(0.1) ** 2 * mp.fsum(trace) / 2, *slopes]


@case("log-probability of labels (float64)")
def _score(offset: float) -> tuple[Any, Any]:
    logits = 5 * drawn(1, 4, 9) + offset
    labels = np.array([[3, 0, 8, 1]])
    valid = np.array([[True, True, False, True]])
    found = score(*(torch.from_numpy(v) for v in (logits, labels, valid)))[0]
    rows = exact.numbers(logits[0])
    return float(found), mp.fsum(row[l] - mp.log(mp.fsum(mp.exp(v) for v in row))
                                 for row, l, ok in zip(rows, labels[0], valid[0], strict=True) if ok)  # fmt: skip


@case("information, straightened", offset=False)
def _straightened(_: float) -> tuple[Any, Any]:
    nats = np.array([1e-3, 0.2, 3.0, 40.0, 300.0])
    return straightened(nats, 4), [mp.log(1 - mp.exp(-v / 2)) for v in exact.numbers(nats)]


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
