"""Gaussian truth, in nats, for estimators of information: chains of layers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import ortho_group

from mspgt.errors import InputError


@dataclass(frozen=True)
class GaussianChain:
    """Layers of unit variance, `width` independent coordinates of x_{l+1} = a x_l + s x_{l-1} + noise.

    `steps` (L-1,) are the coefficients a, `skips` (L-2,) the coefficients s from two layers back: without
    skips the chain is Markov. Every layer is rotated at random when drawn, which changes no information.
    Raises InputError when the coefficients leave no room for noise.
    """

    steps: tuple[float, ...]
    width: int
    skips: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.skips and len(self.skips) != len(self.steps) - 1:
            raise InputError(
                f"{len(self.steps)} steps need {len(self.steps) - 1} skips or none, got {len(self.skips)}"
            )
        if (self._build()[1] <= 0).any():
            raise InputError(
                "a layer is determined by those before it, so information is infinite; lower its coefficients"
            )

    def _build(self) -> tuple[np.ndarray, np.ndarray]:
        layers = len(self.steps) + 1
        skips = (0.0, *(self.skips or (0.0,) * (layers - 2)))
        correlation, noise = np.eye(layers), np.ones(layers)
        for l in range(1, layers):
            past = self.steps[l - 1] * correlation[l - 1, :l] + (
                skips[l - 1] * correlation[l - 2, :l] if l > 1 else 0.0
            )
            explained = self.steps[l - 1] * past[l - 1] + (skips[l - 1] * past[l - 2] if l > 1 else 0.0)
            correlation[l, :l] = correlation[:l, l] = past
            noise[l] = 1 - explained
        return correlation, noise

    @cached_property
    def correlation(self) -> np.ndarray:
        """Correlation of a coordinate between layers, (layers, layers)."""
        return self._build()[0]

    def information(self, i: int, j: int) -> float:
        """I(x_i; x_j), layers counted from 1."""
        return float(-0.5 * self.width * np.log1p(-(self.correlation[i - 1, j - 1] ** 2)))

    def conditional_information(self, i: int, j: int, given: int) -> float:
        """I(x_i; x_j | x_given), layers counted from 1."""
        r = self.correlation
        i, j, k = i - 1, j - 1, given - 1
        partial = (r[i, j] - r[i, k] * r[j, k]) ** 2 / ((1 - r[i, k] ** 2) * (1 - r[j, k] ** 2))
        return float(-0.5 * self.width * np.log1p(-partial))

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Draw (layers, n, width)."""
        rng = np.random.default_rng(seed)
        drawn = np.linalg.cholesky(self.correlation) @ rng.standard_normal(
            (n, self.width, len(self.steps) + 1, 1)
        )
        rotations = np.stack(
            [ortho_group.rvs(self.width, random_state=rng) for _ in range(len(self.steps) + 1)]
        )
        return np.moveaxis(drawn[..., 0], -1, 0) @ rotations
