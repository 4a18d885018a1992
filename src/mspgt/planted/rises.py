"""Activations in which three labels become readable at known layers, through the readers of functional scales.

Every word of every document has a label of each scale, drawn evenly; a layer holds the mean of each label, times its
rise there, under noise of words and documents. Where a label becomes usable is then known, and so is the order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from mspgt.scales.gains import Gains
from mspgt.scales.readers import arrange, crossfit, prior

Array = NDArray[np.float64]

# Where Local, Intermediate and Global rise, as shares of the depth.
RISES = {"ordered": (0.2, 0.45, 0.7), "tied": (0.45, 0.45, 0.45)}
LAYERS, WIDTH, DOCUMENTS, WORDS = 12, 24, 40, 30
STEEPNESS = 0.07  # width of a rise, as a share of the depth
# Task, its scale, its classes and the size of their means.
PLANTED = (("previous", "L", 4, 1.3), ("relation", "I", 4, 1.3), ("topic_beyond_bag", "G", 3, 0.8))


def logistic(layers: int, at: float, width: float) -> Array:
    """A rise from 0 at layer 0 to 1 at the last, (layers + 1,), steepest at `at`; both in shares of the depth."""
    x = np.arange(layers + 1) / layers
    curve = 1 / (1 + np.exp(-(x - at) / width))
    return np.asarray((curve - curve[0]) / (curve[-1] - curve[0]))


def stack_gains(centres: Sequence[float], seed: int, seeds: int = 2) -> Gains:
    """One planted stack through the readers, each task with its own directions, document noise included.

    Args:
        centres: where Local, Intermediate and Global rise, as shares of the depth.
        seeds: deals of the documents to readers.
    """
    fixed, rng = np.random.default_rng(3), np.random.default_rng(seed)
    words = DOCUMENTS * WORDS
    document = np.repeat(np.arange(DOCUMENTS), WORDS)
    labels, means = [], []
    for _, scale, classes, size in PLANTED:
        drawn = (
            rng.integers(classes, size=DOCUMENTS)[document]
            if scale == "G"
            else rng.integers(classes, size=words)
        )
        labels.append(drawn)
        means.append(size * (2 / WIDTH**0.5 * fixed.normal(size=(classes, WIDTH)))[drawn])
    noise = 0.8 * rng.normal(size=(words, WIDTH)) + 0.3 * rng.normal(size=(DOCUMENTS, WIDTH))[document]
    rises = [logistic(LAYERS, at, STEEPNESS) for at in centres]
    counts = np.full((DOCUMENTS, len(labels)), float(WORDS))
    sums = np.zeros((seeds, DOCUMENTS, len(labels), LAYERS + 1))
    readings = [
        arrange(labels, [c for *_, c, _ in PLANTED], document, s, torch.device("cpu")) for s in range(seeds)
    ]
    for layer in range(1, LAYERS + 1):
        states = noise + 0.5 * rng.normal(size=(words, WIDTH))
        states = states + sum(r[layer] * mean for r, mean in zip(rises, means, strict=True))
        for s, reading in enumerate(readings):
            known = prior(reading)
            read = crossfit(torch.from_numpy(states[reading.order]).float(), reading, known)
            for task, (better, base) in enumerate(zip(read, known, strict=True)):
                right = reading.labels[task].unsqueeze(1)
                bits = (better.gather(1, right) - base.gather(1, right)).squeeze(1) / np.log(2)
                sums[s, :, task, layer] = np.bincount(reading.document, weights=bits, minlength=DOCUMENTS)
    return Gains(
        tuple(name for name, *_ in PLANTED),
        sums,
        counts,
        np.zeros(sums.shape[:3]),
        np.log2([classes for *_, classes, _ in PLANTED]),
        tuple(c for *_, c, _ in PLANTED),
        {},
    )
