"""The measuring pass: one forward over the corpus that leaves S3 per sentence and the sampled tokens for S1.

Hidden states and attention maps are reduced batch by batch; what grows with the corpus is one row of drift a
sentence. Results do not depend on how the corpus is split into shards or batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mspgt.errors import NumericsError
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import observe
from mspgt.lm.reading import Reading
from mspgt.lm.tokenize import Batch, Encoded, batches
from mspgt.signals.attention import matched_drift, row_drift
from mspgt.signals.tokens import TOKEN_SETS, CorpusTokens, Positions
from mspgt.vocabulary import Progress

EVERY = "every"  # positions of S3: all real ones, as calibrated mode reads them
DRIFT_SETS = (*TOKEN_SETS, EVERY)
_MOST_STATES = 2**30  # bytes, of the sample that scales are taken from


@dataclass(frozen=True)
class Scales:
    """How large activations are, layer by layer (0 = embedding), on a sample of the corpus.

    `median_norm` (layers+1,): median token norm, the yardstick for sinks. `std` (layers+1,): standard deviation
    over non-sink tokens and dimensions. `std_dimension` (layers+1, width): of each dimension over non-sink tokens,
    the yardstick for noise. `std_all` (layers+1,): over all tokens and dimensions, sinks included, as the paper's
    words go. `tokens`, `sinks`: counts behind all but `std_all`. The start token and the first position of a sequence
    count for `std_all` alone.
    """

    median_norm: NDArray[np.float64]
    std: NDArray[np.float64]
    std_all: NDArray[np.float64]
    std_dimension: NDArray[np.float64]
    tokens: int
    sinks: int


@dataclass(frozen=True)
class Shard:
    """What one run of documents leaves behind.

    `drift[set]` (sentences, layers−1) bits, NaN where not measurable, and `drift["every"]` of every real token as
    calibrated mode reads them; `sentence_document` (sentences,);
    `hidden[set]` (tokens, layers+1, width) sampled activations in the model's dtype, sinks among them;
    `token_document[set]` (tokens,), sorted; `sinks`, `real`: token counts.
    Of the calibrated set's tokens: `norm_ratio` (tokens,) the largest norm over its layer's median; `rank` and
    `first` (tokens,), what word a token ends (words.py). A sentence's mean is one that sinks are left out of: its
    ratio is 0, and it is no word.
    """

    drift: dict[str, NDArray[np.float32]]
    sentence_document: NDArray[np.int64]
    hidden: dict[str, torch.Tensor]
    token_document: dict[str, NDArray[np.int64]]
    sinks: int
    real: int
    norm_ratio: NDArray[np.float32]
    rank: NDArray[np.int8]
    first: NDArray[np.bool_]


def measure_scales(
    lm: LanguageModel,
    encoded: Sequence[Encoded] | Reading,
    *,
    sample: int,
    sink_ratio: float,
    batch_tokens: int,
    plainly: Reading | None = None,
) -> Scales:
    """Median norms and activation scales from about `sample` sentences spread evenly over the corpus.

    Which tokens are sinks is known only after all norms are, so states are kept until then, for each dimension's own
    scale; where they are many, that takes a second pass.

    Args:
        encoded: how calibrated mode reads the sentences; a list of texts is read text by text.
        plainly: how paper mode reads them, for `std_all`; the same where None.
    """
    reading = encoded if isinstance(encoded, Reading) else Reading.of(encoded)
    passes = list(batches(reading.spread(sample), max_tokens=batch_tokens))
    fits = sum(int(batch.attention_mask.sum()) for batch in passes) <= _MOST_STATES // (
        (lm.layers + 1) * lm.width * lm.dtype.itemsize
    )
    states: list[list[torch.Tensor]] = []
    total, square, inner = _sums(lm, passes, states if fits else None)
    every = (total, square)
    if plainly is not None and plainly is not reading:
        every = _sums(lm, list(batches(plainly.spread(sample), max_tokens=batch_tokens)))[:2]
    std_all = _deviation(*every, lm.width)
    total, square = total[inner], square[inner]
    norms = np.sqrt(square)
    median = np.median(norms, axis=0)
    kept: NDArray[np.bool_] = ~np.any(norms > sink_ratio * median, axis=1)
    std = _deviation(total[kept], square[kept], lm.width)
    if not (np.isfinite(std).all() and (std > 0).all()):
        layer = int(np.flatnonzero(~(np.isfinite(std) & (std > 0)))[0])
        raise NumericsError(f"{lm.name}: activations after layer {layer} are constant or not finite.")
    by_dimension = _by_dimension(lm, states if fits else _inner_states(lm, passes), kept)
    return Scales(median, std, std_all, by_dimension, len(total), int((~kept).sum()))


def inner_tokens(batch: Batch) -> torch.Tensor:
    """Real tokens that were not added and do not open a sequence, (batch, positions) bool."""
    first = torch.zeros_like(batch.attention_mask, dtype=torch.bool)
    first[:, 0] = True
    return batch.attention_mask.bool() & ~first & ~torch.as_tensor(batch.special, dtype=torch.bool)


def _sums(
    lm: LanguageModel, passes: Sequence[Batch], states: list[list[torch.Tensor]] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Sums over dimensions of every real token's state and of its square, (tokens, layers+1), and which are inner.

    states: takes what `_inner_states` would give.
    """
    sums, squares, inner = [], [], []
    for batch in passes:
        hidden = observe(lm, batch, attention=False).hidden
        real = batch.attention_mask.bool()
        sums.append(np.stack([_gather(h.double().sum(-1), real) for h in hidden], 1))
        squares.append(np.stack([_gather(h.double().square().sum(-1), real) for h in hidden], 1))
        inner.append(inner_tokens(batch)[real].numpy())
        if states is not None:
            states.append(_inner_rows(hidden, batch))
    return np.concatenate(sums), np.concatenate(squares), np.concatenate(inner)


