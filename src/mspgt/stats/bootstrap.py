"""The bootstrap over documents: sentences and tokens of one document are not independent of each other."""

import heapq
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from mspgt.errors import InputError

MAX_CLUSTERS = 64  # documents beyond this are grouped: the tables of CKA grow with the cube
LEAST_DOCUMENTS = 6  # with fewer, 95 % intervals cover in less than 93.5 % where documents are skewed
FEW_DOCUMENTS = 10  # from here on expanded percentiles reach far enough
LEAST_SHARE = 0.5  # of the draws must have a value for an interval; those that fail are left out and counted


def document_weights(n_documents: int, draws: int, seed: int) -> NDArray[np.float64]:
    """How often every document occurs in every bootstrap draw.

    Returns:
        Multinomial counts, (draws, documents); every row sums to `n_documents`.

    Raises:
        InputError: fewer than two documents. One document says nothing about how another would differ, so
            there is no interval to report; its sentences must not stand in for documents (a nominal 95 %
            interval over sentences covers about 73 %).
    """
    if n_documents < 2:
        raise InputError(
            f"a bootstrap over documents needs at least 2 documents, found {n_documents}; "
            "add documents, or report the estimate without an interval"
        )
    if draws < 1:
        raise InputError(f"a bootstrap needs at least 1 draw, found {draws}")
    uniform = np.full(n_documents, 1.0 / n_documents)
    return np.random.default_rng(seed).multinomial(n_documents, uniform, size=draws).astype(np.float64)


def document_clusters(sizes: Sequence[int], at_most: int = MAX_CLUSTERS) -> NDArray[np.int64]:
    """Group documents into at most `at_most` clusters of near-equal total size.

    Deterministic: the largest document first, each into the cluster that is smallest so far. Up to `at_most`
    documents every document is its own cluster.

    Args:
        sizes: tokens or sentences of each document (any unit; ones where only the count should balance).

    Returns:
        The cluster of each document, (documents,), numbered from 0 without gaps.
    """
    if at_most < 2:
        raise InputError(f"at least 2 clusters are needed, found at_most={at_most}")
    n = len(sizes)
    if n <= at_most:
        return np.arange(n, dtype=np.int64)
    heap = [(0, 0, cluster) for cluster in range(at_most)]
    labels = np.empty(n, dtype=np.int64)
    for document in sorted(range(n), key=lambda i: -sizes[i]):
        total, members, cluster = heap[0]
        labels[document] = cluster
        heapq.heapreplace(heap, (total + sizes[document], members + 1, cluster))
    return labels


def percentile_interval(draws: ArrayLike, level: float = 0.95, axis: int = 0) -> NDArray[np.float64]:
    """Percentile interval of bootstrap draws.

    Returns:
        Lower and upper end on a new first axis, (2, ...). A NaN among the draws of an entry makes its
        interval NaN: draws that failed are for the caller to count, not for a quantile to skip.
    """
    return _ends(draws, _tail(level), axis, "linear")


def expanded_interval(
    draws: ArrayLike, documents: int, level: float = 0.95, axis: int = 0
) -> NDArray[np.float64]:
    """Percentile interval of bootstrap draws, as much wider as few documents ask: of all that are over documents.

    A resample of n documents varies as n − 1 of them do, and percentiles are those of a normal law where Student's
    with n − 1 degrees of freedom are wanted: the tail is Φ(−t √(n/(n − 1))) (Hesterberg 2015, expanded percentiles).
    Ends are read at (draws + 1) times the tail, as many draws as a study has would otherwise reach less far (Davison
    & Hinkley 1997, 5.2). Below 10 documents no percentile of so few reaches as far as that, and an end is Student's
    where that is the farther one: t √(n/(n − 1)) standard deviations of the draws from their mean. Right where the
    statistic is near a mean of documents: 95 % intervals of means, of normal or skewed documents (skewness 1), cover
    in 93.5 to 96 %, of exponential ones (skewness 2) in 91 % over 10 and 93 % over 30 (docs/promises.md).

    Args:
        documents: resampled in each draw, or clusters of them.

    Returns:
        Lower and upper end on a new first axis, (2, ...); NaN below 6 documents, and where a draw is.
    """
    tail = _tail(level)
    if documents < LEAST_DOCUMENTS:
        return np.full_like(_ends(draws, tail, axis, "linear"), np.nan)
    reach = special.stdtrit(documents - 1, 1 - tail) * (documents / (documents - 1)) ** 0.5
    ends = _ends(draws, float(special.ndtr(-reach)), axis, "weibull")
    if documents >= FEW_DOCUMENTS:
        return ends
    values = np.asarray(draws, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        # Infinite draws have no deviation, and ends that are infinite already.
        middle, far = values.mean(axis), reach * values.std(axis)
    return np.stack([np.fmin(ends[0], middle - far), np.fmax(ends[1], middle + far)])


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise InputError(f"level is a probability between 0 and 1, found {level}")
    return (1 - level) / 2


def _ends(
    draws: ArrayLike, tail: float, axis: int, method: Literal["linear", "weibull"]
) -> NDArray[np.float64]:
    """Both quantiles of so much probability beyond them, on a new first axis."""
    values = np.asarray(draws, dtype=np.float64)
    if values.ndim == 0 or values.shape[axis] == 0:
        raise InputError(f"an interval needs at least one draw along axis {axis}, found shape {values.shape}")
    ends: NDArray[np.float64] = np.quantile(values, [tail, 1 - tail], axis=axis, method=method)
    return ends


def too_few(documents: int) -> str:
    """Why so few documents have no interval, in words."""
    few = "one document" if documents == 1 else f"{documents} documents"
    return f"{few}: an interval needs at least {LEAST_DOCUMENTS}"
