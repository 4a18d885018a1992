"""What the theory costs in passes and memory, counted without loading anything that computes it."""

from __future__ import annotations

BLOCK = 12  # values a token that a block holds while it works, in widths of the model
READER_BYTES = 2**31  # of standardised float32 states that readers see at a time


def passes(
    texts: int,
    layers: int,
    sigmas: int,
    arms: int,
    *,
    draws: int = 1,
    label_draws: int = 4,
    hessian_draws: int = 8,
) -> tuple[int, int]:
    """Forward and backward passes of texts that `measure_sensitivity` makes; one each way tries for a gradient."""
    backward = label_draws + 1 + 2 * hessian_draws
    forward = 2 + 2 * hessian_draws + 2 * draws * (layers * sigmas + arms)
    return texts * forward + 1, texts * backward + 1


def state_bytes(layers: int, width: int, tokens: int, bytes_a_value: int) -> int:
    """States of so many tokens at every layer, which stay on the host."""
    return (layers + 1) * tokens * width * bytes_a_value


def batch_bytes(layers: int, width: int, tokens: int, bytes_a_value: int) -> int:
    """Beside the states while a batch of so many tokens is read: its own at every layer, and one block at work."""
    return state_bytes(layers + BLOCK, width, tokens, bytes_a_value)


def reader_bytes(layers: int, width: int, tokens: int) -> int:
    """Beside the states while V-information is measured: a group of layers, standardised, and one on the way."""
    layer = 4 * tokens * width
    return max(layer, min(READER_BYTES, (layers + 1) * layer)) + layer


def covariance_bytes(width: int, tokens: int) -> int:
    """Beside the states while components are computed: a layer in float64, its covariance and eigenvectors."""
    return 8 * (tokens * width + 4 * width**2)
