"""Labelled text and gains whose truth is known."""

from __future__ import annotations

import numpy as np

from mspgt.scales.gains import Gains
from mspgt.scales.tasks import TASKS

SCALE_OF = {task.name: task.scale for task in TASKS}
DECIDING = tuple(task.name for task in TASKS if task.scale in ("L", "I", "G"))
ENTROPY = 3.0


def logistic(centre: float, width: float, layers: int) -> np.ndarray:
    """A rise from 0 at layer 0 to 1 at the last, steepest at `centre` (share of the depth)."""
    x = np.arange(layers + 1) / layers
    rise = 1 / (1 + np.exp(-(x - centre) / width))
    rise -= rise[0]
    return rise / rise[-1]


def planted_gains(
    centres: dict[str, float],
    *,
    layers: int = 24,
    documents: int = 120,
    seeds: int = 2,
    noise: float = 0.15,
    amplitude: dict[str, float] | None = None,
    seed: int = 0,
) -> Gains:
    """Every deciding task rises at the centre of its scale; documents scatter around it, layers correlated."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(40, 80, size=(documents, 1)) * np.ones((1, len(DECIDING)))
    size = {"L": 0.5, "I": 0.4, "G": 0.3, **(amplitude or {})}
    sums = np.zeros((seeds, documents, len(DECIDING), layers + 1))
    for i, task in enumerate(DECIDING):
        scale = SCALE_OF[task]
        curve = size[scale] * logistic(centres[scale], 0.06, layers)
        common = noise * rng.normal(size=(documents, 1))
        own = noise * rng.normal(size=(documents, layers + 1)) / 3
        scatter = (common + own) * np.minimum(1, np.arange(layers + 1))
        for number in range(seeds):
            reader = 0.01 * rng.normal(size=(documents, layers + 1)) * np.minimum(1, np.arange(layers + 1))
            sums[number, :, i] = counts[:, :1] * (curve + scatter + reader)
    return Gains(
        tasks=DECIDING, sums=sums, counts=counts, baseline=np.zeros((seeds, documents, len(DECIDING))),
        entropy=np.full(len(DECIDING), ENTROPY), classes=(8,) * len(DECIDING), off={},
    )  # fmt: skip
