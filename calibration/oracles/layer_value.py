"""Equations 26 and 27 where they are closed: the value V(l) of a hierarchical bottleneck that reads layer l.

The layers are an exact chain h_l = x + noise of growing variance, G → I → L → X the linear-Gaussian model, and the
weights β_s(l) piecewise constant. What layer l is worth depends on it through E[x | h_l] alone, since

    E[log N(x; D z, S) | h] = log N(E[x | h]; D z, S) − ½ tr S⁻¹ Cov(x | h).

Where the weights switch, V does not bend but jumps, by −∫ Σ_s KL_s dβ_s (envelope theorem), while I(X; h_l) goes on
smoothly: a kink of the one (27) is none of the other (28).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from calibration.oracles.linear_gaussian import LinearGaussian
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LayerValues:
    """By layer, in nats: `value` V, `reconstruction`, `information` I(X; h_l), each (layers,); `kl` (layers, 3)."""

    value: Array
    reconstruction: Array
    kl: Array
    information: Array


def layer_values(model: LinearGaussian, noise: Sequence[float], betas: ArrayLike) -> LayerValues:
    """V along a chain of layers, exactly.

    Args:
        model: without context.
        noise: (layers,) variance of h_l − x, growing.
        betas: (layers, 3) weights of G, I and L at each layer.

    Raises:
        InputError: a context, noise that does not grow from above 0, or weights of another shape.
    """
    weights = np.asarray(betas, dtype=np.float64)
    levels = np.asarray(noise, dtype=np.float64)
    if model.context.shape[1]:
        raise InputError("layer values are those of a model without context: draw one with context=0")
    if levels.ndim != 1 or not (levels > 0).all() or (np.diff(levels) < 0).any():
        raise InputError(
            f"noise must grow from layer to layer, from above 0, or it is no chain; found {levels}"
        )
    if weights.shape != (len(levels), 3):
        raise InputError(f"expected weights of shape {(len(levels), 3)}, found {weights.shape}")
    x = model.covariance()
    precision = np.linalg.inv(model.noise[3])
    found = []
    for level, beta in zip(levels, weights, strict=True):
        seen = x @ np.linalg.solve(x + level * np.eye(len(x)), x)
        # Points that give means of quadratics of a normal vector exactly.
        root = np.linalg.cholesky(seen + 1e-14 * np.trace(seen) * np.eye(len(x)))
        points = np.sqrt(len(x)) * np.vstack([root.T, -root.T])
        terms = model.terms(model.optimum(points, betas=tuple(beta)), points)
        lost = 0.5 * float(np.trace(precision @ (x - seen)))
        information = 0.5 * np.linalg.slogdet(np.eye(len(x)) + x / level)[1]
        found.append((terms.reconstruction.mean() - lost, *terms.kl.mean(0), information))
    table = np.array(found)
    kl = table[:, 1:4]
    return LayerValues(table[:, 0] - (kl * weights).sum(1), table[:, 0], kl, table[:, 4])
