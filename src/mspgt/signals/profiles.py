"""The three signals of one model as profiles over transitions, under any weighting of the documents.

A profile is `(3, transitions)`, rows S1, S2, S3; a signal that cannot be measured is a row of NaN with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError
from mspgt.lm.model import LanguageModel
from mspgt.lm.norms import reading_norms
from mspgt.lm.reading import Context
from mspgt.lm.start import AUTO
from mspgt.signals.compared import METRICS, RMS
from mspgt.signals.document_tables import LEAST_DOCUMENTS
from mspgt.signals.features import word_features
from mspgt.signals.geometry import (
    ALL_TOKENS,
    TOKEN_VARIANTS,
    Geometry,
    calibrated_s1,
    paper_s1,
    reduce_shards,
)
from mspgt.signals.heads import match_heads
from mspgt.signals.jumps import jump_signal
from mspgt.signals.labels import probe_tasks
from mspgt.signals.measure import measure_scales, measure_shard
from mspgt.signals.probes import ProbeResults, train_probes
from mspgt.signals.tokens import read_corpus
from mspgt.stats.bootstrap import LEAST_SHARE, document_clusters, document_weights
from mspgt.text.corpus import Corpus
from mspgt.text.treebank import Treebank
from mspgt.vocabulary import SINK_RATIO, Progress

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """Bootstrap draws of the profiles of both modes, each `(draws, 3, transitions)`.

    A row that is NaN in every draw was not resampled: the signal was not measured, or it is held at its value and
    has no interval, and `notes` says why.

    `drawn`: which of the draws asked for these are, numbered from 0; None for all of them.
    """

    paper: Array
    calibrated: Array
    notes: tuple[str, ...] = ()
    drawn: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Signals:
    """What was measured on one model; `missing` says why a signal is null.

    With `embedding`, profiles start at transition 0, the step from the embedding to block 1, and have L places
    instead of L−1. No attention precedes block 1, so S3 is NaN there.
    """

    layers: int
    geometry: Geometry
    probes: ProbeResults | None
    missing: dict[str, str]
    embedding: bool = False

    @property
    def first(self) -> int:
        """The first transition of a profile: 0 with the embedding, else 1."""
        return 0 if self.embedding else 1

    @property
    def transitions(self) -> int:
        return self.layers - self.first

    def paper(self, corpus: Array | None = None, treebank: Array | None = None) -> Array:
        """Profiles by equations 3–5: S1 = 1/CKA, S2 relative jump, S3 in bits. `(..., 3, transitions)`.

        Args:
            corpus: `(draws, clusters)` weights of the corpus documents, or `(clusters,)`.
            treebank: the same number of draws over the treebank's documents.
        """
        s1, _ = paper_s1(self.geometry.cka("paper", corpus)[..., self.first :])
        return self._stack(s1, "paper", treebank, self.geometry.attention("paper", corpus))

    def calibrated(self, corpus: Array | None = None, treebank: Array | None = None) -> Array:
        """The same questions with unbiased estimators: S1 = −log CKA in nats, S2, S3 in bits without sinks."""
        s1, _ = calibrated_s1(self.geometry.cka("calibrated", corpus)[..., self.first :])
        return self._stack(s1, "calibrated", treebank, self.geometry.attention("calibrated", corpus))

    def with_sinks(self) -> Array | None:
        """The calibrated estimators over every drawn word, sinks included (S3: over every real token).

        None where S1 of these tokens is not known, though that of the others is: the unit is the sentence.
        """
        return self._variant(self.geometry.variants[ALL_TOKENS], self.geometry.attention("every"))

    def token_sets(self) -> dict[str, Array | None]:
        """Calibrated profiles with S1 over other tokens (geometry.TOKEN_VARIANTS, but for all of them)."""
        names = [name for name in TOKEN_VARIANTS if name != ALL_TOKENS]
        return {name: self._variant(self.geometry.variants[name]) for name in names}

    def other_metrics(self) -> dict[str, Array | None]:
        """Calibrated profiles with S1 by what else can be compared (compared.METRICS, but for the primary one)."""
        return {name: self._variant(self.geometry.metrics[name]) for name in METRICS if name != RMS}

    def _variant(self, cka: Array, attention: Array | None = None) -> Array | None:
        """A calibrated profile with another S1, and S3 where given; None where this S1 lacks a value."""
        known = np.isfinite(self.geometry.cka("calibrated")[self.first :])
        if not np.isfinite(cka[self.first :][known]).all():
            return None
        s1, _ = calibrated_s1(cka[self.first :])
        s3 = self.geometry.attention("calibrated") if attention is None else attention
        return self._stack(s1, "calibrated", None, s3)

    def clips(self) -> dict[str, int]:
        """Steps from layer to layer, the embedding's among them, whose CKA was clipped for S1.

        By mode, and `with_sinks` for the calibrated estimate over every token. S1 there is a bound, not a value.
        """
        return {
            "paper": paper_s1(self.geometry.cka("paper"))[1],
            "calibrated": calibrated_s1(self.geometry.cka("calibrated"))[1],
            "with_sinks": calibrated_s1(self.geometry.variants[ALL_TOKENS])[1],
        }

    def halves(self) -> tuple[Array, Array] | None:
        """Calibrated profiles from every other document (or cluster), starting with the first and the second.

        A treebank whose test split is one document cannot be halved: both halves hold its S2. None where a half
        has too few documents for S1 across documents.
        """
        if self.geometry.n_clusters < 2 * LEAST_DOCUMENTS:
            return None

        def half(remainder: int) -> Array:
            corpus = (np.arange(self.geometry.n_clusters) % 2 == remainder).astype(np.float64)
            if self.probes is None or self.probes.n_documents < 2:
                return self.calibrated(corpus)
            return self.calibrated(
                corpus, (np.arange(self.probes.n_documents) % 2 == remainder).astype(np.float64)
            )

        return half(0), half(1)

    def bootstrap(self, draws: int, seed: int) -> Draws:
        """Resample documents of the corpus and, independently, of the test split of the treebank.

        S2 of a draw is the mean over the tasks that its test documents hold a label of. A draw in which S2 has no
        value, because there is no such task, because F1 is 0 at a layer, or because it is one document over and
        over, is left out and counted. If that leaves fewer than half of the draws, or if the test split is one
        document, S2 is held at its value, without an interval.

        Raises:
            InputError: the corpus has fewer than two documents: an interval would say nothing.
        """
        corpus = document_weights(self.geometry.n_clusters, draws, seed)
        measured = np.isfinite(self.calibrated()[0])
        apart = np.asarray(np.isfinite(self.calibrated(corpus)[:, 0][:, measured]).all(axis=-1))
        notes: tuple[str, ...] = ()
        if not apart.all():
            # As with S2 below: what a draw cannot say is left out, or S1 has no interval.
            why = (
                f"{(~apart).sum()} of {draws} draws of documents leave S1 across documents without a value "
                f"(fewer than {LEAST_DOCUMENTS} distinct ones, or no variance)"
            )
            if apart.mean() < LEAST_SHARE:
                return self._bare(corpus, f"{why}; too few are left: S1 has no interval in calibrated mode")
            notes = (f"{why}: they are left out",)
        if self.probes is None:
            if apart.all():
                return Draws(self.paper(corpus), self.calibrated(corpus))
            corpus = corpus[apart]
            return Draws(self.paper(corpus), self.calibrated(corpus), notes, np.flatnonzero(apart))
        if self.probes.n_documents < 2:
            return self._held(corpus[apart], "the test split of the treebank is one document", notes, apart)
        treebank = document_weights(self.probes.n_documents, draws, seed + 1)
        paper, calibrated = self.paper(corpus, treebank), self.calibrated(corpus, treebank)
        spoken = self._with_s2(paper, calibrated)
        if not spoken.all():
            why = (
                f"{(~spoken).sum()} of {draws} draws of test documents hold no label of any task, leave a layer with "
                "an F1 of 0, or are one document over and over, so they have no S2"
            )
            if spoken.mean() < LEAST_SHARE:
                return self._held(corpus[apart], f"{why}; too few are left", notes, apart)
            notes = (*notes, f"{why}: they are left out")
        kept = spoken & apart
        if kept.all():
            return Draws(paper, calibrated)
        return Draws(paper[kept], calibrated[kept], notes, np.flatnonzero(kept))

    def _bare(self, corpus: Array, why: str) -> Draws:
        """Draws where S1 across documents is too rarely known: that row alone has no interval."""
        paper, calibrated = self.paper(corpus), self.calibrated(corpus)
        calibrated[:, 0] = np.nan
        return Draws(paper, calibrated, (why,))

    def _with_s2(self, paper: Array, calibrated: Array) -> NDArray[np.bool_]:
        """Which draws have S2 at every transition; a mode in which the whole test split has gaps does not count."""
        kept = np.ones(len(paper), dtype=bool)
        for whole, draws in ((self.paper(), paper), (self.calibrated(), calibrated)):
            if np.isfinite(whole[1]).all():
                kept &= np.isfinite(draws[:, 1]).all(axis=-1)
        return kept

    def _held(self, corpus: Array, why: str, notes: tuple[str, ...], apart: NDArray[np.bool_]) -> Draws:
        """Draws of S1 and S3 alone."""
        paper, calibrated = self.paper(corpus), self.calibrated(corpus)
        paper[:, 1] = calibrated[:, 1] = np.nan
        told = f"{why}: S2 is held at its value and has no interval and no noise ratio"
        return Draws(paper, calibrated, (*notes, told), None if apart.all() else np.flatnonzero(apart))

    def _stack(self, s1: Array, mode: str, treebank: Array | None, s3: Array) -> Array:
        if self.probes is None:
            s2 = np.full_like(s1, np.nan)
        else:
            jumps = jump_signal(self.probes, treebank)
            s2 = np.broadcast_to(self._from(jumps.embedding[mode], getattr(jumps, mode)), s1.shape)
        rows = [s1, s2, np.broadcast_to(self._from(np.full(s3.shape[:-1], np.nan), s3), s1.shape)]
        for place, name in enumerate(("S1", "S2", "S3")):
            if name in self.missing:
                rows[place] = np.full_like(s1, np.nan)
        return np.stack(rows, axis=-2)

    def _from(self, embedding: Array, later: Array) -> Array:
        """Transitions 1..L−1, after the embedding's where it counts."""
        return np.concatenate([embedding[..., None], later], axis=-1) if self.embedding else later


