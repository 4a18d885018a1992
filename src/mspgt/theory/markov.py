"""A2: is the flow of information along the layers nearly Markov (equation 24)?

    M_l = I(h_l; h_{l+2} | h_{l+1}) / I(h_l; h_{l+2})

0 where all that layer l + 2 shares with layer l passes through layer l + 1. Both terms are Gaussian information
between k principal components, without the bias of finite samples.

Caveat, to be printed with every number: in the full residual state of a whole sequence the chain is exactly Markov,
since block l + 2 reads nothing but the output of block l + 1. What can fail, and is measured here, is the statement
about one position and about its k leading components.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mspgt.errors import InputError
from mspgt.stats.bootstrap import document_clusters
from mspgt.stats.equivalence import tost_estimate
from mspgt.stats.multiplicity import holm
from mspgt.stats.permutation import p_value
from mspgt.theory.information import (
    Covariance,
    conditional_from,
    information_from,
    require_validated,
)

Array = NDArray[np.float64]

CAVEAT = (
    "In the full residual state of a sequence the chain is exactly Markov; only this statement, about single "
    "positions and k principal components, is empirical."
)
BOUND = 0.05  # of M_l, for the equivalence test
GROUPS = 20  # of documents, for the jackknife


@dataclass(frozen=True)
class NearMarkov:
    """A2 on one model; lists run over l = 1..L−2.

    ratio: M_l; se: its jackknife error over documents; conditional, total: nats; p_null: permutation p of "the
    conditional information is 0"; p_equivalent: TOST p of |M_l| < 0.05. mean, ci: M over layers, 95 %.
    verdict: supported where every layer passes TOST (no correction is needed for all of them together);
    refuted where some M_l exceeds 0.05 (one-sided, Holm over layers); inconclusive otherwise.
    """

    k: int
    ratio: Array
    se: Array
    conditional: Array
    total: Array
    p_null: Array
    p_equivalent: Array
    mean: float
    ci: tuple[float, float]
    verdict: str


def near_markov(
    layers: Array, document: NDArray[np.int64], *, permutations: int = 99, seed: int = 0
) -> NearMarkov:
    """Test A2 on projected states.

    Args:
        layers: (L, rows, k) components of layers 1..L at the same tokens, in the order of the text.
        document: (rows,) document of each token.
        permutations: draws of the null, in which what layer l says beyond layer l + 1 is turned round by a random
            number of rows, so that its dependence along the text stays.

    Raises:
        InputError: fewer than three layers or documents, or too few rows for 3 k columns.
        NumericsError: a singular covariance.
    """
    depth, rows, k = layers.shape
    if depth < 3:
        raise InputError(f"Near-Markov flow is about three layers in a row, found {depth}.")
    require_validated(rows, (k, k, k))
    names = np.unique(document)
    if len(names) < 3:
        raise InputError(f"The jackknife needs at least 3 documents, found {len(names)}: give more.")
    groups = document_groups_of(document, min(GROUPS, len(names)))
    count = depth - 2
    conditional, total, p_null = np.empty((3, count))
    left_out = np.empty((int(groups.max()) + 1, count))
    rng = np.random.default_rng(seed)
    for at in range(count):
        data = np.hstack([layers[at], layers[at + 2], layers[at + 1]])
        whole = Covariance.of(data)
        conditional[at], total[at] = _both(whole, k)
        for group in range(len(left_out)):
            cond, tot = _both(whole - Covariance.of(data[groups == group]), k)
            left_out[group, at] = cond / tot
        null = _null(data, k, permutations, rng)
        p_null[at] = p_value(float(conditional[at]), null, alternative="greater")
    ratio = conditional / total
    g = len(left_out)
    deviation = left_out - left_out.mean(0)
    factor = (g - 1) / g
    se = np.sqrt(factor * (deviation**2).sum(0))
    mean_se = float(np.sqrt(factor * (deviation.mean(1) ** 2).sum()))
    tests = [tost_estimate(float(m), float(s), g - 1, -BOUND, BOUND) for m, s in zip(ratio, se, strict=True)]
    above = holm(stats.t.sf((ratio - BOUND) / np.maximum(se, 1e-300), g - 1))
    p_equivalent = np.array([test.p for test in tests])
    margin = float(stats.t.ppf(0.975, g - 1)) * mean_se
    verdict = (
        "supported" if (p_equivalent < 0.05).all() else "refuted" if (above < 0.05).any() else "inconclusive"
    )
    mean = float(ratio.mean())
    return NearMarkov(
        k, ratio, se, conditional, total, p_null, p_equivalent, mean, (mean - margin, mean + margin), verdict
    )


def _both(sums: Covariance, k: int) -> tuple[float, float]:
    """Conditional and plain information between the first and the second k columns."""
    pair = slice(0, 2 * k)
    ends = Covariance(sums.rows, sums.total[pair], sums.square[pair, pair])
    return conditional_from(sums, k, k), information_from(ends, k)


def _null(data: Array, k: int, draws: int, rng: np.random.Generator) -> Array:
    """Conditional information when the part of layer l that layer l + 1 does not explain meets the wrong rows."""
    rows = len(data)
    centred = data - data.mean(0)
    first, middle = centred[:, :k], centred[:, 2 * k :]
    explained = middle @ np.linalg.lstsq(middle, first, rcond=None)[0]
    beyond = first - explained
    offsets = rng.integers(rows // 10, rows - rows // 10, size=draws)
    turned = (np.hstack([explained + np.roll(beyond, o, axis=0), centred[:, k:]]) for o in offsets)
    return np.array([conditional_from(Covariance.of(each), k, k) for each in turned])


def document_groups_of(document: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The group of each row, (rows,): whole documents in at most `count` groups of near-equal numbers of rows."""
    _, inverse, sizes = np.unique(document, return_inverse=True, return_counts=True)
    return np.asarray(document_clusters(sizes.tolist(), at_most=count)[inverse])
