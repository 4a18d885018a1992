"""Adjusting p-values for the number of questions asked. A NaN is a test that was not run: it stays NaN."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values that bound the chance of any false rejection (Holm 1979), (tests,)."""
    values, run = _checked(p)
    order = np.argsort(values[run])
    scaled = values[run][order] * np.arange(run.sum(), 0, -1)
    return _filled(values, run, order, np.maximum.accumulate(scaled))


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values that bound the share of false rejections (Benjamini & Hochberg 1995), (tests,)."""
    values, run = _checked(p)
    order = np.argsort(values[run])
    m = int(run.sum())
    scaled = values[run][order] * m / np.arange(1, m + 1)
    return _filled(values, run, order, np.minimum.accumulate(scaled[::-1])[::-1])


def _checked(p: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = np.asarray(p, dtype=np.float64)
    run = ~np.isnan(values)
    if values.ndim != 1 or not ((values[run] >= 0) & (values[run] <= 1)).all():
        raise InputError(f"p-values must be a list of numbers in [0, 1], NaN where not run; found {values!r}")
    return values, run


def _filled(
    values: NDArray[np.float64],
    run: NDArray[np.bool_],
    order: NDArray[np.intp],
    adjusted: NDArray[np.float64],
) -> NDArray[np.float64]:
    out = np.full_like(values, np.nan)
    out[np.flatnonzero(run)[order]] = np.minimum(adjusted, 1.0)
    return out
