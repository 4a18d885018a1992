"""What a signal profile is, checked once at the door: (3, transitions), a row all NaN where not measured."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError


def checked_signals(signals: ArrayLike) -> NDArray[np.float64]:
    """The profiles as float64 (3, transitions).

    Raises:
        InputError: another shape, a row that is partly NaN or infinite, or no measured row at all.
    """
    values = np.asarray(signals, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] != 3:
        raise InputError(
            f"signals must have shape (3, transitions), rows S1, S2, S3; found {values.shape}. "
            "A signal that was not measured is a row of NaN"
        )
    measured = ~np.isnan(values).all(axis=1)
    if values.shape[1] and not measured.any():
        raise InputError("no signal was measured: all three rows are NaN")
    _require_finite(values[measured], "signals")
    return values


def checked_bootstrap(bootstrap: ArrayLike, signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """The draws as float64 (draws, 3, transitions), NaN in the rows not measured.

    A measured row may be NaN in every draw: it was not resampled (`held_at_value`).
    """
    draws = np.asarray(bootstrap, dtype=np.float64)
    if draws.ndim != 3 or draws.shape[0] == 0 or draws.shape[1:] != signals.shape:
        raise InputError(
            f"bootstrap must have shape (draws, {', '.join(map(str, signals.shape))}) with a draw or more; "
            f"found {draws.shape}"
        )
    measured = ~np.isnan(signals).all(axis=1)
    resampled = ~np.isnan(draws).all(axis=(0, 2))
    if signals.shape[1] and not (measured & resampled).any():
        raise InputError("bootstrap has no draw of any measured signal: every row is NaN")
    _require_finite(draws[:, measured & resampled], "bootstrap")
    if not np.isnan(draws[:, ~measured]).all():
        raise InputError("bootstrap has values in a row that signals mark as not measured")
    return draws


def held_at_value(draws: NDArray[np.float64], signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """The draws with every row that was not resampled at its measured values."""
    still = np.isnan(draws).all(axis=(0, 2), keepdims=True)
    return np.where(still, signals, draws)


def _require_finite(values: NDArray[np.float64], name: str) -> None:
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise InputError(
            f"{name} must be finite; found {bad} values that are not. Measure them again, or mark the whole "
            "signal as not measured with a row of NaN"
        )
