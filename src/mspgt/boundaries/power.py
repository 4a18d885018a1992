"""What could have been found: power of the detector at a depth, and the noise that lowers it."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from mspgt.boundaries import tables
from mspgt.boundaries.contrasts import Array, bank
from mspgt.boundaries.noise import contrast_variance, noise_covariance
from mspgt.boundaries.tables import row, sizes
from mspgt.errors import InputError
from mspgt.results.boundaries import PowerStatement
from mspgt.vocabulary import KINDS

# Median of the square of a standard normal variable.
MEDIAN_SQUARE = 0.4549364231195724
# Sizes beyond the tabulated simulation are not promised.
LARGEST = 12.0


def power_statement(
    transitions: int,
    kind: str,
    size: float | None = None,
    noise_ratio: float | Sequence[float] = 0.0,
    signals: int = 3,
) -> PowerStatement:
    """P(found) of a boundary of `size` roughness SDs in every signal, and the size found in 80 % of cases.

    `noise_ratio` is se/τ, one for all signals or one each; inf is a signal without information. A kink's size is its
    change of slope a transition. Shares found by simulation, even Gaussian roughness, the kinds together
    (`calibration/`).

    Raises:
        InputError: an unknown kind, a depth beyond the table, or another number of ratios than of signals.
    """
    if kind not in KINDS:
        raise InputError(f"expected a kind among {', '.join(KINDS)}; found {kind!r}")
    ratios = [noise_ratio] * signals if isinstance(noise_ratio, int | float) else list(noise_ratio)
    if len(ratios) != signals or not all(ratio >= 0 for ratio in ratios):
        raise InputError(f"expected a noise ratio of 0 or more for each of {signals} signals; found {ratios}")
    depth = f"{transitions} transitions, {signals} signal{'s' * (signals > 1)}"
    limits = row(transitions, signals)
    if kind not in limits.power:
        unseen = None if size is None else 0.0
        return PowerStatement(None, f"a {kind} could not have been seen ({depth})", found=unseen)
    factor, curve = equal_size(kind, ratios), power_curve(transitions, kind, signals)
    found = None if size is None else float(curve(size * factor))
    # Shares found never fall with size, so the inverse is where the tabulated ones reach 80 %.
    grid = np.linspace(0, sizes()[-1], 1201)
    enough = grid[curve(grid) >= 0.8]
    size80 = float(enough[0]) / factor if len(enough) and factor > 0 else None
    if size80 is None or size80 > LARGEST:
        size80 = None
        told = f"a {kind} of up to {LARGEST:g} SD could not have been seen ({depth})"
    else:
        told = f"a {kind} of {size80:.1f} SD is found in 80 % of cases ({depth})"
    return PowerStatement(size80, told, found=found)


def power_curve(transitions: int, kind: str, signals: int) -> Callable[[ArrayLike], Array]:
    """Share found as a function of the size, in SDs of roughness and noise, that all signals show alike."""
    shares = np.maximum.accumulate(row(transitions, signals).found[kind])
    through = PchipInterpolator([0.0, *sizes()], [0.0, *shares], extrapolate=False)

    def curve(size: ArrayLike) -> Array:
        return np.asarray(through(np.minimum(size, sizes()[-1])))

    return curve


def equal_size(kind: str, noise_ratios: Sequence[float], weights: ArrayLike | None = None) -> float:
    """What one SD in every signal is worth: the SDs that, shown by all signals alike, are found as often.

    Noise of se/τ shrinks a boundary to 1/√(1 + (se/τ)²). The signals add up, the clearest first, with the weights of
    the kind: what a single signal shows counts little, since scores are clipped and a claim needs two.
    """
    shown = np.sort(1 / np.sqrt(1 + np.square(np.asarray(noise_ratios, dtype=np.float64))))[::-1]
    if len(shown) == 1:
        return float(shown[0])
    own = tables.weights()[str(len(shown))][kind] if weights is None else weights
    return float(shown @ np.asarray(own))


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
    return noise_share(values, noise_covariance(draws))


def noise_share(values: Array, noise: Array) -> Array:
    """`noise_ratio` from sentence noise, as `contrast_variance` takes it."""
    store = bank(values.shape[-1])
    filters = store.filters[store.elements["spike"]]
    ratio = np.full(len(values), np.nan)
    if not len(filters):
        return ratio
    measured = ~np.isnan(values).all(axis=1) & ~np.isnan(noise.reshape(len(noise), -1)).all(axis=1)
    # Medians, so that boundaries themselves do not count as roughness.
    observed = np.median((values[measured] @ filters.T) ** 2, axis=1) / MEDIAN_SQUARE
    sentences = np.median(contrast_variance(noise[measured], filters), axis=1)
    rough = np.maximum(observed - sentences, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio[measured] = np.sqrt(sentences / rough)
    return ratio
