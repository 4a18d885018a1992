"""The metrics of Experiment 2, each declared once, as sums over texts: resampling a corpus's texts is adding.

Every metric keeps per text the few numbers from whose totals its value follows. One law turns totals into the
value and values into the share of each text in it, so that intervals and tests are the same for all metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.interventions.diversity import self_bleu_scores
from mspgt.interventions.lexical import mattr, mtld, ttr
from mspgt.interventions.structure import length_moments, middle, moved, variance_within
from mspgt.text.words import words

Array = NDArray[np.float64]
# Of totals (a, b) `ratio` is a / b and `exp` is exp(a / b); of count, sum and sum of squares `variance` is the
# variance. A mean over texts is a ratio with b = 1.
Law = Literal["ratio", "exp", "variance"]

MATTR_WINDOW = 50


@dataclass(frozen=True)
class Scores:
    """One metric over the texts of one arm: `sums` (texts, 2 or 3), all 0 for a text it cannot be computed on.

    `exchanged`, of a metric whose texts are each other's references: its difference to baseline as observed, and
    under random exchanges of documents between the two, (1 + draws,); nothing else can say what chance does to it.
    """

    law: Law
    sums: Array
    exchanged: Array | None = None

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Which texts it could be computed on, (texts,)."""
        count = 0 if self.law == "variance" else 1
        known: NDArray[np.bool_] = self.sums[:, count] > 0
        return known

    def __neg__(self) -> Scores:
        """The metric with its sign turned; for ratios."""
        turned = None if self.exchanged is None else -self.exchanged
        return Scores(self.law, self.sums * np.array([-1.0, 1.0]), turned)


def mean_scores(values: ArrayLike) -> Scores:
    """Scores of a metric that is a mean over texts; NaN where it could not be computed."""
    found = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(found)
    return Scores("ratio", np.stack([np.where(known, found, 0.0), known.astype(np.float64)], axis=1))


def rate_scores(errors: ArrayLike, texts: Sequence[str]) -> Scores:
    """Errors per 100 words over all texts; one without a word, or whose errors are NaN (not counted), is left out."""
    found = np.asarray(errors, dtype=np.float64)
    lengths = np.where(np.isnan(found), 0.0, [len(words(text)) for text in texts])
    counted = np.where(lengths > 0, found, 0.0)
    return Scores("ratio", np.stack([100 * counted, lengths], axis=1))


