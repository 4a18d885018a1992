"""Depths on information curves: arrays in, arrays out.

Curves are (…, layers + 1), layer 0 first. Depths are in layers, interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOP = 0.2  # the level of a curve is the mean of this share of its layers, the highest
QUANTILES = np.arange(2, 9) / 10  # of the trimmed centre
DECLINED = 0.9
CORE = 0.8  # the soft boundary is the centroid of what is above this share of the largest difference


@dataclass(frozen=True)
class Rise:
    """How curves rise.

    share: (…, layers + 1) of the level that is reached, 1 from the layer that reaches it on. smooth: three-point
    smoothed curves. level: (…,) mean of the top fifth of the layers. reached: (…,) first layer at that level.
    """

    share: Array
    smooth: Array
    level: Array
    reached: NDArray[np.int64]


def mean_curves(sums: Array, counts: Array, weights: Array) -> Array:
    """Mean gains under weights of documents: (draws, tasks, layers + 1).

    Args:
        sums: (documents, tasks, layers + 1). counts: (documents, tasks). weights: (draws, documents).
    """
    shape = (len(weights), *sums.shape[1:])
    total = (weights @ sums.reshape(len(sums), -1)).reshape(shape)
    known = weights @ counts
    return np.asarray(total / np.where(known > 0, known, np.nan)[..., None])


def smoothed(curves: Array) -> Array:
    """Three-point means (¼, ½, ¼); the last layer ⅓, ⅔; layer 0 is 0 by definition of a gain."""
    smooth = curves.copy()
    smooth[..., 1:-1] = 0.25 * curves[..., :-2] + 0.5 * curves[..., 1:-1] + 0.25 * curves[..., 2:]
    smooth[..., -1] = (curves[..., -2] + 2 * curves[..., -1]) / 3
    smooth[..., 0] = 0
    return smooth


def rise(curves: Array) -> Rise:
    """Level and rise of curves.

    The level is not the maximum, which noise on a plateau lifts, and with it every depth; and there is no running
    maximum, which would count noise before the rise.
    """
    smooth = smoothed(curves)
    layers = curves.shape[-1] - 1
    top = max(2, int(np.ceil(TOP * layers)))
    level = np.sort(smooth, axis=-1)[..., -top:].mean(-1)
    reached = (smooth >= level[..., None]).argmax(-1)
    share = np.divide(smooth, level[..., None], out=np.zeros_like(smooth), where=level[..., None] > 0)
    share = np.where(np.arange(layers + 1) < reached[..., None], share, 1.0)
    return Rise(share, smooth, level, reached)


def crossing(share: Array, quantile: float) -> Array:
    """First depth at which a rise reaches a quantile, (…,)."""
    at = np.maximum((share >= quantile).argmax(-1), 1)[..., None]
    after, before = np.take_along_axis(share, at, -1), np.take_along_axis(share, at - 1, -1)
    step = np.where(after > before, after - before, 1.0)
    depth = at - 1 + (quantile - before) / step
    return np.clip(depth[..., 0], 0, share.shape[-1] - 1)


def centre(share: Array) -> Array:
    """Trimmed centre of a rise: mean depth of its quantiles .2 to .8, (…,)."""
    return np.mean([crossing(share, quantile) for quantile in QUANTILES], axis=0)


def decline(curve: Rise) -> Array:
    """Depth at which a curve falls below nine tenths of its level after it got there; NaN where it never does."""
    layers = np.arange(curve.smooth.shape[-1])
    bar = (DECLINED * curve.level)[..., None]
    below = (curve.smooth < bar) & (layers > curve.reached[..., None]) & (bar > 0)
    at = np.maximum(below.argmax(-1), 1)[..., None]
    after, before = np.take_along_axis(curve.smooth, at, -1), np.take_along_axis(curve.smooth, at - 1, -1)
    step = np.where(before > after, before - after, 1.0)
    depth = (at - 1 + (before - bar) / step)[..., 0]
    return np.where(below.any(-1), depth, np.nan)


def largest_fall(curve: Rise) -> Array:
    """The largest fall before the level is reached, as a share of the level; infinite for a level of 0 or less."""
    before = np.arange(curve.smooth.shape[-1]) <= curve.reached[..., None]
    fall = np.where(before, np.maximum.accumulate(curve.smooth, -1) - curve.smooth, 0).max(-1)
    return np.divide(fall, curve.level, out=np.full_like(fall, np.inf), where=curve.level > 0)


@dataclass(frozen=True)
class Separation:
    """Where one rise hands over to the next, each (…,).

    layer: argmax of the difference of the two rises (the Kolmogorov–Smirnov split). soft: centroid of its core, NaN
    where the first is never ahead. ahead, behind: the largest lead of the first over the second, and the other way.
    """

    layer: NDArray[np.int64]
    soft: Array
    ahead: Array
    behind: Array


def separation(earlier: Array, later: Array) -> Separation:
    """Split between two rises (…, layers + 1)."""
    lead = earlier - later
    ahead = lead.max(-1)
    core = np.maximum(lead - CORE * ahead[..., None], 0)
    weight = core.sum(-1)
    place = (core * np.arange(lead.shape[-1])).sum(-1)
    soft = np.divide(place, weight, out=np.full_like(ahead, np.nan), where=(ahead > 0) & (weight > 0))
    return Separation(lead.argmax(-1), soft, ahead, np.maximum((-lead).max(-1), 0))


def block_share(local: Array, intermediate: Array, global_: Array) -> Array:
    """Q: the largest share of each rise that lies in its own block of three successive ones, (…,) in [⅓, 1].

    Q(c₁, c₂) = ⅓ [F_L(c₁) + F_I(c₂) − F_I(c₁) + 1 − F_G(c₂)], maximised over c₁ ≤ c₂.
    """
    first = np.maximum.accumulate(local - intermediate, -1)
    return np.asarray((1 + (first + intermediate - global_).max(-1)) / 3)
