"""A three-scale model whose every quantity is closed: G → I → L → X, all linear and Gaussian, in nats.

    G = A c + noise,   I = B_I G + noise,   L = B_L I + noise,   X = D (G, I, L) + noise

Equations 9–18 of the paper hold in it without approximation, at every choice of the scale weights β.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError

Array = NDArray[np.float64]

SCALES = ("G", "I", "L")


@dataclass(frozen=True)
class Factor:
    """q(z_s | parents, x) = N(offset + weights · parents, covariance); the parents of L are (G, I) in this order.

    offset (examples, width of s); weights (width of s, width of its parents); covariance (width of s, same).
    """

    offset: Array
    weights: Array
    covariance: Array


@dataclass(frozen=True)
class Terms:
    """The parts of the objective by example: `reconstruction` E_q log p(x | G, I, L) (examples,), eq. 17; `kl`
    (examples, 3) = KL_G, KL_I, KL_L with nested expectations, eq. 14–16."""

    reconstruction: Array
    kl: Array

    def objective(self, betas: Sequence[float] = (1.0, 1.0, 1.0)) -> Array:
        """Reconstruction less the weighted KLs (eq. 18); the ELBO at β = 1 (eq. 17)."""
        return self.reconstruction - self.kl @ np.asarray(betas, dtype=np.float64)


@dataclass(frozen=True)
class LinearGaussian:
    """p(G | c) p(I | G) p(L | I) p(X | G, I, L) with matrices `context` A, `steps` (B_I, B_L), `decoder` D.

    noise: covariances of G, I, L and X, each positive definite. Without context, A has no columns.
    Raises InputError when the shapes do not chain or a covariance is not positive definite.
    """

    context: Array
    steps: tuple[Array, Array]
    decoder: Array
    noise: tuple[Array, Array, Array, Array]

    def __post_init__(self) -> None:
        g, i, l, x = (len(c) for c in self.noise)
        found = (len(self.context), self.steps[0].shape, self.steps[1].shape, self.decoder.shape)
        expected = (g, (i, g), (l, i), (x, g + i + l))
        if found != expected:
            raise InputError(
                f"noise of widths {(g, i, l, x)} needs matrices of shapes {expected}, got {found}"
            )
        for name, covariance in zip((*SCALES, "X"), self.noise, strict=True):
            if np.linalg.eigvalsh(covariance).min() <= 0:
                raise InputError(
                    f"the noise of {name} is singular, so densities are infinite; give it some variance"
                )

    @classmethod
    def draw(
        cls, widths: tuple[int, int, int], observed: int, *, context: int = 0, seed: int
    ) -> LinearGaussian:
        """A random model with latents of these widths, an `observed`-dimensional X and full covariances."""
        rng = np.random.default_rng(seed)
        g, i, l = widths

        def matrix(rows: int, columns: int) -> Array:
            return rng.standard_normal((rows, columns)) / np.sqrt(max(columns, 1))

        def covariance(n: int) -> Array:
            root = matrix(n, n)
            return 0.3 * np.eye(n) + 0.3 * root @ root.T

        noise = (covariance(g), covariance(i), covariance(l), covariance(observed))
        return cls(matrix(g, context), (matrix(i, g), matrix(l, i)), matrix(observed, g + i + l), noise)

    @property
    def widths(self) -> tuple[int, int, int]:
        g, i, l, _ = (len(c) for c in self.noise)
        return g, i, l

    def prior_weights(self, scale: int) -> Array:
        """What p(z_s | parents) multiplies its parents with: only I reaches L."""
        g, _, l = self.widths
        return (np.zeros((g, 0)), self.steps[0], np.hstack([np.zeros((l, g)), self.steps[1]]))[scale]

    def sample(self, n: int, seed: int) -> tuple[Array, Array, Array]:
        """Draw standard normal contexts (n, contexts), latents (n, g + i + l) and observations (n, observed)."""
        rng = np.random.default_rng(seed)

        def drawn(covariance: Array) -> Array:
            return rng.standard_normal((n, len(covariance))) @ np.linalg.cholesky(covariance).T

        c = rng.standard_normal((n, self.context.shape[1]))
        z = c @ self.context.T + drawn(self.noise[0])
        for scale in (1, 2):
            z = np.hstack([z, z @ self.prior_weights(scale).T + drawn(self.noise[scale])])
        return c, z, z @ self.decoder.T + drawn(self.noise[3])

    def log_likelihood(self, x: Array, c: Array | None = None) -> Array:
        """log p(x | c), (examples,)."""
        mean, _ = self._prior(_contexts(c, x, self.context))
        return _log_density(x - mean @ self.decoder.T, self.covariance())

    def covariance(self) -> Array:
        """Of X given the context, (observed, observed)."""
        _, latent = self._prior(np.zeros((1, self.context.shape[1])))
        return np.asarray(self.decoder @ latent @ self.decoder.T + self.noise[3])

    def optimum(
        self, x: Array, c: Array | None = None, betas: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> tuple[Factor, Factor, Factor]:
        """The posterior factors of G, I, L that maximise equation 18; at β = 1 the exact posterior.

        Going up from L, each factor is its prior tempered by what the scales below are worth to it:
        q_s ∝ p_s exp(V_s / β_s), with V the value of the best choice below. All V are quadratic.
        Raises InputError for a β that is not positive.
        """
        if min(betas) <= 0:
            raise InputError(f"every β must be positive, got {tuple(betas)}")
        precision = np.linalg.inv(self.noise[3])
        curve, slope = self.decoder.T @ precision @ self.decoder, x @ precision @ self.decoder
        shift = _contexts(c, x, self.context) @ self.context.T
        factors = []
        for scale in (2, 1, 0):
            beta, own = betas[scale], np.linalg.inv(self.noise[scale])
            parents = sum(self.widths[:scale])
            to_prior = np.hstack([-self.prior_weights(scale), np.eye(len(own))])
            total = curve / beta + to_prior.T @ own @ to_prior
            linear = slope / beta
            if scale == 0:
                linear = linear + shift @ own
            covariance = np.linalg.inv(total[parents:, parents:])
            weights = -covariance @ total[parents:, :parents]
            factors.append(Factor(linear[:, parents:] @ covariance, weights, covariance))
            curve = beta * (total[:parents, :parents] + total[:parents, parents:] @ weights)
            slope = beta * (linear[:, :parents] + linear[:, parents:] @ weights)
        return factors[2], factors[1], factors[0]

    def terms(self, factors: Sequence[Factor], x: Array, c: Array | None = None) -> Terms:
        """Reconstruction and KLs of any Gaussian factors, best or not; (examples,) and (examples, 3)."""
        mean, covariance = np.zeros((len(x), 0)), np.zeros((0, 0))
        kl = np.zeros((len(x), 3))
        shift = _contexts(c, x, self.context) @ self.context.T
        for scale, factor in enumerate(factors):
            own = np.linalg.inv(self.noise[scale])
            turn = factor.weights - self.prior_weights(scale)
            off = factor.offset + mean @ turn.T - (shift if scale == 0 else 0.0)
            spread = np.trace(own @ (factor.covariance + turn @ covariance @ turn.T)) - len(own)
            volume = np.linalg.slogdet(self.noise[scale])[1] - np.linalg.slogdet(factor.covariance)[1]
            kl[:, scale] = 0.5 * (np.einsum("na,ab,nb->n", off, own, off) + spread + volume)
            across = covariance @ factor.weights.T
            mean = np.hstack([mean, factor.offset + mean @ factor.weights.T])
            covariance = np.block(
                [[covariance, across], [across.T, factor.weights @ across + factor.covariance]]
            )
        spread = np.trace(np.linalg.inv(self.noise[3]) @ self.decoder @ covariance @ self.decoder.T)
        return Terms(_log_density(x - mean @ self.decoder.T, self.noise[3]) - 0.5 * spread, kl)

    def rates(self) -> tuple[float, float, float]:
        """I(G; X | c), I(I; X | G, c), I(L; X | I, G): the mean KLs at the optimum with β = 1."""
        _, latent = self._prior(np.zeros((1, self.context.shape[1])))
        logdets = []
        for known in (0, *np.cumsum(self.widths)):
            # What is left of X when the first `known` latents are given.
            gain = (
                np.linalg.solve(latent[:known, :known], latent[:known])
                if known
                else np.zeros((0, len(latent)))
            )
            left = latent - latent[:, :known] @ gain
            logdets.append(np.linalg.slogdet(self.decoder @ left @ self.decoder.T + self.noise[3])[1])
        g, i, l = -0.5 * np.diff(logdets)
        return float(g), float(i), float(l)

    def _prior(self, c: Array) -> tuple[Array, Array]:
        """Mean (examples, latents) and covariance of (G, I, L) given the context."""
        mean, covariance = c @ self.context.T, self.noise[0]
        for scale in (1, 2):
            weights = self.prior_weights(scale)
            across = covariance @ weights.T
            mean = np.hstack([mean, mean @ weights.T])
            covariance = np.block([[covariance, across], [across.T, weights @ across + self.noise[scale]]])
        return mean, covariance


def _contexts(c: Array | None, x: Array, context: Array) -> Array:
    c = np.zeros((len(x), context.shape[1])) if c is None else c
    if c.shape != (len(x), context.shape[1]):
        raise InputError(f"expected contexts of shape {(len(x), context.shape[1])}, got {c.shape}")
    return c


def _log_density(residual: Array, covariance: Array) -> Array:
    """log N(residual; 0, covariance), (examples,)."""
    whitened = np.linalg.solve(np.linalg.cholesky(covariance), residual.T)
    volume = np.linalg.slogdet(covariance)[1] + len(covariance) * np.log(2 * np.pi)
    return -0.5 * ((whitened**2).sum(0) + volume)
