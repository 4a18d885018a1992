"""A chain of blocks fitted to a dissimilarity matrix: what each block writes alone, and what changes for good.

E_ij = u_i + u_j + Σ_{m=i}^{j−1} v_m, the tree metric of a caterpillar: blocks are legs of length u on a spine
whose step from block b to b+1 is v_b. A block that differs from all others has a long leg and leaves the spine as
it is; a change that lasts lengthens the spine. Only pairs at most `reach` blocks apart are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

RIDGE = (
    0.02  # of the differences between neighbouring steps, and reach times that of the legs about their mean
)
WINSOR, ROUNDS = 2.5, 3  # residuals beyond so many SDs are drawn in, so often
CAP = 3.5  # SDs at which a residual stops adding to the noise
LONG = 0.3  # correlation of residuals of pairs one step further along the diagonal
# SD of a normal variable over the median of its size.
FROM_MEDIAN = 1.4826


@dataclass(frozen=True)
class Design:
    """The linear map of one depth: pairs (p,), `solve` (L−1 + L, p) from dissimilarities to steps and legs."""

    first: Index
    second: Index
    model: Array  # (p, L−1 + L): which steps and legs lie between the blocks of a pair
    solve: Array
    root: Array  # (p,) square roots of the pairs' weights, lag^−1/4
    freedom: float  # expected weighted sum of squared residuals under noise of SD 1
    error: Array  # (L−1,) SD of each step under independent noise of SD 1


@dataclass(frozen=True)
class Chain:
    """A fitted chain, or many; leading axes are those of the dissimilarities.

    `step` (..., L−1) lasting change between blocks b and b+1, `leg` (..., L) what a block writes alone, both in
    units of −log CKA; `error` (..., L−1) SD of a step under independent noise at the level of the residuals;
    `inflation` (...,) the factor on it where residuals of neighbouring pairs are alike.
    """

    step: Array
    leg: Array
    error: Array
    inflation: Array


def reach(layers: int) -> int:
    """How many blocks apart pairs may be: a third of the depth, between 4 and 8."""
    return min(8, max(4, layers // 3))


@lru_cache
def design(layers: int) -> Design:
    """The weighted ridge fit for a depth, as one matrix."""
    span = reach(layers)
    lags = np.concatenate([np.full(layers - lag, lag) for lag in range(1, span + 1)])
    first = np.concatenate([np.arange(layers - lag) for lag in range(1, span + 1)])
    second = first + lags
    place = np.arange(layers - 1)
    spine = (place >= first[:, None]) & (place < second[:, None])
    block = np.arange(layers)
    legs = (block == first[:, None]) | (block == second[:, None])
    model = np.concatenate([spine, legs], axis=1).astype(np.float64)

    uneven = np.diff(np.eye(layers - 1), axis=0)
    penalty = np.zeros((2 * layers - 1,) * 2)
    penalty[: layers - 1, : layers - 1] = RIDGE * uneven.T @ uneven
    penalty[layers - 1 :, layers - 1 :] = RIDGE * span * (np.eye(layers) - 1 / layers)
    weights = lags.astype(np.float64) ** -0.5
    weighted = model.T * weights
    solve = np.asarray(np.linalg.solve(weighted @ model + penalty, weighted), dtype=np.float64)
    misfit = np.eye(len(lags)) - model @ solve
    return Design(
        first=first,
        second=second,
        model=model,
        solve=solve,
        root=np.sqrt(weights),
        freedom=float((weights[:, None] * misfit**2).sum()),
        error=np.sqrt((solve**2).sum(axis=1))[: layers - 1],
    )


def fit_chain(dissimilarity: Array) -> Chain:
    """Fit the chain, winsorising pairs that no chain explains.

    dissimilarity: (..., L, L), symmetric, of which pairs up to `reach` are read.
    """
    layers = dissimilarity.shape[-1]
    plan = design(layers)
    seen = dissimilarity[..., plan.first, plan.second]
    usual = np.sqrt(plan.freedom / len(plan.root)) / FROM_MEDIAN
    used = seen
    for turn in range(ROUNDS + 1):
        fitted = used @ plan.solve.T
        expected = fitted @ plan.model.T
        residual = seen - expected
        size = np.abs(residual * plan.root)
        noise = np.median(size, axis=-1, keepdims=True) / usual
        if turn < ROUNDS:
            limit = WINSOR * noise / plan.root
            used = expected + np.clip(residual, -limit, limit)
    capped = np.sqrt((np.minimum(size, CAP * noise) ** 2).sum(axis=-1, keepdims=True) / plan.freedom)
    return Chain(
        step=fitted[..., : layers - 1],
        leg=fitted[..., layers - 1 :],
        error=plan.error * np.maximum(noise, capped),
        inflation=_inflation(residual, layers),
    )


def _inflation(residual: Array, layers: int) -> Array:
    """How much larger the error of a step is than under independent residuals, from how alike neighbours are.

    Constants by simulation (`calibration/`): the fit itself makes residuals of neighbouring pairs unlike,
    more so in shallow models. Residuals alike along the diagonal beyond `LONG` come from disturbances that span
    several blocks, most of which the steps take up, so that little of them is left to be seen.
    """
    plan = design(layers)
    limit = WINSOR * np.sqrt((residual**2).mean(axis=-1, keepdims=True))
    field = np.full((*residual.shape[:-1], layers, layers), np.nan)
    field[..., plan.first, plan.second] = np.clip(residual, -limit, limit)
    variance = np.nanmean(field**2, axis=(-2, -1))

    def alike(one: Array, other: Array) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.nanmean(one * other, axis=(-2, -1)) / variance
        # Without residuals there is nothing to be alike.
        return np.where(variance > 0, share, 0.0)

    beside = (alike(field[..., 1:, :], field[..., :-1, :]) + alike(field[..., 1:], field[..., :-1])) / 2
    diagonal = alike(field[..., 1:, 1:], field[..., :-1, :-1])
    shallow = 12 / layers
    slope, usual = 0.65 + 2.75 * shallow**2.6, -0.135 - 0.275 * shallow**3
    along = 0.6 * np.maximum(0, diagonal) + 4 * np.maximum(0, diagonal - LONG)
    return np.asarray(1 + slope * np.maximum(0, beside - usual) + along)
