"""What could have been found: power of the detector at a depth, and the noise that lowers it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from mspgt.boundaries.contrasts import Array, bank
from mspgt.boundaries.tables import row
from mspgt.errors import InputError
from mspgt.stats.nulls import KINDS

# Standard normal quantile of 80 %.
Z80 = 0.8416212335729143
# Median of the square of a standard normal variable.
MEDIAN_SQUARE = 0.4549364231195724
# Sizes beyond the tabulated simulation are not promised.
LARGEST = 12.0


@dataclass(frozen=True)
class PowerStatement:
    """What a boundary of one kind must measure to be found, in SDs of layer-to-layer roughness."""

    size80: float | None  # found in 80 % of cases; None: could not have been seen
    found: float | None  # P(found) at the size that was asked about
    statement: str


def power_statement(
    transitions: int, kind: str, size: float | None = None, noise_ratio: float = 0.0, signals: int = 3
) -> PowerStatement:
    """P(found) = Φ((A / √(1 + (se/τ)²) − A50) / sd) for a boundary of A roughness SDs in every signal.

    `noise_ratio` is se/τ; a kink's size is its change of slope a transition. Constants by simulation, even
    Gaussian roughness, the kinds together (`calibration/`).

    Raises:
        InputError: an unknown kind, or a depth beyond the table.
    """
    if kind not in KINDS:
        raise InputError(f"expected a kind among {', '.join(KINDS)}; found {kind!r}")
    if noise_ratio < 0 or math.isnan(noise_ratio):
        raise InputError(f"expected a noise ratio of 0 or more; found {noise_ratio}")
    constants = row(transitions, signals).power.get(kind)
    depth = f"{transitions} transitions, {signals} signal{'s' * (signals > 1)}"
    if constants is None:
        return PowerStatement(
            None, None if size is None else 0.0, f"a {kind} could not have been seen ({depth})"
        )
    a50, sd = constants
    dilution = math.sqrt(1 + noise_ratio**2)
    size80 = (a50 + Z80 * sd) * dilution
    found = None if size is None else float(ndtr((size / dilution - a50) / sd))
    if size80 > LARGEST:
        return PowerStatement(
            None, found, f"a {kind} of up to {LARGEST:g} SD could not have been seen ({depth})"
        )
    return PowerStatement(size80, found, f"a {kind} of {size80:.1f} SD is found in 80 % of cases ({depth})")


def noise_ratio(signals: ArrayLike, bootstrap: ArrayLike) -> NDArray[np.float64]:
    """se/τ of each signal, `(signals,)`: sentence noise over the layer-to-layer roughness beneath it.

    signals `(signals, transitions)`, bootstrap `(draws, signals, transitions)`. Observed roughness holds
    both: τ² = observed² − se². inf where sentence noise explains it all; NaN for a signal not measured or not
    resampled (NaN in every draw), for one with neither noise nor roughness, or where a local background needs
    more transitions.
    """
    values, draws = np.asarray(signals, dtype=np.float64), np.asarray(bootstrap, dtype=np.float64)
    if draws.ndim != 3 or draws.shape[1:] != values.shape:
        raise InputError(f"expected draws (draws, {values.shape}); found {draws.shape}")
    return noise_share(values, draws.std(axis=0))


def noise_share(values: Array, spread: Array) -> Array:
    """`noise_ratio` from the SD of sentence noise by transition, `(signals, transitions)`."""
    store = bank(values.shape[-1])
    filters = store.filters[store.elements["spike"]]
    ratio = np.full(len(values), np.nan)
    if not len(filters):
        return ratio
    measured = ~np.isnan(values).all(axis=1) & ~np.isnan(spread).all(axis=1)
    # Medians, so that boundaries themselves do not count as roughness.
    observed = np.median((values[measured] @ filters.T) ** 2, axis=1) / MEDIAN_SQUARE
    noise = np.median(spread[measured] ** 2 @ (filters**2).T, axis=1)
    rough = np.maximum(observed - noise, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio[measured] = np.sqrt(noise / rough)
    return ratio
