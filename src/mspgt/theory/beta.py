"""β̂_s: nats of loss for each nat of rate, scale by scale.

The paper promises the compression weights β_s and never says how to read them off. Here: inflate the variance of the
posterior of scale s a little. The reconstruction falls by Δ_s, the KLs of all scales change by K_s,t (its own, and
those of the scales below, whose parents are noisier). At an optimum of equation 18 every such move is balanced,
Δ_s = Σ_t β_t K_s,t, so that three moves give a 3 × 3 system. Finite inflations are biased; the move of zero is
reached by Richardson extrapolation.

For the activations of a model, noise σ after the blocks of scale s is the channel: its rate ½ Σ log(1 + λ_i/σ²) falls
by ½ d_eff / σ² for each unit of σ² and the loss rises by ½ tr F (equation 30), so

    β̂_s(σ) = σ² Σ_l tr F_l / Σ_l d_eff,l,    d_eff,l = Σ_i λ_i / (λ_i + σ_l²),    σ_l = σ · std_l

with λ the eigenvalues of the covariance after block l. Layers of a scale are taken as separate channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError, NumericsError

Array = NDArray[np.float64]
# From factors on the posterior variances to reconstruction (examples,) and KLs (examples, scales), in nats.
Measure = Callable[[tuple[float, ...]], tuple[Array, Array]]

INFLATIONS = (0.04, 0.02, 0.01)  # of the posterior variance; extrapolated to 0
LARGEST_CONDITION = 1e8


def scale_weights(measure: Measure, weights: Array | None = None, *, scales: int = 3) -> Array:
    """β̂ of every scale, extrapolated to no inflation: (scales,), or (draws, scales) under example weights.

    Args:
        measure: what the H-VIB does to every example when the posterior variances are multiplied by factors. It must
            use the same noise in every call, or the differences drown.
        weights: (draws, examples), of bootstrap draws.

    Raises:
        NumericsError: some move changes no KL, so that a weight is undetermined.
    """
    w = np.ones((1, 1)) if weights is None else weights / weights.mean(1, keepdims=True)
    base = measure((1.0,) * scales)
    tables = []
    for inflation in INFLATIONS:
        moves, losses = np.empty((len(w), scales, scales)), np.empty((len(w), scales))
        for scale in range(scales):
            moved = measure(tuple(1.0 + inflation * (scale == other) for other in range(scales)))
            losses[:, scale] = (w * (moved[0] - base[0])).mean(1)
            moves[:, scale] = (w[..., None] * (moved[1] - base[1])).mean(1)
        if not np.isfinite(moves).all() or np.linalg.cond(moves).max() > LARGEST_CONDITION:
            raise NumericsError(
                "β̂ is undetermined: inflating the posteriors does not move the KLs independently (a collapsed scale "
                f"has rate 0 and no weight). KLs: {np.round(base[1].mean(0), 4).tolist()} nats."
            )
        tables.append(np.linalg.solve(moves, losses[..., None])[..., 0])
    found = extrapolate(INFLATIONS, np.stack(tables))
    return found[0] if weights is None else found


def extrapolate(x: Sequence[float], values: Array) -> Array:
    """Value at x = 0 of the polynomial through (x, values) along the first axis (Richardson, Neville)."""
    table = [np.asarray(v, dtype=np.float64) for v in values]
    for span in range(1, len(x)):
        table = [
            (x[i] * table[i + 1] - x[i + span] * table[i]) / (x[i] - x[i + span])
            for i in range(len(table) - 1)
        ]
    return table[0]


def effective_dimensions(variances: ArrayLike, noise: ArrayLike) -> Array:
    """d_eff = Σ_i λ_i / (λ_i + σ²): dimensions that stand out of the noise; eigenvalues along the last axis.

    Raises:
        InputError: noise variances that are not positive.
    """
    eigenvalues, sigma2 = np.asarray(variances, dtype=np.float64), np.asarray(noise, dtype=np.float64)
    if not (sigma2 > 0).all():
        raise InputError(f"Noise variances must be positive, found {sigma2}.")
    return np.asarray((eigenvalues / (eigenvalues + sigma2[..., None])).sum(-1))


def rate_through_noise(variances: ArrayLike, noise: ArrayLike) -> Array:
    """½ Σ_i log(1 + λ_i / σ²) in nats: what a Gaussian state sends through the noise."""
    eigenvalues, sigma2 = np.asarray(variances, dtype=np.float64), np.asarray(noise, dtype=np.float64)
    return np.asarray(0.5 * np.log1p(eigenvalues / sigma2[..., None]).sum(-1))


def activation_weights(
    traces: Array, variances: Array, std: Array, sigmas: Sequence[float], scales: Mapping[str, Sequence[int]]
) -> dict[str, Array]:
    """β̂_s(σ) of each scale over relative noise levels, (..., sigmas), by the formula above.

    Args:
        traces: (..., layers) std_l² tr F_l in nats a token, layers 1..L; leading axes are bootstrap draws.
        variances: (layers, d) eigenvalues of the covariance after each block. std: (layers,) activation scale.
        sigmas: relative noise. scales: name → layers from 1.
    """
    found = {}
    for name, layers in scales.items():
        chosen = np.array([layer - 1 for layer in layers])
        level = np.asarray(sigmas)[:, None] * std[chosen]
        dims = np.stack([effective_dimensions(variances[chosen], row**2) for row in level])
        loss = np.asarray(sigmas) ** 2 * traces[..., chosen].sum(-1)[..., None]
        found[name] = loss / dims.sum(-1)
    return found
