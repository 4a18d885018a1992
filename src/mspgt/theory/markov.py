"""A2: is the flow of information along the layers nearly Markov (equation 24)?

    M_l = I(h_l; h_{l+2} | h_{l+1}) / I(h_l; h_{l+2})

0 where all that layer l + 2 shares with layer l passes through layer l + 1. Both terms are Gaussian information
between k principal components, without the bias of finite samples. Blocks are not linear, and an exactly Markov chain
of them has an M above 0; so M is held against Markov surrogates (mspgt.theory.surrogates), and only its excess over
them counts.

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
from mspgt.stats.permutation import p_value
from mspgt.theory.information import (
    Covariance,
    conditional_from,
    information_from,
    require_validated,
)
from mspgt.theory.surrogates import markov_surrogates

Array = NDArray[np.float64]

CAVEAT = (
    "In the full residual state of a sequence the chain is exactly Markov; only this statement, about single "
    "positions and k principal components, is empirical."
)
SURROGATES = 4  # draws of each layer
GROUPS = 20  # of documents, for the jackknife


@dataclass(frozen=True)
class NearMarkov:
    """A2 on one model; lists run over l = 1..L−2.

    ratio: M_l; surrogate: its mean over Markov surrogates; excess: what it has beyond them; se: jackknife error of
    the excess over documents; groups: of documents in it; conditional, total: nats; p_null: permutation p of "the
    conditional information is 0". mean, ci: the excess over layers, 95 %. What it says of A2 is for
    mspgt.predictions.a2 to say.
    """

    k: int
    groups: int
    ratio: Array
    surrogate: Array
    excess: Array
    se: Array
    conditional: Array
    total: Array
    p_null: Array
    mean: float
    ci: tuple[float, float]


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
    conditional, total, p_null, surrogate = np.empty((4, count))
    left_out = np.empty((int(groups.max()) + 1, count))
    rng = np.random.default_rng(seed)
    for at in range(count):
        data = np.hstack([layers[at], layers[at + 2], layers[at + 1]])
        whole = Covariance.of(data)
        conditional[at], total[at] = _both(whole, k)
        _, own_left = _ratios(data, groups, k)
        drawn = [
            _ratios(np.hstack([draw, data[:, k:]]), groups, k)
            for draw in markov_surrogates(layers[at], layers[at + 1], document, SURROGATES, rng)
        ]
        surrogate[at] = np.mean([ratio for ratio, _ in drawn])
        left_out[:, at] = own_left - np.mean([left for _, left in drawn], axis=0)
        null = _null(data, k, permutations, rng)
        p_null[at] = p_value(float(conditional[at]), null, alternative="greater")
    ratio = conditional / total
    excess = ratio - surrogate
    g = len(left_out)
    deviation = left_out - left_out.mean(0)
    factor = (g - 1) / g
    se = np.sqrt(factor * (deviation**2).sum(0))
    mean_se = float(np.sqrt(factor * (deviation.mean(1) ** 2).sum()))
    margin = float(stats.t.ppf(0.975, g - 1)) * mean_se
    mean = float(excess.mean())
    return NearMarkov(
        k, g, ratio, surrogate, excess, se, conditional, total, p_null, mean, (mean - margin, mean + margin)
    )


def _ratios(data: Array, groups: NDArray[np.int64], k: int) -> tuple[float, Array]:
    """M of (first, last, middle) layers, and M without each group of documents, (groups,)."""
    whole = Covariance.of(data)
    conditional, total = _both(whole, k)
    left = np.empty(int(groups.max()) + 1)
    for group in range(len(left)):
        one, other = _both(whole - Covariance.of(data[groups == group]), k)
        left[group] = one / other
    return conditional / total, left


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
