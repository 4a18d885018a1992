"""The metrics of Experiment 2 as sums over texts: whatever a corpus's number is, resampling its texts is adding.

Every metric keeps per text the few numbers from whose totals its value follows. One law turns totals into the
value and values into the share of each text in it, so that intervals and tests are the same for all metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.interventions.diversity import self_bleu_scores
from mspgt.interventions.lexical import mattr, mtld, ttr
from mspgt.interventions.structure import length_moments, variance_within
from mspgt.text.words import words

Array = NDArray[np.float64]

# Metric → law: of totals (a, b) `ratio` is a / b and `exp` is exp(a / b); of count, sum and sum of squares
# `variance` is the variance. A mean over texts is a ratio with b = 1.
LAWS = {
    "self_bleu": "ratio",
    "length_variance": "variance",
    "length_variance_text": "ratio",
    "ttr": "ratio",
    "mattr": "ratio",
    "mtld": "ratio",
    "coherence": "ratio",
    "grammar": "ratio",
    "harper": "ratio",
    "perplexity": "exp",
    "length": "ratio",
}
TEXT_METRICS = tuple(name for name in LAWS if name not in ("coherence", "grammar", "harper"))
MATTR_WINDOW = 50


@dataclass(frozen=True)
class Scores:
    """One metric over the texts of one arm: `sums` (texts, 2 or 3), all 0 for a text it cannot be computed on."""

    law: str
    sums: Array

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Which texts it could be computed on, (texts,)."""
        count = 0 if self.law == "variance" else 1
        known: NDArray[np.bool_] = self.sums[:, count] > 0
        return known

    def __neg__(self) -> Scores:
        """The metric with its sign turned; for ratios."""
        return Scores(self.law, self.sums * np.array([-1.0, 1.0]))


def mean_scores(values: ArrayLike) -> Scores:
    """Scores of a metric that is a mean over texts; NaN where it could not be computed."""
    found = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(found)
    return Scores("ratio", np.stack([np.where(known, found, 0.0), known.astype(np.float64)], axis=1))


def rate_scores(errors: ArrayLike, texts: Sequence[str]) -> Scores:
    """Errors per 100 words over all texts; a text without a word counts for neither."""
    lengths = np.array([len(words(text)) for text in texts], dtype=np.float64)
    counted = np.where(lengths > 0, np.asarray(errors, dtype=np.float64), 0.0)
    return Scores("ratio", np.stack([100 * counted, lengths], axis=1))


def value(law: str, totals: Array) -> Array:
    """The metric from totals (..., 2 or 3); NaN where nothing was summed."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if law == "variance":
            count, total, square = np.moveaxis(totals, -1, 0)
            return np.where(count > 1, (square - total**2 / count) / (count - 1), np.nan)
        ratio = totals[..., 0] / totals[..., 1]
        return np.exp(ratio) if law == "exp" else ratio


def shares(law: str, sums: Array, at: Array) -> Array:
    """The first-order share of each text in the value, (texts,), linearised at the mean totals `at` (2 or 3,).

    Their mean difference between two sets of texts is, to first order, the difference of the values; for a mean
    over texts it is exactly that.
    """
    if law == "variance":
        count, total, square = at
        centre = total / count
        spread = square / count - centre**2
        return (sums @ np.array([centre**2 - spread, -2 * centre, 1.0])) / count
    ratio = at[0] / at[1]
    slope = np.exp(ratio) if law == "exp" else 1.0
    share: Array = slope * (sums[:, 0] - ratio * sums[:, 1]) / at[1]
    return share


def text_scores(
    texts: Sequence[str], nats: ArrayLike, tokens: ArrayLike, *, mattr_window: int = MATTR_WINDOW
) -> dict[str, Scores]:
    """Every metric that needs no other program, over the texts of one arm.

    `self_bleu` is the mean over texts of each text's BLEU against all others of the arm. `length_variance` is
    pooled over all sentences of the arm, `length_variance_text` the mean of each text's own. `perplexity` is
    that of all tokens together under the unperturbed model. `length` counts words.

    Args:
        nats: log-probability of each text under the unperturbed model, (texts,).
        tokens: generated tokens of each text, (texts,).
        mattr_window: words; a text of 128 tokens has about 90, so a window of 100 would measure few.
    """
    split = [words(text) for text in texts]
    moments = length_moments(texts)
    count = np.asarray(tokens, dtype=np.float64)
    surprise = np.where(count > 0, -np.asarray(nats, dtype=np.float64), 0.0)
    return {
        "self_bleu": mean_scores(self_bleu_scores(texts)),
        "length_variance": Scores("variance", moments),
        "length_variance_text": mean_scores(variance_within(moments)),
        "ttr": mean_scores([ttr(one) for one in split]),
        "mattr": mean_scores([mattr(one, mattr_window) for one in split]),
        "mtld": mean_scores([mtld(one) for one in split]),
        "perplexity": Scores("exp", np.stack([surprise, count], axis=1)),
        "length": mean_scores([len(one) for one in split]),
    }
