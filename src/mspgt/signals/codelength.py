"""How many bits the labels of train cost, given the representations: the online code of Voita & Titov (2020)."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mspgt.signals.classifier import Labelled, Recipe, fit

# Loss, unlike F1, gains nothing from more: see `Recipe.batches`.
BATCHES = 64
# Each part is as long as all before it: 1/64, 1/64, 1/32, … 1/2 of the data. Voita & Titov start at 1/1000, where
# the first parts cost little to code and most of the steps to train.
PARTS = 7
MOST_TRAIN = 8192  # examples that are coded
MOST_DEV = 1024  # examples that choose a probe's epoch


def online_codelength(
    train: Labelled, dev: Labelled, classes: int, recipe: Recipe, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Bits an example, by layer: (layers,); coded are the first 8,192 of `train` at most.

    The first part is coded uniformly (log2 classes bits an example); each next one with the probabilities of a
    probe trained on all parts before it, stopped on the loss of dev. The uniform code costs log2(classes).
    """
    recipe = replace(recipe, batches=BATCHES)
    train, dev = train[:MOST_TRAIN], dev[:MOST_DEV]
    ends = sorted({max(1, len(train) >> halvings) for halvings in range(PARTS)})
    bits = np.full(len(train.table), ends[0] * math.log2(classes))
    for known, end in pairwise(ends):
        probe = fit(train[:known], dev, classes, recipe, rng, keep="loss")
        bits += probe.bits(train[known:end])
    return bits / len(train)
