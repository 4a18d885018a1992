"""From the measuring pass to S1 and S3 under any weighting of the documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mspgt.signals.cka import LayerTables, layer_tables
from mspgt.signals.measure import DRIFT_SETS, Shard

Array = NDArray[np.float64]

CKA_FLOOR = 1e-3  # the paper divides by CKA; below this it is clipped, and counted


@dataclass(frozen=True)
class Geometry:
    """Sufficient statistics of S1 and S3, by cluster of documents (c of them; one a document up to a limit).

    `tables[set]`: CKA tables, biased for "paper" and unbiased for "calibrated", over layers 0..L.
    `with_sinks` (L,): unbiased CKA over the paper's tokens, sinks included, for layers 0→1, 1→2, …
    `drift[set]` (c, L−1): sum over sentences of their mean drift in bits; `sentences[set]` (c, L−1): how many.
    """

    tables: dict[str, LayerTables]
    with_sinks: Array
    drift: dict[str, Array]
    sentences: dict[str, Array]

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


def reduce_shards(
    shards: Sequence[Shard], clusters: NDArray[np.int64], *, device: torch.device | str = "cpu"
) -> Geometry:
    """Merge shards (in any order) into document statistics.

    Args:
        clusters: `(documents,)` the cluster of each document.
        device: where the CKA moments are computed, in float64.
    """
    c = int(clusters.max()) + 1
    tables = {}
    with_sinks = np.empty(0)
    for name in ("paper", "calibrated"):
        cluster = clusters[np.concatenate([shard.token_document[name] for shard in shards])]
        order = np.argsort(cluster, kind="stable")
        hidden = torch.cat([shard.hidden[name] for shard in shards])[torch.from_numpy(order)]
        hidden = hidden.transpose(0, 1).to(device)
        documents = torch.from_numpy(cluster[order]).to(device)
        tables[name] = layer_tables(hidden, documents, c, zero_diagonal=name == "calibrated")
        if name == "paper":
            with_sinks = layer_tables(hidden, torch.zeros_like(documents), 1, zero_diagonal=True).cka()
    drift, sentences = {}, {}
    cluster = clusters[np.concatenate([shard.sentence_document for shard in shards])]
    for name in DRIFT_SETS:
        values = np.concatenate([shard.drift[name] for shard in shards]).astype(np.float64)
        known = np.isfinite(values)
        drift[name], sentences[name] = np.zeros((2, c, values.shape[1]))
        np.add.at(drift[name], cluster, np.where(known, values, 0))
        np.add.at(sentences[name], cluster, known)
    return Geometry(tables, with_sinks, drift, sentences)
