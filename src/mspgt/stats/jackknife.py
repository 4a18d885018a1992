"""Intervals of a statistic that few documents make: it is biased by them, skewed, and led by some of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mspgt.errors import InputError

Array = NDArray[np.float64]


def jackknife_interval(
    estimate: ArrayLike, left_out: ArrayLike, bias: ArrayLike, level: float = 0.95
) -> Array:
    """Student's interval around an estimate less its bias, with the jackknife's standard error.

    Percentiles of a bootstrap repeat the bias and are too short where documents are few. The degrees of freedom are
    those of the standard error itself: the fewer documents carry it, the less it is known (Satterthwaite, by the
    kurtosis of the documents' influences), and at most c − 1.

    Args:
        estimate: (k,). left_out: (c, k) the statistic without each of the c documents or clusters.
        bias: (k,) of the estimate, for example the mean of bootstrap draws less the estimate.
        level: of the interval, between 0 and 1.

    Returns:
        Lower and upper end, (2, k); NaN where an input is.
    """
    values, without = np.asarray(estimate, dtype=np.float64), np.asarray(left_out, dtype=np.float64)
    if not 0 < level < 1:
        raise InputError(f"level is a probability between 0 and 1, found {level}")
    count = len(without)
    if count < 2 or without.shape[1:] != values.shape:
        raise InputError(
            f"expected the statistic without each of at least 2 documents, (documents, {len(values)}), found "
            f"shape {without.shape}"
        )
    influence = without.mean(0) - without
    square = (influence**2).mean(0)
    error = np.sqrt((count - 1) * square)
    kurtosis = np.divide((influence**4).mean(0), square**2, out=np.ones_like(square), where=square > 0)
    known = np.divide(2 * count, kurtosis - 1, out=np.full_like(square, np.inf), where=kurtosis > 1)
    reach = stats.t.ppf((1 + level) / 2, np.clip(known, 1, count - 1)) * error
    middle = values - np.asarray(bias, dtype=np.float64)
    return np.stack([middle - reach, middle + reach])
