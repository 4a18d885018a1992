"""Variance stabilisation: detection runs on asinh(S / 2 floor), not on the raw signals.

Roughness of the measured signals grows with their level, over two orders of magnitude within one model, and
the detector wants it even over a window. The inverse hyperbolic sine is the logarithm of S / floor well above
the floor and linear through zero, so a signal that is negative by unbiasedness needs no clipping and a signal
near its random twin's level is not blown up: log(1e-6) would be a spike of its own.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError


def stabilise(signals: ArrayLike, floors: ArrayLike) -> NDArray[np.float64]:
    """asinh(S / (2 floor)) of each signal, in units of a natural logarithm, shape of `signals`.

    signals `(..., 3, transitions)`: S1 = -log CKA, S2 = jump of probe F1, S3 = JS divergence in bits; a row
    of NaN was not measured. floors `(3,)`: the level of each signal, in its own units, in a network that has
    learnt nothing; NaN where the signal was not measured.

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
            "random-initialised twin"
        )
    return np.arcsinh(values / (2 * np.where(measured, floor, np.nan)[:, None]))
