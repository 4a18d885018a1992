"""Variance stabilisation: detection runs on asinh(S / 2 floor), not on the raw signals.

Roughness of the measured signals grows with their level, over two orders of magnitude within one model, and
the detector wants it even over a window. The inverse hyperbolic sine is the logarithm of S / floor well above
the floor and linear through zero, so a signal that is negative by unbiasedness needs no clipping and a signal
below its own noise is not blown up: log(1e-6) would be a spike of its own. The floor is that noise: below it
the logarithm would turn chance into roughness, and above it everything is signal. The level of a random twin is no
such scale: it lies above the signal in half of the transitions of a trained model, where nothing is then stabilised.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError


def stabilise(signals: ArrayLike, floors: ArrayLike) -> NDArray[np.float64]:
    """asinh(S / (2 floor)) of each signal, in units of a natural logarithm, shape of `signals`.

    signals `(..., 3, transitions)`: S1 = -log CKA, S2 = jump of probe F1, S3 = JS divergence in bits; a row
    of NaN was not measured. floors `(3,)`: the noise of each signal, in its own units (`noise_scale`); NaN where
    the signal was not measured.

    Raises:
        InputError: a floor that is not positive under a measured signal, or shapes that do not fit.
    """
    values, floor = np.asarray(signals, dtype=np.float64), np.asarray(floors, dtype=np.float64)
    if values.ndim < 2 or floor.shape != (values.shape[-2],):
        raise InputError(
            f"expected signals (..., signals, transitions) and one floor a signal; found {values.shape} "
            f"and {floor.shape}"
        )
    measured = ~np.isnan(values).all(axis=tuple(i for i in range(values.ndim) if i != values.ndim - 2))
    if not (floor[measured] > 0).all():
        raise InputError(
            f"expected a positive floor for every measured signal; found {floor.tolist()}. Take it from the "
            "document bootstrap (`noise_scale`)"
        )
    return np.arcsinh(values / (2 * np.where(measured, floor, np.nan)[:, None]))


def noise_scale(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Floor of each signal: the median over transitions of its SD over document resamples, `(signals,)`.

    draws `(draws, signals, transitions)` of raw signals; NaN for a signal that was not resampled.
    """
    spread = draws.std(axis=0)
    known = ~np.isnan(spread).any(axis=-1)
    scale = np.full(len(spread), np.nan)
    if spread.shape[-1]:
        scale[known] = np.median(spread[known], axis=-1)
    return scale


def restabilise(stabilised: NDArray[np.float64], floors: ArrayLike, common: ArrayLike) -> NDArray[np.float64]:
    """What `stabilise` would have made of the same signals with the floors `common`; both `(signals,)`."""
    own, new = np.asarray(floors, dtype=np.float64), np.asarray(common, dtype=np.float64)
    return np.arcsinh(np.sinh(stabilised) * (own / new)[:, None])
