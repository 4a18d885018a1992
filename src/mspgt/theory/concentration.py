"""A.6: does the interval of a boundary shrink with bootstrap draws (equation 34), or with documents?

Equation 34 promises a width of order 1/√B in the number of draws B. More draws only tell the same quantiles more
exactly; what the data do not say they cannot. Both curves are shown on the user's own data: the 95 % percentile
width of ℓ̂, the most prominent peak of E (argmax E of equation 33, ends excluded as in
the paper's protocol), against B at all documents, and against the number of documents N at one B.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mspgt.boundaries.fuse import fuse
from mspgt.boundaries.peaks import MIN_SUCCESSES, peak_prominences
from mspgt.errors import InputError
from mspgt.results.theory import WidthLaw
from mspgt.stats.bootstrap import percentile_interval

Array = NDArray[np.float64]
# Signals (draws, 3, transitions) under document weights (draws, documents).
Profiles = Callable[[Array], Array]

DRAWS = (50, 100, 200, 400, 800)
FEWEST = 4  # documents in the smallest subset
SUBSETS = 4  # random ones of each size


class Widths(NamedTuple):
    """Width in layers against each count: equation 34 says −½ of the first."""

    by_draws: WidthLaw
    by_documents: WidthLaw


def concentration(
    profiles: Profiles, documents: int, *, draws: Sequence[int] = DRAWS, seed: int = 0
) -> Widths:
    """Measure both curves.

    Args:
        profiles: from document weights to the paper's signals.
        documents: documents (or clusters) that are resampled.
        draws: numbers of draws B; each is repeated until the largest number of draws is used up.

    Raises:
        InputError: fewer than 8 documents, or signals of fewer than 3 transitions.
    """
    if documents < 2 * FEWEST:
        raise InputError(f"Curves over documents need at least {2 * FEWEST} documents, found {documents}.")
    rng = np.random.default_rng(seed)
    most = max(draws)

    def peaks(chosen: NDArray[np.int64], count: int) -> Array:
        weights = np.zeros((count, documents))
        weights[:, chosen] = rng.multinomial(len(chosen), np.full(len(chosen), 1 / len(chosen)), count)
        return peak(fuse(profiles(weights)))

    everyone = np.arange(documents)
    pool = peaks(everyone, most)
    by_draws = [(b, width(pool[start : start + b])) for b in draws for start in range(0, most - b + 1, b)]
    by_documents = []
    size, each = documents, max(100, most // 4)
    while size >= FEWEST:
        for _ in range(1 if size == documents else SUBSETS):
            by_documents.append((size, width(peaks(rng.permutation(everyone)[:size], each))))
        size //= 2
    return Widths(_law(by_draws), _law(by_documents))


def peak(evidence: Array) -> Array:
    """Position of the most prominent peak of every curve, (curves,), in layers from 1; NaN without a peak.

    Between layers by the parabola through the peak: without it positions are whole numbers, and most widths of a
    sharp peak would be exactly 0.
    """
    curves, transitions = evidence.shape
    if transitions < 3:
        raise InputError(f"A peak needs at least 3 transitions, found {transitions}.")
    prominences = peak_prominences(evidence)
    found = np.isfinite(prominences).any(1)
    at = np.where(np.isfinite(prominences), prominences, -1).argmax(1).clip(1, transitions - 2)
    rows = np.arange(curves)
    left, middle, right = (evidence[rows, at + shift] for shift in (-1, 0, 1))
    bend = left - 2 * middle + right
    vertex = np.divide(0.5 * (left - right), bend, out=np.zeros_like(bend), where=bend < 0)
    return np.where(found, at + vertex.clip(-0.5, 0.5) + 1.0, np.nan)


def width(positions: Array) -> float:
    """Width of the 95 % percentile interval; NaN where more than 5 % of the draws have no peak."""
    known = positions[np.isfinite(positions)]
    if len(known) < MIN_SUCCESSES * len(positions):
        return float("nan")
    low, high = percentile_interval(known)
    return float(high - low)


def _law(points: Sequence[tuple[int, float]]) -> WidthLaw:
    """The log–log slope with its 95 % interval; null, with the reason, where widths vanish or do not suffice."""
    counts, widths = [count for count, _ in points], [width for _, width in points]
    why = ""
    if np.isnan(widths).any():
        why = "more than 5 % of the draws have no peak"
    elif min(widths) <= 0:
        why = "an interval has no width at all"
    elif len(set(counts)) < 3:
        why = "fewer than three counts"
    if why:
        return WidthLaw(counts, [*widths], None, None, f"no slope: {why}")
    fit = stats.linregress(np.log(counts), np.log(widths))
    margin = float(stats.t.ppf(0.975, max(len(points) - 2, 1)) * fit.stderr)
    slope = float(fit.slope)
    return WidthLaw(counts, [*widths], slope, (slope - margin, slope + margin))
