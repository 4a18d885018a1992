"""Equations 26 and 27: what layer l is worth to a hierarchical bottleneck whose weights are those of its scale.

    V(l) = max_q E_q log p(X | G, I, L) − Σ_s β_s(l) KL_s(l),    posteriors reading layer l

The paper has β_s(l) constant within a scale and switching at a boundary, and infers a kink of V there. As a maximum
of lines in β, V is convex in the weights, so that a switch by Δβ makes it jump by something between −Σ KL_s Δβ_s at
the rates before and at those after: `bounds`. It is zero only where no rate is paid, and says nothing of the states:
V jumps wherever weights are told to switch, at a boundary or not (closed: `calibration/oracles/layer_value.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError
from mspgt.results.theory import ValueSwitch
from mspgt.stats.bootstrap import expanded_interval
from mspgt.theory.blocks import Blocks, Three
from mspgt.vocabulary import Progress

Array = NDArray[np.float64]
# From a layer (from 0) and weights of G, I, L to the optimum's reconstruction (examples,) and KLs (examples, 3).
Optimum = Callable[[int, Three], tuple[Array, Array]]


@dataclass(frozen=True)
class LayerValues:
    """V by layer, in nats an example: `value` (layers,), `ci` (layers, 2); `kl` (layers, 3) of G, I, L."""

    value: Array
    ci: Array
    kl: Array
    switches: tuple[ValueSwitch, ...]


def values_of(optimum: Optimum, betas: ArrayLike, resampled: Array, documents: int) -> LayerValues:
    """V along layers. Where the weights switch, the layer is solved under the old ones first, then the new.

    Args:
        betas: (layers, 3) weights of G, I, L. resampled: (draws, examples) weights of bootstrap draws
            over so many documents, of which fewer than 5 give no interval.

    Raises:
        InputError: weights of another shape, or not positive.
    """
    weights = np.asarray(betas, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[1] != 3 or not (weights > 0).all():
        raise InputError(f"expected positive weights (layers, 3) of G, I and L, found {weights.shape}")
    shares = resampled / resampled.sum(1, keepdims=True)
    value, ci, kl = np.empty(len(weights)), np.empty((len(weights), 2)), np.empty((len(weights), 3))
    switches = []

    def solved(layer: int, beta: Array) -> tuple[Array, Array]:
        reconstruction, own = optimum(layer, (float(beta[0]), float(beta[1]), float(beta[2])))
        return reconstruction - own @ beta, own.mean(0)

    for layer, beta in enumerate(weights):
        switched = layer > 0 and not np.array_equal(beta, weights[layer - 1])
        before = solved(layer, weights[layer - 1]) if switched else None
        each, kl[layer] = solved(layer, beta)
        value[layer], ci[layer] = each.mean(), expanded_interval(shares @ each, documents)
        if before is not None:
            change = beta - weights[layer - 1]
            low, high = expanded_interval(shares @ (each - before[0]), documents)
            bounds = (-float(before[1] @ change), -float(kl[layer] @ change))
            jump = float((each - before[0]).mean())
            ends = None if np.isnan(low) else (float(low), float(high))
            switches.append(ValueSwitch(layer + 1, jump, ends, bounds))
    return LayerValues(value, ci, kl, tuple(switches))


def block_values(
    states: Sequence[Array],
    following: NDArray[np.int64],
    document: NDArray[np.int64],
    betas: ArrayLike,
    *,
    steps: int = 400,
    draws: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> LayerValues:
    """V of a model's layers for the next token, on documents held out: one H-VIB a layer, all scales reading it.

    Args:
        states: of every layer (tokens, k), on principal components. following, document: as for `Blocks`.
        steps: of training, the same for every solution, which too few of them leave short of its optimum.

    Raises:
        InputError: fewer than 256 tokens in a half, a single next token, or weights of another shape.
        NumericsError: training diverged.
    """
    if np.shape(betas)[:1] != (len(states),):
        raise InputError(
            f"expected weights of {len(states)} layers, found {np.shape(betas)[:1] or 'a number'}"
        )

    def optimum(layer: int, beta: Three) -> tuple[Array, Array]:
        # Anew for every solution: one that went on from another would be worth more by training alone.
        blocks = Blocks([states[layer]] * 3, following, document, seed)
        blocks.fit(beta, steps)
        with torch.no_grad():
            found = blocks.terms(blocks.held_out, blocks.noise(blocks.held_out, 1))
        if progress is not None:
            progress(layer + 1, len(states), "value of layers")
        return found.reconstruction.double().numpy(), found.kl.double().numpy()

    blocks = Blocks([states[0]] * 3, following, document, seed)
    return values_of(optimum, betas, *blocks.resampled(blocks.held_out, draws))
