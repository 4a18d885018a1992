"""Self-BLEU: how far a set of texts repeats itself, exactly and in one pass over a table of n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError
from mspgt.text.words import words_and_marks

ORDERS = 4
EPSILON = 0.1  # stands for a count of 0 (method 1 of Chen & Cherry 2014)

Array = NDArray[np.float64]


def self_bleu(texts: Sequence[str] | Sequence[Sequence[str]]) -> float:
    """BLEU-4 of each text against all others, averaged, in [0, 1]; lower is more diverse (Zhu et al. 2018).

    Texts are split into words and single punctuation marks, case kept, unless they come as lists of tokens.
    Uniform weights; an n-gram precision of 0 counts as 0.1 matches (smoothing method 1 of Chen & Cherry 2014);
    the brevity penalty takes the other text nearest in length, the shorter of two. Empty texts are left out.

    Example:
        >>> self_bleu(["the cat sat on the mat", "the cat sat on the mat"])
        1.0

    Raises:
        InputError: fewer than two texts with a token.
    """
    scores = self_bleu_scores(texts)
    if np.isnan(scores).all():
        raise InputError("Self-BLEU compares at least two texts that are not empty; give more texts.")
    return float(np.nanmean(scores))


def self_bleu_scores(texts: Sequence[str] | Sequence[Sequence[str]]) -> Array:
    """BLEU-4 of each text against all others, (texts,); NaN for an empty text or one without another."""
    split = tokens_of(texts)
    scores = np.full(len(split), np.nan)
    whole = [number for number, tokens in enumerate(split) if tokens]
    if len(whole) > 1:
        lengths, orders = ngrams_of_orders([split[number] for number in whole])
        matches = [_clipped(*order, len(whole)) for order in orders]
        scores[whole] = bleu(matches, lengths, nearest_other(lengths))
    return scores


def tokens_of(texts: Sequence[str] | Sequence[Sequence[str]]) -> list[list[str]]:
    """Words and single punctuation marks of each text, case kept; lists of tokens stay as they are."""
    if isinstance(texts, str):
        raise InputError("Expected a sequence of texts, found a single string; pass [text, …].")
    return [words_and_marks(text) if isinstance(text, str) else list(text) for text in texts]


def ngrams_of_orders(
    split: Sequence[Sequence[str]],
) -> tuple[NDArray[np.intp], list[tuple[NDArray[np.intp], NDArray[np.intp]]]]:
    """Tokens of each text, (texts,), and for n = 1..4 the number of every n-gram in turn and of its text."""
    lengths = np.array([len(tokens) for tokens in split])
    vocabulary: dict[str, int] = {}
    words = np.array([vocabulary.setdefault(token, len(vocabulary)) for tokens in split for token in tokens])
    owner = np.repeat(np.arange(len(split)), lengths)
    last = np.repeat(np.cumsum(lengths), lengths)  # one past the last word of each word's text
    grams, orders = words, []
    for order in range(1, ORDERS + 1):
        starts = np.flatnonzero(np.arange(len(words)) + order <= last)
        if order > 1:
            # An n-gram is known by its first n−1 words, numbered without gaps, and its last.
            grams[starts] = grams[starts] * len(vocabulary) + words[starts + order - 1]
        _, numbered = np.unique(grams[starts], return_inverse=True)
        grams = np.zeros_like(words)
        grams[starts] = numbered
        orders.append((numbered, owner[starts]))
    return lengths, orders


def bleu(matches: Sequence[Array], lengths: NDArray[np.intp], closest: NDArray[Any]) -> Array:
    """BLEU-4 from matched n-grams of orders 1 to 4, tokens of each text, and of the other nearest in length.

    Arrays (texts, …) of shapes that go together.
    """
    logs = sum(
        np.log(np.where(matched > 0, matched, EPSILON) / np.maximum(lengths - order, 1))
        for order, matched in enumerate(matches)
    )
    penalty = np.where(lengths > closest, 0.0, 1 - closest / lengths)
    # Without a single common word BLEU is 0 by definition, whatever the smoothing.
    found: Array = np.where(matches[0] > 0, np.exp(logs / ORDERS + penalty), 0.0)
    return found


def _clipped(grams: NDArray[np.intp], owner: NDArray[np.intp], texts: int) -> Array:
    """How many n-grams of each text some other text matches, counts clipped as BLEU does, (texts,).

    The most that any *other* text holds of an n-gram is the largest count, or for its owner the second largest.
    """
    pairs, counts = np.unique(grams * np.int64(texts) + owner, return_counts=True)
    gram, text = np.divmod(pairs, texts)
    order = np.lexsort((-counts, gram))
    gram, text, counts = gram[order], text[order], counts[order]
    again = gram[1:] == gram[:-1]
    largest = np.r_[True, ~again][: len(gram)]  # in each n-gram's run the largest count stands first
    others = counts[largest][largest.cumsum() - 1]
    others[largest] = np.r_[np.where(again, counts[1:], 0), 0][: len(gram)][largest]
    matches = np.minimum(counts, others).astype(np.float64)
    return np.bincount(text, weights=matches, minlength=texts).astype(np.float64)


def nearest_other(lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """The length of the other text nearest in length to each, the shorter of two equally near, (texts,)."""
    order = np.argsort(lengths, kind="stable")
    ranked = lengths[order]
    below, above = np.r_[ranked[0], ranked[:-1]], np.r_[ranked[1:], ranked[-1]]
    shorter = ranked - below <= above - ranked
    shorter[0], shorter[-1] = False, True
    nearest = np.empty_like(lengths)
    nearest[order] = np.where(shorter, below, above)
    return nearest