def _deviation(total: NDArray[np.float64], square: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Standard deviation over tokens and dimensions, (layers+1,), from sums over dimensions (tokens, layers+1)."""
    count = len(total) * width
    mean = total.sum(0) / count
    deviation: NDArray[np.float64] = np.sqrt(square.sum(0) / count - mean**2)
    return deviation


def _inner_states(lm: LanguageModel, passes: Sequence[Batch]) -> Iterator[list[torch.Tensor]]:
    """Of every batch and layer 0..L, the states of its inner tokens, (tokens, width)."""
    return (_inner_rows(observe(lm, batch, attention=False).hidden, batch) for batch in passes)


def _inner_rows(hidden: Sequence[torch.Tensor], batch: Batch) -> list[torch.Tensor]:
    inner = inner_tokens(batch)
    return [stream[inner.to(stream.device)] for stream in hidden]


def _by_dimension(
    lm: LanguageModel, states: Iterable[list[torch.Tensor]], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Standard deviation of every dimension over the `kept` ones of all inner tokens, (layers+1, width)."""
    sums = torch.zeros((2, lm.layers + 1, lm.width), dtype=torch.float64)
    start = 0
    for streams in states:
        chosen = torch.from_numpy(kept[start : start + len(streams[0])])
        start += len(chosen)
        for layer, stream in enumerate(streams):
            rows = stream[chosen.to(stream.device)].double()
            sums[0, layer] += rows.sum(0).cpu()
            sums[1, layer] += rows.square().sum(0).cpu()
    mean, square = (sums / int(kept.sum())).numpy()
    return np.sqrt(np.maximum(square - mean**2, 0.0))


def _gather(values: torch.Tensor, real: torch.Tensor) -> NDArray[np.float64]:
    return values[real.to(values.device)].cpu().numpy()


def measure_shard(
    lm: LanguageModel,
    tokens: CorpusTokens,
    documents: range,
    scales: Scales,
    *,
    sink_ratio: float,
    batch_tokens: int,
    unit: str = "token",
    pairing: NDArray[np.int64] | None = None,
    progress: Progress | None = None,
) -> Shard:
    """Measure a run of consecutive documents.

    Args:
        tokens: the whole corpus with its draw; only sentences of `documents` are run.
        scales: from `measure_scales`; a token is a sink when its norm exceeds `sink_ratio` medians at any layer.
        unit: "sentence" replaces each sentence's drawn tokens by their mean.
        pairing: from `match_heads`: drift is the mean over matched heads, instead of that of the mean over heads.
    """
    chosen = np.flatnonzero(np.isin(tokens.document, np.arange(documents.start, documents.stop)))
    passes = tokens.passes()
    transitions = lm.layers - 1
    watching = lm.has_attention and transitions > 0
    drift = {name: np.full((len(chosen), transitions), np.nan, dtype=np.float32) for name in DRIFT_SETS}
    rows: dict[str, list[torch.Tensor]] = {name: [] for name in TOKEN_SETS}
    owners: dict[str, list[NDArray[np.int64]]] = {name: [] for name in TOKEN_SETS}
    about: list[_About] = []
    sinks = real = finished = 0
    for reading, sets in passes:
        part = _Part.of(reading, chosen)
        for batch in batches(part.sequences, max_tokens=batch_tokens):
            seen = observe(lm, batch, attention=watching and pairing is None)
            mask = batch.attention_mask.bool()
            ratio = norm_ratios(seen.hidden, mask, scales.median_norm)
            sink = ratio > sink_ratio
            if "calibrated" in sets:
                sinks, real = sinks + int(sink.sum()), real + int(mask.sum())
            if watching:
                kept = {
                    name: some for name, some in columns(batch, mask, sink).items() if _counts(name, sets)
                }
                found = (
                    _drift_of_mean(seen.attention, kept)
                    if pairing is None
                    else _drift_by_head(lm, batch, kept, pairing)
                )
                for name, values in found.items():
                    sentences, means = part.by_sentence(batch, values)
                    drift[name][sentences] = means
            for name in sets:
                averaged = unit == "sentence" and name == "calibrated"
                excluded = sink if averaged else torch.zeros_like(sink)
                picked, owner = _sample(seen.hidden, tokens.drawn[name], part, batch, excluded, unit)
                rows[name].append(picked)
                owners[name].append(owner)
            if "calibrated" in sets:
                count = len(owners["calibrated"][-1])
                about.append(_about(tokens, part, batch, ratio) if unit == "token" else _nothing(count))
            if progress is not None:
                finished += sum(len(part.members[index]) for index in batch.indices)
                progress(finished // len(passes), len(chosen), "sentences")
    if len(passes) == 1:
        drift[EVERY] = drift["paper"]
    hidden_rows, token_document = {}, {}
    for name in TOKEN_SETS:
        owner = np.concatenate(owners[name])
        order = np.argsort(owner, kind="stable")
        hidden_rows[name] = torch.cat(rows[name])[torch.from_numpy(order)]
        token_document[name] = tokens.document[owner[order]]
        if name == "calibrated":
            ratios, ranks, firsts = (np.concatenate(part)[order] for part in zip(*about, strict=True))
    return Shard(
        drift, tokens.document[chosen], hidden_rows, token_document, sinks, real, ratios, ranks, firsts
    )


_About = tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.bool_]]


