"""Two one-sided tests: evidence *for* "no effect", which a large p-value is not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from mspgt.errors import InputError


@dataclass(frozen=True)
class Equivalence:
    """Outcome of two one-sided t-tests.

    `ci` has level 1 − 2·level: it lies inside (low, high) exactly when `equivalent` is true.
    """

    estimate: float
    ci: tuple[float, float]
    p: float
    equivalent: bool


def tost(sample: ArrayLike, low: float, high: float, *, level: float = 0.05) -> Equivalence:
    """Test that the mean of a sample (paired differences, say) lies strictly between `low` and `high`.

    Args:
        sample: (observations,), in the unit of the bounds.

    Raises:
        InputError: fewer than two observations, values that are not finite, or bounds out of order.

    Reference: Schuirmann 1987.
    """
    values = np.asarray(sample, dtype=np.float64)
    if values.ndim != 1 or values.size < 2 or not np.isfinite(values).all():
        raise InputError(f"an equivalence test needs at least 2 finite numbers, found shape {values.shape}")
    se = float(values.std(ddof=1)) / values.size**0.5
    return tost_estimate(float(values.mean()), se, values.size - 1, low, high, level=level)


def tost_estimate(
    estimate: float, se: float, df: float, low: float, high: float, *, level: float = 0.05
) -> Equivalence:
    """The same test from an estimate, its standard error and degrees of freedom (`inf` for a normal)."""
    if not low < high:
        raise InputError(f"equivalence bounds must be in order, found low={low}, high={high}")
    if not (np.isfinite(estimate) and np.isfinite(se) and se >= 0 and df > 0):
        raise InputError(f"cannot test estimate={estimate} with se={se} and df={df}: they must be finite")
    if not 0 < level < 0.5:
        raise InputError(f"level is a probability below one half, found {level}")
    margin = float(stats.t.ppf(1 - level, df)) * se
    if se == 0:
        p = 0.0 if low < estimate < high else 1.0
    else:
        p = max(float(stats.t.sf((estimate - low) / se, df)), float(stats.t.cdf((estimate - high) / se, df)))
    return Equivalence(estimate, (estimate - margin, estimate + margin), p, p < level)