def value(law: Law, totals: Array) -> Array:
    """The metric from totals (..., 2 or 3); NaN where nothing was summed."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if law == "variance":
            count, total, square = np.moveaxis(moved(totals, middle(totals)), -1, 0)
            return np.where(count > 1, (square - total**2 / count) / (count - 1), np.nan)
        ratio = totals[..., 0] / totals[..., 1]
        return np.exp(ratio) if law == "exp" else ratio


def shares(law: Law, sums: Array, at: Array) -> Array:
    """The first-order share of each text in the value, (texts,), linearised at the mean totals `at` (2 or 3,).

    Their mean difference between two sets of texts is, to first order, the difference of the values; for a mean
    over texts it is exactly that.
    """
    if law == "variance":
        about = middle(at)
        count, total, square = moved(at, about)
        centre = total / count
        spread = square / count - centre**2
        return (moved(sums, about) @ np.array([centre**2 - spread, -2 * centre, 1.0])) / count
    ratio = at[0] / at[1]
    slope = np.exp(ratio) if law == "exp" else 1.0
    share: Array = slope * (sums[:, 0] - ratio * sums[:, 1]) / at[1]
    return share


@dataclass(frozen=True)
class Written:
    """The texts of one arm, and what a metric may ask of them.

    nats: log-probability of each text under the unperturbed model, (texts,). tokens: generated ones, (texts,).
    window: words of MATTR; a text of 128 tokens has about 90, so a window of 100 would measure few.
    """

    texts: Sequence[str]
    nats: ArrayLike
    tokens: ArrayLike
    window: int = MATTR_WINDOW

    @cached_property
    def words(self) -> list[list[str]]:
        return [words(text) for text in self.texts]

    @cached_property
    def moments(self) -> Array:
        return length_moments(self.texts)


@dataclass(frozen=True)
class Needs:
    """A program that a metric cannot do without: why it is off, and what its numbers a text come to."""

    off: str
    scores: Callable[[ArrayLike, Sequence[str]], Scores]


@dataclass(frozen=True)
class Metric:
    """One metric: all that an experiment, a page or a prediction must know of it."""

    key: str  # in results.json
    label: str  # in charts and tables
    unit: str
    range: tuple[float, float]
    more: str  # what a larger value says of the texts
    law: Law
    score: Callable[[Written], Scores] | None = None  # None: of a checker, or the negative of another
    needs: Needs | None = None
    negative_of: str | None = None
    paper: bool = False  # one of the five of the paper's Table 2


def _means(values: ArrayLike, _: Sequence[str]) -> Scores:
    return mean_scores(values)


def _perplexity(written: Written) -> Scores:
    count = np.asarray(written.tokens, dtype=np.float64)
    surprise = np.where(count > 0, -np.asarray(written.nats, dtype=np.float64), 0.0)
    return Scores("exp", np.stack([surprise, count], axis=1))


ERRORS = "errors per 100 words"
# In the order of the paper's figures 7 to 9, then what stands beside them.
METRICS = (
    Metric(
        "diversity", "diversity (−Self-BLEU)", "−BLEU-4", (-1, 0), "texts share less with each other", "ratio",
        negative_of="self_bleu", paper=True,
    ),
    Metric(
        "length_variance", "sentence-length variance", "words²", (0, np.inf), "sentences differ more in length",
        "variance", lambda written: Scores("variance", written.moments), paper=True,
    ),
    Metric(
        "ttr", "type–token ratio", "types a word", (0, 1), "words repeat less", "ratio",
        lambda written: mean_scores([ttr(one) for one in written.words]), paper=True,
    ),
    Metric(
        "coherence", "coherence (SBERT)", "cosine", (-1, 1), "neighbouring sentences are more alike", "ratio",
        needs=Needs("interventions.encoder is null", _means), paper=True,
    ),
    Metric(
        "grammar", f"{ERRORS} (LanguageTool)", ERRORS, (0, np.inf), "more errors", "ratio",
        needs=Needs(
            "interventions.languagetool is null; give the URL of a LanguageTool server, or `local`", rate_scores
        ),
        paper=True,
    ),
    Metric(
        "self_bleu", "Self-BLEU", "BLEU-4", (0, 1), "texts share more with each other", "ratio",
        lambda written: mean_scores(self_bleu_scores(written.texts)),
    ),
    Metric(
        "length_variance_text", "variance within a text", "words²", (0, np.inf),
        "sentences of a text differ more in length", "ratio",
        lambda written: mean_scores(variance_within(written.moments)),
    ),
    Metric(
        "mattr", "MATTR", "types a word", (0, 1), "words repeat less within a window", "ratio",
        lambda written: mean_scores([mattr(one, written.window) for one in written.words]),
    ),
    Metric(
        "mtld", "MTLD", "words", (0, np.inf), "words repeat less", "ratio",
        lambda written: mean_scores([mtld(one) for one in written.words]),
    ),
    Metric(
        "harper", f"{ERRORS} (Harper)", ERRORS, (0, np.inf), "more errors", "ratio",
        needs=Needs("interventions.harper is false", rate_scores),
    ),
    Metric(
        "perplexity", "perplexity, unperturbed model", "", (1, np.inf), "less expected without noise", "exp",
        _perplexity,
    ),
    Metric(
        "length", "words a text", "words", (0, np.inf), "texts are longer", "ratio",
        lambda written: mean_scores([len(one) for one in written.words]),
    ),
)  # fmt: skip
BY_KEY = {metric.key: metric for metric in METRICS}
# A negative asks what the metric asks that it is the negative of, and is tested as that one.
ASKED = tuple(metric.key for metric in METRICS if metric.negative_of is None)
PAPER_METRICS = tuple(metric.negative_of or metric.key for metric in METRICS if metric.paper)


def text_scores(
    texts: Sequence[str], nats: ArrayLike, tokens: ArrayLike, *, mattr_window: int = MATTR_WINDOW
) -> dict[str, Scores]:
    """Every metric that needs no other program, over the texts of one arm; arguments as in `Written`."""
    written = Written(texts, nats, tokens, mattr_window)
    return {metric.key: metric.score(written) for metric in METRICS if metric.score is not None}