def _about(tokens: CorpusTokens, part: _Part, batch: Batch, ratio: torch.Tensor) -> _About:
    """Norm ratio, rank of its word and whether it opens a sentence, of the drawn tokens of a batch as sampled."""
    drawn, words = tokens.drawn["calibrated"], tokens.words
    held = [(row, s) for row, index in enumerate(batch.indices) for s in part.members[index]]
    ratios = [ratio[row, drawn[s] + part.place[s]].numpy() for row, s in held]
    ranks, firsts = ([of[s] for _, s in held] for of in (words.rank, words.first))
    return np.concatenate(ratios).astype(np.float32), np.concatenate(ranks), np.concatenate(firsts)


def _nothing(count: int) -> _About:
    return np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.int8), np.zeros(count, dtype=bool)


@dataclass(frozen=True)
class _Part:
    """The sequences of one reading that hold the chosen sentences."""

    sequences: list[Encoded]
    members: list[NDArray[np.int64]]  # sentences of each, as the corpus counts them
    place: NDArray[np.int64]  # (sentences of the corpus,) position of the first token of each
    sizes: NDArray[np.int64]  # tokens of each
    first: int  # the first chosen sentence

    @classmethod
    def of(cls, reading: Reading, chosen: NDArray[np.int64]) -> _Part:
        members = reading.members()
        wanted = np.unique(reading.place[chosen, 0])
        return cls(
            [reading.sequences[i] for i in wanted],
            [members[i] for i in wanted],
            reading.place[:, 1],
            np.array([len(tokens.ids) for tokens in reading.sentences]),
            int(chosen[0]) if len(chosen) else 0,
        )

    def by_sentence(
        self, batch: Batch, values: torch.Tensor
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Means over the positions of each sentence, (sentences, transitions), of values (transitions, batch, T).

        The sentences are counted from the first chosen one. NaN where a sentence has no value.
        """
        host = values.double().cpu().numpy()
        found, means = [], []
        for row, index in enumerate(batch.indices):
            for sentence in self.members[index]:
                start = int(self.place[sentence])
                part = host[:, row, start : start + int(self.sizes[sentence])]
                known = ~np.isnan(part)
                count = known.sum(1)
                total = np.where(known, part, 0).sum(1)
                found.append(int(sentence) - self.first)
                means.append(np.divide(total, count, out=np.full(len(part), np.nan), where=count > 0))
        return np.array(found, dtype=np.int64), np.array(means, dtype=np.float32)


def _counts(name: str, sets: tuple[str, ...]) -> bool:
    """Whether a pass serves positions: all real ones are seen as each set reads them where each has its own pass."""
    return name in sets or (name == EVERY and sets == ("calibrated",))


def _drift_of_mean(attention: torch.Tensor | None, kept: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    assert attention is not None
    on_device = {name: some.to(attention.device) for name, some in kept.items()}
    return {name: row_drift(attention, some, some) for name, some in on_device.items()}


def _drift_by_head(
    lm: LanguageModel, batch: Batch, kept: dict[str, torch.Tensor], pairing: NDArray[np.int64]
) -> dict[str, torch.Tensor]:
    """Drift of matched heads, (layers−1, batch, T). Sinks are known only after a pass, so this is a second one."""
    kept = {name: each.to(lm.device) for name, each in kept.items()}
    shape = (len(pairing), *batch.input_ids.shape)
    drift = {name: torch.full(shape, torch.nan) for name in kept}
    earlier: list[torch.Tensor] = []

    def see(layer: int, weights: torch.Tensor) -> None:
        if layer > 1:
            partner = torch.from_numpy(pairing[layer - 2]).to(weights.device)
            for name, each in kept.items():
                drift[name][layer - 2] = matched_drift(earlier[0], weights, partner, each, each).cpu()
        earlier[:] = [weights]

    observe(lm, batch, attention=False, on_heads=see)
    return drift


def norm_ratios(
    hidden: Sequence[torch.Tensor], mask: torch.Tensor, median_norm: NDArray[np.float64]
) -> torch.Tensor:
    """The largest norm over its layer's median, (layers+1,), of every real token: (batch, positions); padding 0.

    A token is a sink where this exceeds the sink limit.
    """
    ratio = torch.zeros(mask.shape, dtype=torch.float64)
    for stream, median in zip(hidden, median_norm, strict=True):
        wide = torch.promote_types(stream.dtype, torch.float32)
        norm = torch.linalg.vector_norm(stream, dim=-1, dtype=wide).cpu().double()
        ratio = torch.maximum(ratio, norm / median)
    return torch.where(mask, ratio, torch.zeros_like(ratio))


def columns(batch: Batch, mask: torch.Tensor, sink: torch.Tensor) -> dict[str, torch.Tensor]:
    """Positions that count for S3. The paper starts at the second token and knows no sinks."""
    return {"paper": mask, "calibrated": inner_tokens(batch) & ~sink, EVERY: mask}


def _sample(
    hidden: Sequence[torch.Tensor],
    drawn: Positions,
    part: _Part,
    batch: Batch,
    excluded: torch.Tensor,
    unit: str,
) -> tuple[torch.Tensor, NDArray[np.int64]]:
    """Drawn tokens of a batch: (tokens, layers+1, width) on the host, and the sentence of each."""
    line, column, owner = [], [], []
    for row, index in enumerate(batch.indices):
        for sentence in part.members[index]:
            positions = drawn[sentence] + part.place[sentence]
            positions = positions[~excluded[row, positions].numpy()]
            line.append(np.full(len(positions), row))
            column.append(positions)
            owner.append(np.full(len(positions), sentence))
    rows, columns, owners = (np.concatenate(part) for part in (line, column, owner))
    flat = torch.from_numpy(rows * batch.input_ids.shape[1] + columns)
    picked = torch.stack([h.flatten(0, 1).index_select(0, flat.to(h.device)).cpu() for h in hidden], dim=1)
    if unit == "token":
        return picked, owners
    sentences, inverse = np.unique(owners, return_inverse=True)
    picked = picked.to(torch.promote_types(picked.dtype, torch.float32))
    sums = picked.new_zeros(len(sentences), *picked.shape[1:]).index_add_(
        0, torch.from_numpy(inverse), picked
    )
    means = sums / torch.from_numpy(np.bincount(inverse)).view(-1, 1, 1)
    return means, sentences
