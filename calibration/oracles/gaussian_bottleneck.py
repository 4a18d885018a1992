"""The information bottleneck where it is solved: jointly Gaussian X and Y (Chechik et al. 2005), in nats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GaussianBottleneck:
    """Pairs (X_i, Y_i) of unit variance with correlations r_i, seen through T_i = X_i + √noise_i ε.

    Any jointly Gaussian X and Y take this form in their canonical coordinates. Raises InputError for
    correlations outside (-1, 1).
    """

    correlations: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.correlations or not all(abs(r) < 1 for r in self.correlations):
            raise InputError(f"expected one correlation or more in (-1, 1), got {self.correlations}")

    def information(self, noise: ArrayLike) -> tuple[float, float]:
        """(I(T;X), I(T;Y)) at noise variances (coordinates,); infinite variance closes a coordinate."""
        v = np.asarray(noise, dtype=np.float64)
        about_x = 0.5 * np.log1p(1 / v)
        about_y = -0.5 * np.log1p(-(np.square(self.correlations)) / (1 + v))
        return float(about_x.sum()), float(about_y.sum())

    def optimum(self, slope: float) -> Array:
        """Noise variances at which no T does better: dI(T;Y)/dI(T;X) = slope = β in every open coordinate.

        Coordinates with r² ≤ slope return less than it at their very first nat and stay closed (inf). The
        trade-off parameter of Chechik et al. is 1/slope. Raises InputError for a slope outside (0, 1).
        """
        if not 0 < slope < 1:
            raise InputError(f"the slope of an information curve lies in (0, 1), got {slope}")
        r2 = np.square(self.correlations)
        noise = np.full(len(r2), np.inf)
        opened = r2 > slope
        noise[opened] = slope * (1 - r2[opened]) / (r2[opened] - slope)
        return noise

    def curve(self, slopes: ArrayLike) -> Array:
        """(I(T;X), I(T;Y)) of the optimum at each slope, (slopes, 2)."""
        return np.array([self.information(self.optimum(float(s))) for s in np.atleast_1d(slopes)])

    def sample(self, n: int, seed: int) -> tuple[Array, Array]:
        """Draw X and Y, each (n, coordinates)."""
        rng = np.random.default_rng(seed)
        r = np.asarray(self.correlations)
        x, e = rng.standard_normal((2, n, len(r)))
        return x, r * x + np.sqrt(1 - r**2) * e
