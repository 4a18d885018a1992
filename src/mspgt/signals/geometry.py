"""From the measuring pass to S1 and S3 under any weighting of the documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mspgt.lm.norms import ReadingNorms
from mspgt.signals.compared import METRICS, RAW, RMS, rms_normalised
from mspgt.signals.document_tables import LayerTables, document_spans, layer_tables
from mspgt.signals.measure import DRIFT_SETS, Shard
from mspgt.signals.similarity import LIMIT_2, MOST_TOKENS, UpdateSimilarity, update_similarity
from mspgt.signals.variants import MAIN, Variants
from mspgt.vocabulary import LOOSE_SINK_RATIO, SINK_RATIO

Array = NDArray[np.float64]

CKA_FLOOR = 1e-3  # the paper divides by CKA; below this it is clipped, and counted

# Which tokens count for a variant of S1 (calibrated, RMS-normalised, across documents).
LIMIT_10, ALL_TOKENS = "limit_10", "all_tokens"
WITHOUT_TOP, WITHOUT_TOP3, WITHOUT_FIRST = "without_top_word", "without_top3_words", "without_first_words"
TOKEN_VARIANTS = (LIMIT_10, ALL_TOKENS, WITHOUT_TOP, WITHOUT_TOP3, WITHOUT_FIRST)


@dataclass(frozen=True)
class Spread:
    """How the variance of each layer 0..L is spread over dimensions, each (L+1,).

    `participation`: (Σλ)²/Σλ² of the covariance's eigenvalues λ, between 1 and the width. `largest`: the share of
    the variance that lies in one dimension.
    """

    participation: Array
    largest: Array


@dataclass(frozen=True)
class Geometry:
    """Sufficient statistics of S1 and S3, by cluster of documents (c of them; one a document up to a limit).

    `tables[set]`: CKA tables over layers 0..L: "paper" biased, of raw states; "calibrated" across documents, of
    RMS-normalised states of tokens that are no sinks.
    `drift[set]` (c, L−1): sum over sentences of their mean drift in bits; `sentences[set]` (c, L−1): how many.
    `metrics[metric]` (L,): CKA of the calibrated tokens by what is compared, for layers 0→1, 1→2, …; and
    "raw_limit_10", the raw states with only the largest sinks left out. NaN where a metric has no meaning.
    `variants[tokens]` (L,): CKA of RMS-normalised states over other tokens (`TOKEN_VARIANTS`); NaN where the unit is
    the sentence. `drawn[tokens]`: how many tokens, "main" among them.
    `spread[metric]`: of "raw", "rms" and "raw_limit_10". `similarity`: of what blocks write; None for sentences.
    """

    tables: dict[str, LayerTables]
    drift: dict[str, Array]
    sentences: dict[str, Array]
    metrics: dict[str, Array]
    variants: dict[str, Array]
    spread: dict[str, Spread]
    similarity: UpdateSimilarity | None = None
    drawn: dict[str, int] = field(default_factory=dict)

    @property
    def n_clusters(self) -> int:
        return len(self.drift["paper"])

    def cka(self, token_set: str, weights: ArrayLike | None = None) -> Array:
        """CKA of layers l and l+1 for l = 0..L−1: `(L,)`, or `(draws, L)` under `(draws, c)` weights."""
        return self.tables[token_set].cka(weights)

    def attention(self, token_set: str, weights: ArrayLike | None = None) -> Array:
        """S3 in bits: mean over sentences, `(L−1,)` or `(draws, L−1)`; NaN where nothing was measurable."""
        w = np.ones(self.n_clusters) if weights is None else np.asarray(weights, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((w @ self.drift[token_set]) / (w @ self.sentences[token_set]))


def paper_s1(cka: Array) -> tuple[Array, int]:
    """S1 = 1/CKA (equation 3), with CKA clipped from below at 1e-3, and the number of clips."""
    return 1.0 / np.maximum(cka, CKA_FLOOR), int((cka < CKA_FLOOR).sum())


def calibrated_s1(cka: Array) -> tuple[Array, int]:
    """S1 = −log CKA in nats, with CKA clipped at 1e-3 like the paper's, and the number of clips.

    The unbiased estimate of CKA = 1 can exceed 1 by rounding only; of CKA = 0 it scatters around 0.
    """
    return -np.log(np.maximum(cka, CKA_FLOOR)), int((cka < CKA_FLOOR).sum())


@dataclass(frozen=True)
class Sample:
    """Drawn tokens of all shards in the order of their documents: `hidden` (layers+1, tokens, width)."""

    hidden: torch.Tensor
    documents: torch.Tensor
    norm_ratio: NDArray[np.float32]
    rank: NDArray[np.int8]
    first: NDArray[np.bool_]


def reduce_shards(
    shards: Sequence[Shard],
    clusters: NDArray[np.int64],
    *,
    norms: ReadingNorms | None = None,
    sink_ratio: float = SINK_RATIO,
    device: torch.device | str = "cpu",
) -> Geometry:
    """Merge shards (in any order) into document statistics.

    Args:
        clusters: `(documents,)` the cluster of each document.
        norms: how the model's blocks read the residual stream; without it states keep their mean,
            and "as_read" is NaN.
        sink_ratio: a calibrated token counts where its norm is at most so many medians at every layer.
        device: where the moments are computed, in float32 within a document and in float64 over documents (float64
            for a float64 model). The calibrated ones are of tokens that all have one size; of the paper's, the few
            dimensions that hold massive activations stay in float64 throughout.
    """
    c = int(clusters.max()) + 1
    drift, sentences = {}, {}
    cluster = clusters[np.concatenate([shard.sentence_document for shard in shards])]
    for name in DRIFT_SETS:
        values = np.concatenate([shard.drift[name] for shard in shards]).astype(np.float64)
        known = np.isfinite(values)
        drift[name], sentences[name] = np.zeros((2, c, values.shape[1]))
        np.add.at(drift[name], cluster, np.where(known, values, 0))
        np.add.at(sentences[name], cluster, known)
    tables = {"paper": _paper_tables(gather(shards, "paper", clusters, device), c)}
    sample = gather(shards, "calibrated", clusters, device)
    whole = bool((sample.norm_ratio == 0).all())  # means of sentences
    masks = token_masks(sample, sink_ratio)
    tables["calibrated"], seen = _calibrated_tables(sample, masks, norms, c, whole)
    layers = len(sample.hidden)
    metrics = {metric: seen.cka(metric, MAIN, layers) for metric in METRICS}
    metrics["raw_limit_10"] = seen.cka(RAW, LIMIT_10, layers)
    return Geometry(
        tables=tables,
        drift=drift,
        sentences=sentences,
        metrics=metrics,
        variants={name: seen.cka(RMS, name, layers) for name in TOKEN_VARIANTS},
        spread={
            name: _spread(seen, key, layers)
            for name, key in (("raw", "raw.main"), ("rms", "rms.main"), ("raw_limit_10", "raw.limit_10"))
        },
        similarity=None if whole else _similarity(sample, masks, c),
        drawn={name: int(mask.sum()) for name, mask in masks.items()},
    )


def gather(
    shards: Sequence[Shard], name: str, clusters: NDArray[np.int64], device: torch.device | str
) -> Sample:
    """The drawn tokens of a set, sorted by cluster of documents."""
    cluster = clusters[np.concatenate([shard.token_document[name] for shard in shards])]
    order = np.argsort(cluster, kind="stable")
    parts = [shard.hidden[name] for shard in shards]
    hidden = torch.cat(parts) if len(parts) > 1 else parts[0]
    if (np.diff(cluster) < 0).any():
        hidden = hidden[torch.from_numpy(order)]

    def about(key: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(shard, key) for shard in shards])[order]

    known = name == "calibrated"
    return Sample(
        hidden.transpose(0, 1).to(device),
        torch.from_numpy(cluster[order]).to(device),
        about("norm_ratio").astype(np.float32) if known else np.zeros(len(order), dtype=np.float32),
        about("rank").astype(np.int8) if known else np.zeros(len(order), dtype=np.int8),
        about("first").astype(bool) if known else np.zeros(len(order), dtype=bool),
    )


def token_masks(sample: Sample, sink_ratio: float) -> dict[str, NDArray[np.bool_]]:
    """Which of the drawn tokens count, by token set; `main` is what calibrated S1 is computed on."""
    main = sample.norm_ratio <= sink_ratio
    rank = sample.rank
    return {
        MAIN: main,
        LIMIT_10: sample.norm_ratio <= LOOSE_SINK_RATIO,
        ALL_TOKENS: np.ones_like(main),
        WITHOUT_TOP: main & (rank != 1),
        WITHOUT_TOP3: main & (rank == 0),
        WITHOUT_FIRST: main & ~sample.first,
    }


def _paper_tables(sample: Sample, c: int) -> LayerTables:
    def centred(layer: int) -> torch.Tensor:
        # HSIC does not depend on the centre, rounding does.
        x = sample.hidden[layer].to(torch.float64, copy=True)
        return x.sub_(x.mean(0))

    split = sample.hidden.dtype != torch.float64
    return layer_tables(centred, len(sample.hidden), sample.documents, c, across=False, split=split)


def _calibrated_tables(
    sample: Sample, masks: dict[str, NDArray[np.bool_]], norms: ReadingNorms | None, c: int, whole: bool
) -> tuple[LayerTables, Variants]:
    main = torch.from_numpy(np.flatnonzero(masks[MAIN])).to(sample.hidden.device)

    def normalised(layer: int) -> torch.Tensor:
        return rms_normalised(sample.hidden[layer], subtract_mean=norms is not None and norms.subtracts_mean)

    seen = Variants(
        states=lambda layer: sample.hidden[layer],
        normalised=normalised,
        spans=document_spans(sample.documents, c),
        masks={MAIN: masks[MAIN]} if whole else masks,
        gains=torch.full((len(sample.hidden), 1), torch.nan) if norms is None else norms.gains,
        raw_sets=() if whole else (LIMIT_10,),
    )
    tables = layer_tables(
        seen.features,
        len(sample.hidden),
        sample.documents[main],
        c,
        across=True,
        see=seen.see,
    )
    return tables, seen


def _spread(seen: Variants, key: str, layers: int) -> Spread:
    values = np.array([seen.spectrum.get((key, layer), (np.nan, np.nan)) for layer in range(layers)])
    return Spread(values[:, 0], values[:, 1])


def _similarity(sample: Sample, masks: dict[str, NDArray[np.bool_]], c: int) -> UpdateSimilarity:
    """Of at most `MOST_TOKENS` tokens, spread evenly over those that count."""
    main = np.flatnonzero(masks[MAIN])
    take = main[np.unique(np.linspace(0, len(main) - 1, min(MOST_TOKENS, len(main))).round().astype(int))]
    chosen = torch.from_numpy(take).to(sample.hidden.device)
    kept = {LIMIT_2: sample.norm_ratio[take] <= 2, WITHOUT_TOP: masks[WITHOUT_TOP][take]}
    return update_similarity(sample.hidden[:, chosen], sample.documents[chosen], c, kept)