def measure(
    lm: LanguageModel,
    corpus: Corpus,
    treebank: Treebank | None = None,
    *,
    cka_tokens: int = 8192,
    batch_tokens: int = 4096,
    sink_ratio: float = SINK_RATIO,
    heads: Literal["mean", "matched"] = "mean",
    context: Context = "window",
    start: str = AUTO,
    window: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Signals:
    """Measure the three signals of one model in memory (a study does the same, stage by stage, on disk).

    Args:
        lm: from `mspgt.load`.
        corpus: text for S1 and S3.
        treebank: labels for S2; without it S2 is missing, with the reason.
        cka_tokens: tokens drawn for S1.
        heads: S3 of the mean over heads, or the mean over heads matched from layer to layer (`match_heads`).
        context, start, window: how calibrated mode reads text, as in `lm.reading.read`; paper mode reads sentences
            one by one, with what the tokenizer adds by itself, in a pass of its own where that differs.

    Raises:
        ModelError: the model has no start token that could be found.
        InputError: the corpus has no sentences, or one is longer than the model's context.

    Example:
        >>> from mspgt.lm.load import load
        >>> from mspgt.synthetic.corpora import sample_corpus
        >>> from mspgt.synthetic.triscale import TriScale
        >>> from mspgt.zoo.bundled import path
        >>> lm = load(path("triscale-llama-1"))
        >>> signals = measure(lm, sample_corpus(TriScale(), 12, seed=0), cka_tokens=256)
        >>> signals.calibrated().shape  # S1 to S3, over transitions 1 to L - 1
        (3, 23)
        >>> signals.missing
        {'S2': 'no treebank was given'}
    """
    if not corpus.n_sentences:
        raise InputError("The corpus has no sentences to measure; give a longer text.")
    tokens = read_corpus(lm, corpus, limit=cka_tokens, seed=seed, context=context, start=start, window=window)
    reading = tokens.readings["calibrated"]
    scales = measure_scales(
        lm,
        reading,
        sample=256,
        sink_ratio=sink_ratio,
        batch_tokens=batch_tokens,
        plainly=tokens.readings["paper"],
    )
    pairing = None
    if heads == "matched" and lm.has_attention and lm.layers > 1:
        pairing = match_heads(
            lm, reading, scales, sample=256, sink_ratio=sink_ratio, batch_tokens=batch_tokens
        )
    shard = measure_shard(
        lm,
        tokens,
        range(len(corpus.documents)),
        scales,
        sink_ratio=sink_ratio,
        batch_tokens=batch_tokens,
        pairing=pairing,
        progress=progress,
    )
    clusters = document_clusters([len(d.sentences) for d in corpus.documents])
    missing, probes = {}, None
    if treebank is None or not treebank.tasks:
        missing["S2"] = "no treebank was given" if treebank is None else f"every task is off: {treebank.off}"
    else:
        train, dev, test = (
            word_features(lm, split, context=context, start=start, window=window, batch_tokens=batch_tokens)
            for split in (treebank.train, treebank.dev, treebank.test)
        )
        probes = train_probes(train, dev, test, probe_tasks(treebank), seed=seed, progress=progress)
    if not lm.has_attention:
        missing["S3"] = f"not measurable: {lm.no_attention}"
    geometry = reduce_shards(
        [shard], clusters, norms=reading_norms(lm), sink_ratio=sink_ratio, device=lm.device
    )
    return Signals(lm.layers, geometry, probes, missing)
