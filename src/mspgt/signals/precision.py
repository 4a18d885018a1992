"""What rounding does to the states, S1 and S3 of a half-precision model: a few sentences read in float32 too."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from mspgt.lm.float32 import in_float32
from mspgt.lm.model import LanguageModel
from mspgt.lm.norms import reading_norms
from mspgt.lm.reading import Context, TooLong, read
from mspgt.lm.start import AUTO
from mspgt.signals.compared import rms_normalised
from mspgt.signals.document_tables import layer_tables
from mspgt.signals.geometry import calibrated_s1
from mspgt.signals.measure import Scales, Shard, measure_shard
from mspgt.signals.tokens import draw_tokens
from mspgt.text.corpus import Corpus
from mspgt.text.limits import evenly_spread

Array = NDArray[np.float64]

MOST_DOCUMENTS = 12  # CKA across documents needs 4
MOST_TOKENS = 4096
LEAST_TOKENS = 4
AGREE = 1e-3  # relative difference below which three digits agree


@dataclass(frozen=True)
class Precision:
    """The same tokens in the model's own type and in float32.

    documents, sentences, tokens: what was read; `tokens` are those of calibrated S1. states (L+1,): distance of the
    two states of a token over the length of the one in float32, median over tokens, for layers 0..L. own, float32:
    S1 (−log CKA across documents, nats) and S3 (bits) of calibrated mode, each (L−1,); NaN where there is no value.
    """

    documents: int
    sentences: int
    tokens: int
    states: Array
    own: dict[str, Array]
    float32: dict[str, Array]

    def difference(self, signal: str) -> Array:
        """Own less float32, (L−1,), in the units of the signal."""
        return self.own[signal] - self.float32[signal]

    def digits(self, signal: str) -> Array:
        """How many decimal digits agree, (L−1,): −log10 of the relative difference, between 0 and 7."""
        return agreeing_digits(self.own[signal], self.float32[signal])

    def lost(self, signal: str) -> list[int]:
        """Transitions, from 1, at which fewer than three digits agree."""
        return [int(at) + 1 for at in np.flatnonzero(self.digits(signal) < -np.log10(AGREE))]


def agreeing_digits(one: Array, exact: Array) -> Array:
    """Decimal digits that two numbers share: −log10(|one − exact| / |exact|), held between 0 and 7 (of float32)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.abs(one - exact) / np.abs(exact)
        digits = np.clip(-np.log10(relative), 0.0, 7.0)
    digits[one == exact] = 7.0
    return np.asarray(digits)


def precision_sample(corpus: Corpus, sentences: int) -> Corpus:
    """About so many sentences of a corpus: the first ones of up to twelve documents, spread evenly."""
    documents = evenly_spread(corpus.documents, min(MOST_DOCUMENTS, sentences))
    each = max(1, round(sentences / len(documents)))
    return replace(corpus, documents=tuple(replace(d, sentences=d.sentences[:each]) for d in documents))


def measure_precision(
    lm: LanguageModel,
    corpus: Corpus,
    scales: Scales,
    *,
    sink_ratio: float,
    batch_tokens: int,
    context: Context = "window",
    start: str = AUTO,
    window: int | None = None,
    too_long: TooLong = "error",
) -> Precision:
    """Read the same sentences in the model's own type and in float32, as calibrated mode reads them.

    Args:
        corpus: few sentences (`precision_sample`).
        scales: from `measure_scales`, in the model's own type: one yardstick for sinks in both. A token counts for S1
            where it is a sink in neither.
        context, start, window, too_long: as in `lm.reading.read`.

    Raises:
        ModelError: the model cannot be run in float32 beside its own type, or has no start token.
        NumericsError: NaN or infinity in one of the two.
    """
    documents = [document.sentences for document in corpus.documents]
    reading = read(lm, documents, context=context, start=start, window=window, too_long=too_long)
    tokens = draw_tokens(corpus, reading, limit=MOST_TOKENS, seed=0)
    everything = range(tokens.n_documents)

    def measured(model: LanguageModel) -> Shard:
        return measure_shard(
            model, tokens, everything, scales, sink_ratio=sink_ratio, batch_tokens=batch_tokens
        )

    subtracts_mean = reading_norms(lm).subtracts_mean
    own = measured(lm)
    with in_float32(lm) as wide:
        exact = measured(wide)
    kept = (own.norm_ratio <= sink_ratio) & (exact.norm_ratio <= sink_ratio)
    return Precision(
        documents=tokens.n_documents,
        sentences=len(tokens.document),
        tokens=int(kept.sum()),
        states=_apart(own, exact, kept),
        own=_signals(own, kept, subtracts_mean, tokens.n_documents),
        float32=_signals(exact, kept, subtracts_mean, tokens.n_documents),
    )


def _apart(own: Shard, exact: Shard, kept: NDArray[np.bool_]) -> Array:
    one, other = (shard.hidden["calibrated"][torch.from_numpy(kept)].double() for shard in (own, exact))
    relative = (one - other).norm(dim=-1) / other.norm(dim=-1).clamp_min(1e-30)
    return np.asarray(relative.median(dim=0).values.numpy())


def _signals(
    shard: Shard, kept: NDArray[np.bool_], subtracts_mean: bool, n_documents: int
) -> dict[str, Array]:
    hidden = shard.hidden["calibrated"][torch.from_numpy(kept)]
    layers = hidden.shape[1]

    def features(layer: int) -> torch.Tensor:
        x = rms_normalised(hidden[:, layer], subtract_mean=subtracts_mean)
        return x - x.mean(0)

    s1 = np.full(layers - 2, np.nan)
    if int(kept.sum()) >= LEAST_TOKENS:
        documents = torch.from_numpy(shard.token_document["calibrated"][kept])
        tables = layer_tables(features, layers, documents, n_documents, across=True)
        s1 = calibrated_s1(tables.cka())[0][1:]
    drift = shard.drift["calibrated"].astype(np.float64)
    known = np.isfinite(drift)
    count = known.sum(0)
    s3 = np.divide(np.where(known, drift, 0).sum(0), count, out=np.full(layers - 2, np.nan), where=count > 0)
    return {"S1": s1, "S3": s3}
