"""S3: how much the attention pattern changes from one layer to the next (equation 5).

Divergences are Jensen–Shannon divergences in bits, in [0, 1]; `scipy.spatial.distance.jensenshannon` returns the
square root of this number.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError
from mspgt.lm.among import among
from mspgt.signals.given import doubles


def _pointwise(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Each outcome's share of JS(p, q) in bits, ≥ 0 and exactly 0 where p = q.

    With δ = |p−q|/(p+q) and ε = 1−δ the share is (p+q)/4 times 2δ·artanh δ + ln(1−δ²), or, which is the same,
    ε·ln ε + (2−ε)·ln(2−ε), over ln 2. Unlike p·log(p/m) + q·log(q/m) the first does not cancel when p ≈ q, and
    the second not when one of the two is small: with both, single precision keeps seven digits.
    """
    tiny = torch.finfo(p.dtype).tiny
    total = p + q
    scale = total.clamp(min=tiny)
    delta = torch.sub(p, q).div_(scale).abs_()
    rest = torch.minimum(p, q).div_(scale).mul_(2)
    # Of a δ above a half the other form is taken; left as it is, it would be infinite at 1.
    near = torch.atanh(delta.clamp_(max=0.75)).mul_(delta).mul_(2).add_(delta.square().neg_().log1p_())
    far = scale.copy_(rest).clamp_(min=tiny).log_().mul_(rest)
    far.addcmul_(delta.copy_(rest).neg_().add_(1).log1p_(), 2 - rest)
    # A weight of 0 or 1 gives one of the two to the last bit, in a third of the time that `where` takes.
    return far.lerp_(near, rest.ge_(0.5)).mul_(total).div_(4 * math.log(2.0))


def jensen_shannon(p: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """Jensen–Shannon divergence in bits along the last axis.

    Args:
        p: `(..., outcomes)` non-negative weights; each row is normalised to sum to one.
        q: the same shape.

    Returns:
        `(...)` in [0, 1]; exactly 0 where p = q.

    Raises:
        InputError: shapes differ, an entry is negative or not finite, or a row sums to zero.

    Example:
        >>> float(jensen_shannon([1.0, 0.0], [0.0, 1.0]))
        1.0
    """
    rows = []
    for name, value in (("p", p), ("q", q)):
        array = doubles(value, name)
        if array.ndim == 0 or not np.isfinite(array).all() or (array < 0).any():
            raise InputError(f"{name} must hold finite non-negative weights along its last axis.")
        sums = array.sum(-1, keepdims=True)
        if (sums <= 0).any():
            raise InputError(f"A row of {name} sums to zero: it is no distribution.")
        rows.append(torch.from_numpy(array / sums))
    if rows[0].shape != rows[1].shape:
        raise InputError(
            f"p and q must have one shape, found {tuple(rows[0].shape)}, {tuple(rows[1].shape)}."
        )
    return _pointwise(*rows).sum(-1).clamp(0.0, 1.0).numpy()


# Entries of a map that are compared at a time: what fits a cache, or keeps a GPU busy.
_AT_ONCE = {"cpu": 2**17, "cuda": 2**25}


def attention_drift(
    attention: torch.Tensor, queries: torch.Tensor, keys: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean drift of every text at every transition.

    Args:
        attention, queries, keys: as in `row_drift`.

    Returns:
        `(batch, layers−1)` mean over rows of JS(A⁽ˡ⁾, A⁽ˡ⁺¹⁾) in bits, NaN where a text has no row left; and
        `(batch, layers−1)` the number of rows it is the mean of.
    """
    value = row_drift(attention, queries, keys)
    known = ~value.isnan()
    rows = known.sum(-1).T.to(value.dtype)
    return torch.where(known, value, 0).sum(-1).T / rows, rows


def row_drift(attention: torch.Tensor, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """Drift of every position at every transition.

    Args:
        attention: `(layers, batch, query, key)` attention averaged over heads.
        queries: `(batch, query)` bool, the positions whose rows count.
        keys: `(batch, key)` bool, the columns that count; the others (padding, sinks) are left out and each row
            is renormalised over the rest. A row with fewer than two columns left, or with no mass on them in one
            of the two layers, says nothing about drift and is left out.

    Returns:
        `(layers−1, batch, query)` JS(A⁽ˡ⁾, A⁽ˡ⁺¹⁾) in bits, NaN where a row is left out.
    """
    layers, batch, length, _ = attention.shape
    value = attention.new_full((layers - 1, batch, length), torch.nan)
    step = max(16, _AT_ONCE.get(attention.device.type, 2**17) // (batch * length))
    place = torch.arange(length, device=attention.device)
    for start in range(0, length, step):
        stop = min(start + step, length)
        texts = among(queries[:, start:stop])  # shorter texts are padding here
        allowed = keys[texts, None, :stop] & (place[start:stop, None] >= place[:stop])
        usable = queries[texts, start:stop] & (allowed.sum(-1) >= 2)
        counted = allowed.to(attention.dtype)
        before: tuple[torch.Tensor, torch.Tensor] | None = None
        for layer in range(layers):
            kept = attention[layer, texts, start:stop, :stop] * counted
            mass = kept.sum(-1, keepdim=True)
            current = kept.div_(torch.where(mass > 0, mass, 1)), usable & (mass[..., 0] > 0)
            if before is not None:
                drift = _pointwise(before[0], current[0]).sum(-1)
                value[layer - 1, texts, start:stop] = torch.where(before[1] & current[1], drift, torch.nan)
            before = current
    return value


def matched_drift(
    before: torch.Tensor,
    after: torch.Tensor,
    partner: torch.Tensor,
    queries: torch.Tensor,
    keys: torch.Tensor,
) -> torch.Tensor:
    """Mean over heads h of the drift from head h of one layer to head partner[h] of the next, in bits.

    Args:
        before, after: `(batch, heads, query, key)` attention of the two layers.
        partner: `(heads,)` places in the later layer.
        queries, keys: `(batch, positions)` bool, as in `row_drift`.

    Returns:
        `(batch, positions)` mean over heads; NaN for a row that no head can use.
    """
    heads = before.shape[1]
    pair = torch.stack([before.flatten(0, 1), after[:, partner].flatten(0, 1)])
    rows = queries.repeat_interleave(heads, 0), keys.repeat_interleave(heads, 0)
    return row_drift(pair, *rows)[0].view(-1, heads, queries.shape[1]).nanmean(1)
