"""Stacks of tokens with known similarity of updates, through the code that measures models.

Every token of every document gets an update from each block: a Gaussian process over the path of blocks, part of it
shared by its document, and a part that the block writes alone. The similarity of two blocks' updates is then known,
and so is where boundaries were planted.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mspgt.signals.similarity import LIMIT_2, WITHOUT_TOP_WORD, UpdateSimilarity, update_similarity

Array = NDArray[np.float64]

WIDTH = 128
ALONE = 0.3
TOP_WORD = 0.15  # share of tokens that are the most frequent word


@dataclass(frozen=True)
class Tokens:
    """States (layers+1, tokens, width), layer 0 without content; the document of each token; the frequent word."""

    hidden: NDArray[np.float32]
    document: NDArray[np.int64]
    top: NDArray[np.bool_]


def tokens_of(
    steps: Array,
    *,
    documents: int = 60,
    tokens: int = 900,
    shared: float = 0.3,
    alone: float = ALONE,
    word_steps: Array | None = None,
    rng: np.random.Generator,
) -> Tokens:
    """Tokens that blocks write to.

    Args:
        steps: (L−1,) lasting change between neighbouring blocks, in −log CKA.
        shared: correlation of tokens of one document.
        alone: what each block writes alone, in −log CKA.
        word_steps: (L−1,) other steps for the tokens of the most frequent word.
    """
    layers = len(steps) + 1
    document = np.sort(rng.integers(0, documents, tokens))
    top = rng.random(tokens) < TOP_WORD
    updates = np.sqrt(1 - shared) * _process(steps, tokens, rng)
    if word_steps is not None:
        updates[:, top] = np.sqrt(1 - shared) * _process(word_steps, int(top.sum()), rng)
        # One direction of its own for the word, so that it counts for more than its share.
        updates[:, top] += 6 * _process(word_steps, 1, rng)
    updates += np.sqrt(shared) * _process(steps, documents, rng)[:, document]
    common = np.exp(-alone / 2)
    own = rng.standard_normal((layers, tokens, WIDTH))
    updates = np.sqrt(common) * updates + np.sqrt(1 - common) * own
    sizes = rng.uniform(0.5, 2.0, layers)[:, None, None]
    hidden = np.concatenate([np.zeros((1, tokens, WIDTH)), np.cumsum(sizes * updates, axis=0)])
    return Tokens(hidden.astype(np.float32), document, top)


def measured(tokens: Tokens, rng: np.random.Generator) -> UpdateSimilarity:
    """Their similarity as measured; a fiftieth of the tokens count as large."""
    kept = {LIMIT_2: rng.random(len(tokens.document)) > 0.02, WITHOUT_TOP_WORD: ~tokens.top}
    documents, numbered = np.unique(tokens.document, return_inverse=True)
    return update_similarity(
        torch.from_numpy(tokens.hidden), torch.from_numpy(numbered), len(documents), kept
    )


def _process(steps: Array, count: int, rng: np.random.Generator) -> Array:
    """(L, count, width): a stationary Gaussian process whose correlation falls by exp(−step / 2) a block."""
    rows = [rng.standard_normal((count, WIDTH))]
    for step in steps:
        keep = np.exp(-step / 2)
        rows.append(keep * rows[-1] + np.sqrt(1 - keep**2) * rng.standard_normal((count, WIDTH)))
    return np.stack(rows)
