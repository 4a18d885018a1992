"""The paper's fusion of the three signals into one evidence curve (equation 6), in both of its readings."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError
from mspgt.vocabulary import SIGNALS

WEIGHTS = (1.0, 0.8, 0.6)
# Min–max would blow rounding errors of a constant signal up to full scale.
ROUNDING = 1e-12

Reading = Literal["min-max", "maximum"]


def fuse(
    signals: ArrayLike, weights: tuple[float, float, float] = WEIGHTS, reading: Reading = "min-max"
) -> NDArray[np.float64]:
    """Evidence E = Σ w_i · S_i / max(S_i) (equation 6).

    The paper says that signals are "normalised to [0, 1]" and then divides by the maximum. `min-max` takes
    the sentence literally: each signal is first mapped to [0, 1] over depth. `maximum` divides only. They
    differ: 1/CKA is at least 1, so under `maximum` S1 is nearly flat.

    A signal that carries no evidence adds nothing, and `unused_signals` says so: one not measured (a row of
    NaN), one constant over depth (min–max), one without a positive value (maximum). The weights of the others
    stay as they are, so the prominence threshold keeps its meaning per signal.

    Args:
        signals: (..., 3, transitions); draws of a bootstrap on the leading axes.

    Returns:
        (..., transitions), in [0, Σ w_i].
    """
    values = np.asarray(signals, dtype=np.float64)
    if values.shape[-1] == 0:
        return np.zeros((*values.shape[:-2], 0))
    least: float | NDArray[np.float64] = 0.0
    if reading == "min-max":
        least = ROUNDING * np.abs(values).max(axis=-1, keepdims=True)
        values = values - values.min(axis=-1, keepdims=True)
    elif reading != "maximum":
        raise InputError(f"reading is 'min-max' or 'maximum', found {reading!r}")
    top = values.max(axis=-1, keepdims=True)
    scaled = np.divide(values, top, out=np.zeros_like(values), where=top > least)
    evidence: NDArray[np.float64] = np.einsum("...st,s->...t", scaled, np.asarray(weights, dtype=np.float64))
    return evidence


def unused_signals(signals: ArrayLike, reading: Reading = "min-max") -> list[str]:
    """Why a signal of (3, transitions) adds nothing to the evidence; empty when all three do."""
    values = np.asarray(signals, dtype=np.float64)
    reasons = []
    for name, row in zip(SIGNALS, values, strict=True) if values.size else ():
        if np.isnan(row).all():
            reasons.append(f"{name} was not measured and is left out of the evidence")
        elif reading == "min-max" and np.ptp(row) <= ROUNDING * np.abs(row).max():
            reasons.append(f"{name} is constant over depth and adds nothing to the evidence")
        elif reading == "maximum" and row.max() <= 0:
            reasons.append(f"{name} has no positive value and cannot be divided by its maximum")
    return reasons
