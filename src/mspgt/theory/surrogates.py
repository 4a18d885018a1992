"""Surrogates that are Markov by construction: layer l drawn anew given layer l + 1, and nothing else.

Gaussian conditional information between layers l and l + 2 given l + 1 is not 0 in a nonlinear Markov chain: what a
linear reading of layer l + 1 leaves of both neighbours is a function of layer l + 1, the same one for both. How much
that is depends on the blocks, so it is measured on states that went through the same blocks: layers l + 1 and l + 2
as they are, and layer l replaced by a draw from its law given layer l + 1. That law is a nonlinear regression,
cross-fitted over documents, plus the residual of another token whose layer l + 1 is near.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]

FEATURES = 200  # random ones of each kind, beside the linear ones
GAIN = 2.0  # of their weights, in standard deviations of a layer
RIDGE = 1e-4  # of the mean square of a feature
FOLDS = 5
NEIGHBOURS = 20  # among which the residual is drawn
NEAR_IN = 4  # leading components of the layer, in which nearness is measured: in more, no token is near


def markov_surrogates(
    before: Array, middle: Array, document: NDArray[np.int64], draws: int, rng: np.random.Generator
) -> Iterator[Array]:
    """Draws of layer l given layer l + 1, (rows, k) each, independent of layer l + 2 given l + 1.

    Args:
        before, middle: (rows, k) layers l and l + 1 at the same tokens, components by falling variance.
        document: (rows,) document of each token; regressions are cross-fitted over documents, and residuals come from
            other documents.
    """
    features = _features(middle, rng)
    _, index = np.unique(document, return_inverse=True)
    fold = index % min(FOLDS, int(index.max()) + 1)
    expected = np.empty_like(before)
    for held_out in np.unique(fold):
        own = fold == held_out
        expected[own] = features[own] @ _ridge(features[~own], before[~own])
    residual = before - expected
    near = middle[:, :NEAR_IN]
    near = (near - near.mean(0)) / np.maximum(near.std(0), 1e-300)
    count = min(NEIGHBOURS, len(near) - 1)
    neighbours = cKDTree(near).query(near, k=count + 1)[1][:, 1:]
    # A neighbour of the same document may share what layer l says beyond layer l + 1.
    allowed = index[neighbours] != index[:, None]
    allowed[~allowed.any(1)] = True
    for _ in range(draws):
        pick = np.where(allowed, rng.random(allowed.shape), -1.0).argmax(1)
        yield expected + residual[neighbours[np.arange(len(near)), pick]]


def _features(x: Array, rng: np.random.Generator) -> Array:
    """Linear terms of a layer and of its RMS-normalised states, and SiLU units of both: what blocks are made of."""
    scaled = (x - x.mean(0)) / np.maximum(x.std(0), 1e-300)
    normalised = x / np.maximum(np.sqrt(np.square(x).mean(1, keepdims=True)), 1e-300)
    columns = [np.ones((len(x), 1)), scaled, normalised]
    for base in (scaled, normalised):
        weights = GAIN * rng.standard_normal((x.shape[1], FEATURES)) / np.sqrt(x.shape[1])
        inside = base @ weights + rng.uniform(-1.0, 1.0, FEATURES)
        columns.append(inside / (1.0 + np.exp(-np.clip(inside, -500, 500))))
    return np.hstack(columns)


def _ridge(features: Array, targets: Array) -> Array:
    square = features.T @ features
    square[np.diag_indices_from(square)] += RIDGE * np.trace(square) / len(square)
    return np.asarray(np.linalg.solve(square, features.T @ targets))
