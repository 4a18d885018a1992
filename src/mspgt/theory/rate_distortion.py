"""Multipliers of discrete sources: what one more nat of rate saves, for a planted variable itself.

Equation 23 speaks of the entropy of a scale's own variable. The latents that an H-VIB learns without labels are other
variables (one carries 3.6 nats where H(I | G) ≤ 2.4), so their rates cannot be held against that entropy. The planted
sources of a language are known exactly, and so is their rate–distortion function: with Hamming distortion (the share
of symbols that come out wrong) the multiplier at rate R is β = −dD/dR, in errors a nat. Under log-loss D = H − R, so
that β is 1 at every rate below the entropy, whatever the entropy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from mspgt.errors import InputError
from mspgt.synthetic.grammar import TEMPLATES
from mspgt.synthetic.triscale import TriScale

Array = NDArray[np.float64]
# A source is a set of independent letters: (how many of them in a draw on average, their law).
Source = Sequence[tuple[float, Array]]

SMALLEST, LARGEST = 1e-2, 1e2  # multipliers that are looked for


def hamming(law: Array, beta: float) -> tuple[float, float]:
    """Rate in nats and distortion, the share of errors, of a letter at multiplier β = −dD/dR; exact.

    The Kuhn–Tucker conditions that Blahut–Arimoto climbs to, solved: with e = exp(−1/β), output letters in use have
    e + (1 − e) q(y) proportional to p(y), and the likelier letters are in use (Erokhin 1958).
    """
    p = np.sort(np.asarray(law, dtype=np.float64))[::-1]
    p = p[p > 0]
    e = float(np.exp(-1.0 / beta))
    used = np.arange(1, len(p) + 1)
    share = p.cumsum() / (1.0 + (used - 1) * e)
    count = int(np.flatnonzero(p > share * e)[-1]) + 1
    total = np.where(np.arange(len(p)) < count, p / share[count - 1], e)
    output = np.maximum(total - e, 0.0) / (1.0 - e)
    distortion = float(p @ (1.0 - output / total))
    return max(float(-distortion / beta - p @ np.log(total)), 0.0), distortion


def rate_at(source: Source, beta: float) -> float:
    """Rate in nats of independent letters that share one multiplier."""
    return sum(count * hamming(law, beta)[0] for count, law in source)


def multiplier_at(source: Source, rate: float) -> float:
    """β at which the source takes that many nats; NaN where it has no more entropy than that, or rate is 0.

    Args:
        rate: nats a draw of all letters.
    """
    if not 0 < rate < entropy_of(source):
        return float("nan")

    def excess(log_beta: float) -> float:
        return rate_at(source, float(np.exp(log_beta))) - rate

    low, high = np.log(SMALLEST), np.log(LARGEST)
    if excess(low) < 0 or excess(high) > 0:
        return float("nan")
    return float(np.exp(brentq(excess, low, high, xtol=1e-8)))


def entropy_of(source: Source) -> float:
    """Entropy of a draw of all letters, in nats."""
    return float(sum(count * -np.sum(law[law > 0] * np.log(law[law > 0])) for count, law in source))


def planted_sources(language: TriScale) -> dict[str, Source]:
    """G, I given G and L given I of a language, as letters; G a document, I and L a sentence.

    L is the rank of the word in each slot and the number of each noun phrase; how many letters of a law there are is
    their mean over templates.

    Raises:
        InputError: templates given topic differ between topics by more than their order.
    """
    rows = np.sort(language.template_given_topic, axis=1)
    if not np.allclose(rows, rows[0]):
        raise InputError("Templates of every topic must follow one law up to their order.")
    template = language.template_given_topic.mean(axis=0)
    template_of, kinds = language.patterns
    first = np.unique(template_of, return_index=True)[1]
    counts = np.zeros(len(language.rank_law))
    for weight, row in zip(template, kinds[first], strict=True):
        np.add.at(counts, row[row >= 0], weight)
    letters = [(float(n), law[law > 0]) for n, law in zip(counts, language.rank_law, strict=True) if n > 0]
    merged: dict[tuple[float, ...], float] = {}
    for count, law in letters:
        if len(law) > 1:
            key = tuple(np.round(law, 12))
            merged[key] = merged.get(key, 0.0) + count
    numbers = float(template @ [len(one.agreeing) for one in TEMPLATES])
    words = [(count, np.array(law)) for law, count in merged.items()]
    return {
        "G": [(1.0, np.full(language.topics, 1 / language.topics))],
        "I": [(1.0, rows[0])],
        "L": [*words, (numbers, np.array([0.5, 0.5]))],
    }
