"""Self-BLEU under exchange of labels: what it would have been had some texts of two arms changed places.

Texts of an arm are each other's references, so that one exchange moves everybody's score and no share of a text
in the value can stand for it. Here the scores of every exchange are computed anew, all in a few products of sparse
matrices: the k-th copy of an n-gram in a text is matched where another text of its arm holds k copies too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from mspgt.interventions.diversity import bleu, nearest_other, ngrams_of_orders, tokens_of

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
AT_ONCE = 2**24  # numbers of a table of texts by exchanges


def exchanged_self_bleu(
    first: Sequence[str], second: Sequence[str], groups: ArrayLike, *, draws: int = 1999, seed: int = 0
) -> Array:
    """Self-BLEU of the second arm less that of the first, as observed and under random exchanges, (1 + draws,).

    Exchanges swap the paired texts of whole groups. Where all 2^groups are no more than `draws` + 1, each stands
    once, the observed one first. NaN where fewer than two pairs have words.

    Args:
        groups: (pairs,) document of each pair.
    """
    split = [tokens_of(first), tokens_of(second)]
    kept = [at for at, pair in enumerate(zip(*split, strict=True)) if all(pair)]
    if len(kept) < 2:
        return np.full(1, np.nan)
    _, group = np.unique(np.asarray(groups)[kept], return_inverse=True)
    swaps = _swaps(int(group.max()) + 1, draws, seed)[:, group]
    before, after = ([texts[at] for at in kept] for texts in split)
    step = max(1, AT_ONCE // (2 * len(kept)))
    return np.concatenate(
        [differences(before, after, swaps[at : at + step]) for at in range(0, len(swaps), step)]
    )


def _swaps(groups: int, draws: int, seed: int) -> Flags:
    """Which groups change places, (1 + draws, groups), none of them first."""
    if groups < 63 and 2**groups <= draws + 1:
        return (np.arange(2**groups)[:, None] >> np.arange(groups)) & 1 == 1
    drawn = np.random.default_rng(seed).integers(0, 2, size=(draws, groups), dtype=np.int8) == 1
    return np.concatenate([np.zeros((1, groups), dtype=np.bool_), drawn])


def differences(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]], swaps: Flags) -> Array:
    """Mean score of the second arm less that of the first after each exchange, (exchanges,).

    Args:
        first, second: tokens of paired texts, none empty.
        swaps: (exchanges, pairs) which pairs change places.
    """
    lengths, orders = ngrams_of_orders([*first, *second])
    inside = np.concatenate([swaps.T, ~swaps.T])  # in the second arm, (texts, exchanges)
    closest = np.empty(inside.shape)
    for at, arm in enumerate(inside.T):
        for side in (arm, ~arm):
            closest[side, at] = nearest_other(lengths[side])
    matches = [_matches(_copies(*order, len(lengths)), inside) for order in orders]
    scores = bleu(matches, lengths[:, None], closest)
    found: Array = np.where(inside, scores, -scores).sum(axis=0) / len(first)
    return found


def _copies(grams: NDArray[np.intp], owner: NDArray[np.intp], texts: int) -> sparse.csr_matrix:
    """Which texts hold the k-th copy of which n-gram, (texts, copies of n-grams that more than one text holds)."""
    pairs, counts = np.unique(grams * np.int64(texts) + owner, return_counts=True)
    gram, text = (np.repeat(part, counts) for part in np.divmod(pairs, texts))
    copy = np.arange(len(gram)) - np.repeat(counts.cumsum() - counts, counts)
    _, unit, size = np.unique(
        gram * np.int64(counts.max(initial=0) + 1) + copy, return_inverse=True, return_counts=True
    )
    shared = size[unit] > 1
    _, column = np.unique(unit[shared], return_inverse=True)
    ones = np.ones(int(shared.sum()), dtype=np.float32)
    return sparse.csr_matrix((ones, (text[shared], column)), shape=(texts, int(column.max(initial=-1)) + 1))


def _matches(copies: sparse.csr_matrix, inside: Flags) -> Array:
    """How many n-grams of each text another text of its arm matches, (texts, exchanges)."""
    held = copies.T @ inside.astype(np.float32)
    others = np.asarray(copies.sum(axis=0)).reshape(-1, 1) - held
    twice = [copies @ (count > 1).astype(np.float32) for count in (held, others)]
    return np.where(inside, *twice).astype(np.float64)
