"""Sentence noise of a profile, as the document bootstrap shows it, and what it makes of a contrast.

Neighbouring transitions share a layer, so their noise is correlated, and a contrast is a difference of neighbours:
its noise is (draws @ filter).std(), which a sum of the variances of the transitions misses in either direction. The
covariance holds all of it. Where only standard deviations are known, noise counts as uncorrelated.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def noise_covariance(draws: Array) -> Array:
    """Covariance of sentence noise between transitions, `(signals, transitions, transitions)`.

    draws `(draws, signals, transitions)`; a signal that is NaN in every draw is NaN.
    """
    centred = draws - draws.mean(axis=0)
    return np.einsum("dst,dsu->stu", centred, centred) / len(draws)


def contrast_variance(noise: Array, filters: Array) -> Array:
    """Variance of each contrast, `(signals, filters)`.

    noise: covariance `(signals, transitions, transitions)`, or SDs `(signals, transitions)` of uncorrelated noise;
    filters `(filters, transitions)`.
    """
    if noise.ndim == 2:
        return np.asarray(noise**2 @ (filters**2).T)
    # Of rounding, a variance may come out below 0.
    return np.maximum(np.einsum("ft,stu,fu->sf", filters, noise, filters, optimize=True), 0.0)


def scaled(noise: Array, factor: float) -> Array:
    """The noise with standard deviations `factor` times as large."""
    return noise * (factor if noise.ndim == 2 else factor**2)
