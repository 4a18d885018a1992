"""Sentence structure: how unequal the sentences of a text are in length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mspgt.text.sentences import split_sentences
from mspgt.text.words import words

Array = NDArray[np.float64]


def sentence_lengths(text: str) -> Array:
    """Words of each sentence of a text, in order, (sentences,); a sentence without a word does not count.

    Sentences are taken as generated: the first goes on where the prompt broke off, the last may be cut short.
    """
    lengths = [len(words(sentence)) for sentence in split_sentences(text)]
    return np.array([length for length in lengths if length], dtype=np.float64)


def length_moments(texts: Sequence[str]) -> Array:
    """Count, sum and sum of squares of the sentence lengths of each text, (texts, 3).

    Their totals give the variance pooled over all sentences of a corpus.
    """
    return np.array(
        [(len(x), x.sum(), np.square(x).sum()) for x in map(sentence_lengths, texts)], dtype=np.float64
    ).reshape(-1, 3)


def middle(moments: Array) -> Array:
    """The whole number nearest to the mean behind moments (..., 3), (...,); 0 where nothing was counted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nan_to_num(np.round(moments[..., 1] / moments[..., 0])))


def moved(moments: Array, about: Array) -> Array:
    """Moments (..., 3) of x − about: a variance taken from these keeps its digits, however far x lies from 0.

    Exact where x and `about` are whole numbers, as long as the sums are.
    """
    count, total, square = np.moveaxis(moments, -1, 0)
    return np.stack([count, total - about * count, square - about * (2 * total - about * count)], axis=-1)


def variance_within(moments: Array) -> Array:
    """Variance of the sentence lengths of each text (over n − 1), (texts,); NaN below two sentences."""
    count, total, square = moved(moments, middle(moments)).T
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (square - total**2 / count) / (count - 1)
    return np.where(count >= 2, np.maximum(variance, 0), np.nan)
