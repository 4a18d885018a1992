"""Texts of the planted language in which one scale's variable is replaced, scored as texts of a perturbed model are.

A document is written from its topic (Global), the patterns of its sentences (Intermediate) and the ranks of its words
(Local). The arm of a scale keeps what the others decide and draws its own variable anew: from the law of the language
given the rest, so that both texts may change places and nothing but chance is between them, or from a steep law, in
which few values do most of the work.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mspgt.interventions.arms import AA, BASELINE
from mspgt.interventions.effects import Effect, all_effects
from mspgt.interventions.exchange import exchanged_self_bleu
from mspgt.interventions.metrics import ASKED, Scores, text_scores
from mspgt.stats.multiplicity import holm
from mspgt.synthetic.bayes import surprisal
from mspgt.synthetic.triscale import TriScale, power_law
from mspgt.vocabulary import SCALES

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

DOCUMENTS = 60
STEEP = 3.0  # exponent of the Zipf law that takes the place of the language's own
DRAWS = 500  # of the bootstrap over documents


@dataclass(frozen=True)
class Latents:
    """Topic of each document (documents,), pattern of each sentence and ranks of its words (…, sentences, slots)."""

    topics: Indices
    patterns: Indices
    ranks: Indices


def written_arms(language: TriScale, steep: Collection[str], seed: int) -> dict[str, Indices]:
    """Arm → words (documents, sentences, slots): baseline, a second baseline, and an arm a scale.

    Args:
        steep: scales whose arm draws from the steep law; the others draw from the language's own.
    """
    rng = np.random.default_rng(seed)
    first = _latents(language, rng)
    arms = {BASELINE: first, AA: _latents(language, rng)}
    for scale in SCALES:
        arms[scale] = _redrawn(language, first, scale, scale in steep, rng)
    return {name: _words(language, one) for name, one in arms.items()}


def _latents(language: TriScale, rng: np.random.Generator) -> Latents:
    topics = rng.integers(language.topics, size=DOCUMENTS)
    patterns = _patterns(language, topics, False, rng)
    return Latents(topics, patterns, _ranks(language, patterns, False, rng))


def _redrawn(
    language: TriScale, first: Latents, scale: str, steep: bool, rng: np.random.Generator
) -> Latents:
    if scale == "local":
        return replace(first, ranks=_ranks(language, first.patterns, steep, rng))
    if scale == "global":
        return replace(first, topics=_topics(language, first.patterns, steep, rng))
    patterns = _patterns(language, first.topics, steep, rng)
    # Words fill the slots of a pattern, so other patterns need words of their own.
    return replace(first, patterns=patterns, ranks=_ranks(language, patterns, False, rng))


def _topics(language: TriScale, patterns: Indices, steep: bool, rng: np.random.Generator) -> Indices:
    if steep:
        return rng.choice(language.topics, size=DOCUMENTS, p=power_law(language.topics, STEEP))
    # Topics prefer patterns, so those that stay say which topics are likely.
    likely = language.pattern_given_topic[:, patterns].prod(axis=-1).T
    return _drawn(likely / likely.sum(axis=1, keepdims=True), (DOCUMENTS,), rng)


def _patterns(language: TriScale, topics: Indices, steep: bool, rng: np.random.Generator) -> Indices:
    template_of, _ = language.patterns
    law = language.pattern_given_topic
    if steep:
        one = power_law(language.template_given_topic.shape[1], STEEP)
        law = np.tile(one[template_of] / np.bincount(template_of)[template_of], (language.topics, 1))
    return _drawn(law[topics][:, None], (DOCUMENTS, language.sentences), rng)


def _ranks(language: TriScale, patterns: Indices, steep: bool, rng: np.random.Generator) -> Indices:
    law = language.rank_law
    if steep:
        law = np.where(law > 0, np.arange(1, law.shape[1] + 1) ** -STEEP, 0.0)
        law = law / law.sum(axis=1, keepdims=True)
    kinds = language.patterns[1][patterns]
    return _drawn(law[kinds], kinds.shape, rng)


def _drawn(law: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Indices:
    """One draw a place from laws (…, values) that broadcast against `shape`."""
    return np.asarray((rng.random(shape)[..., None] > law.cumsum(axis=-1)[..., :-1]).sum(axis=-1))


def _words(language: TriScale, one: Latents) -> Indices:
    kinds = language.patterns[1][one.patterns]
    return np.where(kinds >= 0, language.forms[kinds, one.topics[:, None, None], one.ranks], -1)


def text_effects(language: TriScale, arms: dict[str, Indices], seed: int) -> dict[str, dict[str, Effect]]:
    """Arm → metric → effect against baseline; the exact reader of the language stands for the unperturbed model."""
    texts = {name: _texts(language, words) for name, words in arms.items()}
    scores = {name: _scores(language, texts[name], words) for name, words in arms.items()}
    documents = np.arange(DOCUMENTS)
    for name in arms.keys() - {BASELINE}:
        swapped = exchanged_self_bleu(texts[BASELINE], texts[name], documents, seed=seed)
        scores[name]["self_bleu"] = replace(scores[name]["self_bleu"], exchanged=swapped)
    return all_effects(scores, documents, draws=DRAWS, seed=seed)


def _texts(language: TriScale, words: Indices) -> list[str]:
    return [
        " ".join(_sentence([language.vocabulary[i] for i in row if i >= 0]) for row in one) for one in words
    ]


def _sentence(words: list[str]) -> str:
    return " ".join(words[:-1]) + words[-1]


def _scores(language: TriScale, texts: list[str], words: Indices) -> dict[str, Scores]:
    nats = -np.log(2) * np.nansum(surprisal(language, words), axis=(1, 2))
    return text_scores(texts, nats, (words >= 0).sum(axis=(1, 2)))


def adjusted(effects: dict[str, dict[str, Effect]]) -> dict[str, dict[str, float]]:
    """Scale → metric → p of exchanged labels, adjusted over all scales and metrics (Holm); absent where untested."""
    asked = [(arm, metric) for arm in SCALES for metric in ASKED if metric in effects[arm]]
    known = [effects[arm][metric].p_permutation for arm, metric in asked]
    found: dict[str, dict[str, float]] = {arm: {} for arm in SCALES}
    for (arm, metric), p in zip(asked, holm([np.nan if p is None else p for p in known]), strict=True):
        if not np.isnan(p):
            found[arm][metric] = float(p)
    return found
