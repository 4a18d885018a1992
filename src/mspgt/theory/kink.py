"""P1.2 as a kink test: does the rate at which information changes jump at a boundary, more than a smooth curve would?

The paper's criterion, slope before ≠ slope after (equations 27 and 28), holds at every layer of any curve. Here the
second difference D_l = I_{l+1} − 2 I_l + I_{l−1} at the boundary is held against those of all other layers: a local
quadratic through the others says what a smooth curve would have there, their scatter about it how far off it may be.

How wrong that curve can be depends on the depth and on where the boundaries lie: it has to bridge the layers around
them, and a smooth bend of a few layers may sit just there. So the statistic is divided by a caution that is simulated
for the very depth and boundaries of a test, from the worst member of the null family.

The other question, whether a kink of a given size is excluded, needs the law of the statistic where there is one. It
depends on what is independent from layer to layer: the bends, or the values of the profile, whose bends then pull
against their neighbours. Both laws are given, as a result cannot tell which of them holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mspgt.errors import InputError, NumericsError
from mspgt.results.theory import KinkTest, NoiseLaw
from mspgt.stats.nulls import NULL_CELLS, null_profiles

Array = NDArray[np.float64]

# Below this depth, or nearer to an end, a bend of half a dozen layers cannot be told from a kink (size up to 35 %).
MIN_LAYERS = 20
MARGIN = 3
BANDWIDTH = 4.0  # layers over which neighbours speak for the smooth curve
DEGREE = 2
LEVEL = 0.05
# Size that the worst cell of the null family is brought to, so that errors of simulation leave it under LEVEL.
AIM = 0.04
SCREEN = 300  # curves of every cell, among which the worst cells are looked for ...
WORST = 12  # ... that are simulated again, apart from the curves that chose them,
REFINE = 4000  # with so many curves each


# Correlation of a bend with the next, the one after that, ... by what is independent from layer to layer.
NOISES: Mapping[str, tuple[float, ...]] = {"bends": (1.0,), "profile": (1.0, -2 / 3, 1 / 6)}


def kink_test(
    profile: ArrayLike, boundary: int, boundaries: Sequence[int] = (), spread: ArrayLike | None = None
) -> KinkTest:
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
    _require_testable(y, boundary)
    depth = len(y)
    bends = np.diff(y, 2)
    floor = np.zeros(depth - 2) if spread is None else np.asarray(spread, dtype=np.float64)
    special = tuple(sorted({*boundaries, boundary}))
    scale = max(float(np.abs(bends).max()), float(np.abs(y).max()) * 1e-12)

    def statistic(curve: _Smooth, floor: float) -> tuple[float, float]:
        """The statistic, and the share of its error that is scatter of the other layers."""
        expected, scatter = curve.read(bends)
        error = max(float(scatter), floor)
        if error <= 1e-9 * scale:
            raise NumericsError("The profile has no scatter about a smooth curve, so no bend can be judged.")
        return float((bends[curve.layer - 2] - expected) / error), float(scatter / error)

    # Either end of the transition may carry the kink: two looks.
    ends = [_smooth(depth, special, at) for at in (boundary, boundary + 1)]
    found, share, end = max(
        ((*statistic(end, float(floor[end.layer - 2])), end) for end in ends), key=lambda one: abs(one[0])
    )
    divisor = caution(depth, boundary, special)
    others = [abs(statistic(_smooth(depth, special, at), 0.0)[0]) for at in _layers(depth, special)]
    p = min(1.0, 4 * float(stats.t.sf(abs(found) / divisor, end.freedom)))
    return KinkTest(
        p=p,
        layer=end.layer,
        bend=float(bends[end.layer - 2]),
        expected=float(end.read(bends)[0]),
        statistic=found,
        freedom=end.freedom,
        caution=divisor,
        rank=float(np.mean(np.array(others) >= abs(found))),
        kinked=p < LEVEL,
        laws={noise: end.law(correlations, share) for noise, correlations in NOISES.items()},
    )


def _require_testable(y: Array, boundary: int) -> None:
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


@cache
def caution(depth: int, boundary: int, boundaries: tuple[int, ...]) -> float:
    """What the statistic is divided by so that no cell of the null family is called kinked too often; at least 1."""
    ends = [_smooth(depth, boundaries, at) for at in (boundary, boundary + 1)]
    critical = np.array([stats.t.isf(LEVEL / 4, end.freedom) for end in ends])

    def excess(place: int, runs: int) -> Array:
        """Statistics of curves of a cell, in units of the least that Student t would call kinked, (runs,)."""
        seed = np.random.SeedSequence([place, runs])
        bends = np.diff(null_profiles(NULL_CELLS[place], depth, runs, seed, signals=1)[:, 0], 2)
        read = [(end.layer - 2, *end.read(bends)) for end in ends]
        sizes = np.array([np.abs(bends[:, at] - expected) / error for at, expected, error in read])
        return np.asarray(sizes.max(0) / critical[sizes.argmax(0)])

    screened = [np.quantile(excess(place, SCREEN), 1 - 2 * AIM) for place in range(len(NULL_CELLS))]
    worst = np.argsort(screened)[-WORST:]
    return max(1.0, *(float(np.quantile(excess(int(place), REFINE), 1 - AIM)) for place in worst))


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
    x = 2 * nats / width
    # Either form loses digits on the other's side of log 2.
    return np.where(x > np.log(2), np.log1p(-np.exp(-x)), np.log(-np.expm1(-np.minimum(x, 1.0))))


@dataclass(frozen=True)
class _Smooth:
    """The smooth curve at one layer: a local quadratic through the bends that speak for it.

    hat: (bends,) weights of the bend it expects; left: (bends, bends) what it leaves of every bend; weight: (bends,);
    mean: of the weighted sum of squares of what is left, for white scatter of variance 1, which is a chi-square of
    `freedom`.
    """

    layer: int
    hat: Array
    left: Array
    weight: Array
    mean: float
    freedom: float

    def read(self, bends: Array) -> tuple[Array, Array]:
        """Expected bend and standard error of the difference of a bend from it, for bends (..., layers − 2)."""
        squares = np.square(bends @ self.left.T) @ self.weight
        return bends @ self.hat, np.sqrt(squares / self.mean * (1 + self.hat @ self.hat))

    def law(self, correlations: Sequence[float], share: float) -> NoiseLaw:
        """Of the statistic at a kink, for bends of these correlations with their neighbours.

        share: scatter over the error that the statistic was divided by. Where that error is the larger one, a kink
        of one SD of the scatter moves the statistic by so much less.
        """
        n = len(self.hat)
        correlation = np.sum(
            [c * (np.eye(n, k=k) + np.eye(n, k=-k)) / (1 if k else 2) for k, c in enumerate(correlations)],
            axis=0,
        )
        form = (self.left.T * self.weight) @ self.left @ correlation
        mean = float(np.trace(form))
        contrast = -self.hat
        contrast[self.layer - 2] += 1
        error = float(np.sqrt(contrast @ correlation @ contrast))
        white = float(np.sqrt(1 + self.hat @ self.hat))
        freedom = max(mean**2 / float(np.trace(form @ form)), 1.0)
        return NoiseLaw(freedom, white * float(np.sqrt(mean / self.mean)) / error, share / error)


def _layers(depth: int, boundaries: tuple[int, ...]) -> list[int]:
    """Layers with a bend that lie in no boundary's neighbourhood."""
    return [at for at in range(2, depth) if all(not b - 1 <= at <= b + 2 for b in boundaries)]


@cache
def _smooth(depth: int, boundaries: tuple[int, ...], at: int) -> _Smooth:
    layers = np.arange(2, depth)
    x = (layers - at).astype(np.float64)
    weight = (
        np.exp(-0.5 * (x / BANDWIDTH) ** 2) * np.isin(layers, _layers(depth, boundaries)) * (layers != at)
    )
    design = x[:, None] ** np.arange(DEGREE + 1)
    hat = np.linalg.solve((design.T * weight) @ design, design.T * weight)
    left = np.eye(len(x)) - design @ hat
    form = (left.T * weight) @ left
    mean = float(np.trace(form))
    return _Smooth(at, hat[0], left, weight, mean, max(mean**2 / float(np.square(form).sum()), 1.0))
