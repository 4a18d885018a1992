"""Lexical richness of one text: TTR as in the paper, and two measures that do not sink with length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

TTR_WORDS = 200
FACTOR_END = 0.72


def ttr(tokens: Sequence[str]) -> float:
    """Type–token ratio of the first 200 words, in (0, 1]; NaN without a word.

    It sinks with length, so that texts of unequal length are compared by `mattr` or `mtld`.
    """
    part = tokens[:TTR_WORDS]
    return len(set(part)) / len(part) if part else np.nan


def mattr(tokens: Sequence[str], window: int) -> float:
    """Type–token ratio averaged over every stretch of `window` words (Covington & McFall 2010).

    NaN for a text shorter than the window.
    """
    if len(tokens) < window:
        return np.nan
    inside = Counter(tokens[:window])
    types = total = len(inside)
    for leaving, entering in zip(tokens, tokens[window:], strict=False):
        inside[leaving] -= 1
        types -= inside[leaving] == 0
        types += inside[entering] == 0
        inside[entering] += 1
        total += types
    return total / (len(tokens) - window + 1) / window


def mtld(tokens: Sequence[str]) -> float:
    """Words it takes for the type–token ratio to fall to 0.72, both directions averaged (McCarthy & Jarvis 2010).

    NaN without a word, or where no word repeats and the ratio never falls at all.
    """
    return (_mtld_forward(tokens) + _mtld_forward(tokens[::-1])) / 2


def _mtld_forward(tokens: Sequence[str]) -> float:
    factors, seen, length, ratio = 0.0, set[str](), 0, 1.0
    for token in tokens:
        seen.add(token)
        length += 1
        ratio = len(seen) / length
        if ratio <= FACTOR_END:
            factors, seen, length, ratio = factors + 1, set(), 0, 1.0
    if length:
        factors += (1 - ratio) / (1 - FACTOR_END)
    return len(tokens) / factors if factors else np.nan
