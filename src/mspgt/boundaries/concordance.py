"""Do the three signals jump at the same places, beyond the smooth background that they share?"""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BSpline
from scipy.linalg import polar, qr

from mspgt.boundaries.profiles import checked_signals
from mspgt.results.boundaries import Concordance
from mspgt.stats.permutation import p_value
from mspgt.vocabulary import SIGNALS

MIN_RESIDUALS = 7
_BACKGROUND = 0.4
_MIN_BACKGROUND = 10
_SCALE_WIDTH = 0.3

Array = NDArray[np.float64]


def concordance(signals: ArrayLike, *, permutations: int = 1_999, seed: int = 0) -> Concordance:
    """Test that the roughness of the signals is unrelated, by permuting residuals over depth in each signal.

    The signals themselves must not be permuted: two unrelated signals that both fall with depth agree. The
    local background is taken out first: a cubic spline, 0.4 degrees of freedom a transition, at least 10.
    Ordinary residuals of a fit are correlated with each other, so they are not exchangeable either; Theil's
    residuals are used, an orthonormal set as close as can be to single transitions. They are divided by a
    smooth scale common to the signals, since roughness that grows with depth in all of them would look like
    agreement.

    A small p says that deviations coincide, not that there is a boundary. Deviations wider than about three
    transitions count as background. Size at level 5 %, measured over the null family (`stats.nulls`) at 17 to
    127 transitions: 4.4 to 5.8 % on average over backgrounds, 7 % in the worst; where the roughness of each
    signal has an autocorrelation of 0.7, 4.1 to 6.8 % and 12 %. Below 17 transitions there is no test.

    Args:
        signals: (3, transitions); a row of NaN was not measured.

    Reference: Theil 1965; Huh & Jhun 2001; Winkler et al. 2020 for permuting such residuals.
    """
    profile = checked_signals(signals)
    transitions = profile.shape[-1]
    count = transitions - background_dimensions(transitions)
    if count < MIN_RESIDUALS:
        reason = f"{transitions} transitions leave {max(count, 0)} residuals; {MIN_RESIDUALS} are needed"
        return Concordance(None, None, max(count, 0), [f"{reason} to tell a coincidence from a background"])
    residuals = profile @ residual_basis(transitions)
    size = np.sqrt((residuals**2).mean(axis=1))
    # A smooth signal leaves only rounding error behind.
    rough = size > 1e-9 * np.abs(profile).max(axis=1)
    reasons = [f"{name} has no residuals: not measured, or smooth" for name in np.array(SIGNALS)[~rough]]
    if rough.sum() < 2:
        return Concordance(None, None, count, [*reasons, "agreement needs at least two signals"])
    rows = _even_scale(residuals[rough] / size[rough, None])

    rng = np.random.default_rng(seed)
    # Only the relative order counts: the first signal stays where it is.
    shuffled = np.broadcast_to(rows, (permutations, *rows.shape)).copy()
    shuffled[:, 1:] = rng.permuted(shuffled[:, 1:], axis=-1)
    observed = float(_agreement(rows))
    return Concordance(observed, p_value(observed, _agreement(shuffled)), count, reasons)


def background_dimensions(transitions: int) -> int:
    """Degrees of freedom of the background; 10 follow the steepest smooth profile of the null family."""
    return max(_MIN_BACKGROUND, round(_BACKGROUND * transitions))


@lru_cache(maxsize=32)
def residual_basis(transitions: int) -> Array:
    """Orthonormal contrasts blind to the background, each close to a transition, (transitions, residuals)."""
    dimensions = background_dimensions(transitions)
    depth = np.arange(transitions, dtype=np.float64)
    inner = np.linspace(0, depth[-1], dimensions - 2)
    knots = np.concatenate([[0.0] * 3, inner, [depth[-1]] * 3])
    spline = BSpline.design_matrix(depth, knots, 3).toarray()
    blind = np.linalg.svd(spline)[0][:, dimensions:]
    # The transitions that the spline fits least, and the rotation that brings the basis nearest to them.
    pivots = qr(blind.T, mode="r", pivoting=True)[1]
    chosen = np.sort(pivots[: blind.shape[1]])
    basis: Array = blind @ polar(blind[chosen])[0].T
    return basis


def _even_scale(residuals: Array) -> Array:
    """Residuals over their kernel-smoothed mean magnitude, pooled over signals."""
    place = np.linspace(0, 1, residuals.shape[-1])
    kernel = np.exp(-0.5 * ((place[:, None] - place) / _SCALE_WIDTH) ** 2)
    scale = kernel @ np.abs(residuals).mean(axis=0) / kernel.sum(axis=1)
    even: Array = residuals / scale
    return even


def _agreement(rows: Array) -> Array:
    """Mean pairwise correlation about 0 of (..., signals, residuals)."""
    unit = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    signals = rows.shape[-2]
    # ‖Σ u‖² = signals + 2 Σ_{i<j} u_i·u_j
    pairs = (np.linalg.norm(unit.sum(axis=-2), axis=-1) ** 2 - signals) / 2
    agreement: Array = pairs / (signals * (signals - 1) / 2)
    return agreement
