"""P1.2 as a kink test: does the rate at which information changes jump at a boundary, more than a smooth curve would?

The paper's criterion, slope before ≠ slope after (equations 27 and 28), holds at every layer of any curve. Here the
second difference D_l = I_{l+1} − 2 I_l + I_{l−1} at the boundary is held against those of all other layers: a local
quadratic through the others says what a smooth curve would have there, their scatter about it how far off it may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mspgt.errors import InputError, NumericsError

Array = NDArray[np.float64]

# Below this depth, or nearer to an end, a bend of half a dozen layers cannot be told from a kink (size up to 35 %).
MIN_LAYERS = 20
MARGIN = 3
BANDWIDTH = 4.0  # layers over which neighbours speak for the smooth curve
DEGREE = 2
# Divides the statistic: holds 5 % in nearly every cell of the null family (uneven, heavy-tailed, autocorrelated
# roughness included; worst cell 5.4 %), 1–2 % in its mean.
CAUTION = 1.2


@dataclass(frozen=True)
class Kink:
    """The test at one boundary.

    layer: where of b, b + 1 the bend is strongest. bend: its second difference, expected: what the smooth curve has
    there, both in the unit of the profile. statistic: Student t; p: two-sided, for the better of the two ends of the
    transition. rank: share of the other layers that bend at least as far from their own smooth curve.
    """

    boundary: int
    layer: int
    bend: float
    expected: float
    statistic: float
    freedom: float
    p: float
    rank: float

    @property
    def kinked(self) -> bool:
        """Whether the bend is beyond a smooth curve at 5 %."""
        return self.p < 0.05


def kink_test(
    profile: ArrayLike, boundary: int, boundaries: Sequence[int] = (), spread: ArrayLike | None = None
) -> Kink:
    """Test for a kink at the transition from layer `boundary` to the next.

    Args:
        profile: (layers,) information at layers 1..L, from documents that did not choose the boundary.
        boundary: l, 3 ≤ l ≤ L − 3.
        boundaries: all boundaries of the model; none of their neighbourhoods serves as smooth.
        spread: (layers − 2,) standard errors of the second differences; the least that counts as scatter.

    Raises:
        InputError: fewer than 20 layers, a boundary nearer than 3 layers to an end, or values that are not finite.
        NumericsError: the profile has no scatter at all, so that nothing can be compared.
    """
    y = np.asarray(profile, dtype=np.float64)
    if y.ndim != 1 or not np.isfinite(y).all():
        raise InputError(
            f"Expected a finite profile (layers,), found shape {y.shape} or values that are not."
        )
    depth = len(y)
    if depth < MIN_LAYERS:
        raise InputError(
            f"The kink test is validated from {MIN_LAYERS} layers on, found {depth}: in fewer, a smooth bend cannot "
            "be told from a kink. Use a deeper model."
        )
    if not MARGIN <= boundary <= depth - MARGIN:
        raise InputError(
            f"The kink test needs {MARGIN} layers on either side: a boundary in {MARGIN}..{depth - MARGIN}, found "
            f"{boundary}."
        )
    bends = np.diff(y, 2)
    floor = np.zeros(depth - 2) if spread is None else np.asarray(spread, dtype=np.float64)
    layers = np.arange(2, depth)
    special = {*boundaries, boundary}
    smooth = np.array([all(not b - 1 <= layer <= b + 2 for b in special) for layer in layers])
    scale = max(float(np.abs(bends).max()), float(np.abs(y).max()) * 1e-12)
    found = [
        _against(bends, layers, smooth, at, float(floor[at - 2]), scale) for at in (boundary, boundary + 1)
    ]
    best = int(np.argmax([abs(t) for _, t, _ in found]))
    expected, statistic, freedom = found[best]
    layer = boundary + best
    # Either end of the transition may carry the kink: two looks.
    p = min(1.0, 2 * float(2 * stats.t.sf(abs(statistic) / CAUTION, freedom)))
    others = [abs(_against(bends, layers, smooth, int(at), 0.0, scale)[1]) for at in layers[smooth]]
    rank = float(np.mean(np.array(others) >= abs(statistic)))
    return Kink(boundary, layer, float(bends[layer - 2]), expected, statistic, freedom, p, rank)


def straightened(information: ArrayLike, width: int) -> Array:
    """log(1 − exp(−2 I / width)): log squared correlation of `width` equal Gaussian coordinates.

    A smooth increasing function keeps every kink where it is; this one makes the curve of a chain with constant
    steps a straight line, which information in nats is far from.
    Raises NumericsError where information is not positive.
    """
    nats = np.asarray(information, dtype=np.float64)
    if not (nats > 0).all():
        raise NumericsError(
            f"Information is not positive at {int((nats <= 0).sum())} layers: it is lost in noise there. Give more "
            "tokens, or fewer components."
        )
    return np.asarray(np.log(-np.expm1(-2 * nats / width)))


def _against(
    bends: Array, layers: NDArray[np.int64], smooth: NDArray[np.bool_], at: int, floor: float, scale: float
) -> tuple[float, float, float]:
    """(expected bend, t statistic, degrees of freedom) of layer `at` against the smooth layers around it."""
    x = (layers - at).astype(np.float64)
    weight = np.exp(-0.5 * (x / BANDWIDTH) ** 2) * smooth * (layers != at)
    design = x[:, None] ** np.arange(DEGREE + 1)
    hat = np.linalg.solve((design.T * weight) @ design, design.T * weight)
    expected = float(hat[0] @ bends)
    left = np.eye(len(x)) - design @ hat
    # Of white scatter of variance 1, the weighted sum of squares has this mean and, as a chi-square, this freedom.
    form = (left.T * weight) @ left
    mean = float(np.trace(form))
    freedom = max(mean**2 / float(np.square(form).sum()), 1.0)
    variance = float(weight @ (left @ bends) ** 2) / mean * (1 + float(hat[0] @ hat[0]))
    error = np.sqrt(max(variance, floor**2))
    if error <= 1e-9 * scale:
        raise NumericsError("The profile has no scatter about a smooth curve, so no bend can be judged.")
    return expected, (float(bends[at - 2]) - expected) / error, freedom
