"""Chains of random residual blocks: exactly Markov, and not linear, as the layers of a network are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def block_chain(
    layers: int,
    width: int,
    rows: int,
    seed: int,
    *,
    noise: float = 0.0,
    skip: float = 0.0,
    gain: float = 1.5,
    hidden: int = 64,
) -> Array:
    """h_{l+1} = h_l + W₂ SiLU(W₁ RMSNorm(h_l)) + noise, from standard normal rows: (layers, rows, width).

    Args:
        noise: standard deviation of what each block adds at random.
        skip: weight of layer l in layer l + 2, turned at random, which breaks the chain; 0: exactly Markov.
        gain: of the weights; how far from linear a block is.
    """
    rng = np.random.default_rng(seed)
    states = [rng.standard_normal((rows, width))]
    for _ in range(layers - 1):
        h = states[-1]
        up = gain * rng.standard_normal((width, hidden)) / np.sqrt(width)
        down = gain * rng.standard_normal((hidden, width)) / np.sqrt(hidden)
        inside = h / np.sqrt(np.square(h).mean(1, keepdims=True)) @ up
        following = h + inside / (1.0 + np.exp(-inside)) @ down + noise * rng.standard_normal(h.shape)
        if skip and len(states) > 1:
            turn = np.linalg.qr(rng.standard_normal((width, width)))[0]
            following = following + skip * (states[-2] - h) @ turn
        states.append(following)
    return np.stack(states)
