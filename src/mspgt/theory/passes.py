"""What measuring sensitivity costs, counted without loading anything that computes it."""

from __future__ import annotations


def passes(
    texts: int, layers: int, sigmas: int, arms: int, *, draws: int = 1, label_draws: int = 4, hessian_draws: int = 8
) -> tuple[int, int]:  # fmt: skip
    """Forward and backward passes of texts that `measure_sensitivity` makes."""
    backward = label_draws + 1 + 2 * hessian_draws
    forward = 2 + 2 * hessian_draws + 2 * draws * (layers * sigmas + arms)
    return texts * forward, texts * backward
