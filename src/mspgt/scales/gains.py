"""Bits that each layer adds to what is known without it, by document, task and layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.errors import InputError
from mspgt.lm.start import AUTO
from mspgt.scales.documents import RunningText
from mspgt.scales.readers import Reading, arrange, crossfit, prior, projected
from mspgt.scales.states import WordStates, running_mean, word_states
from mspgt.scales.tasks import TASKS, Task, TaskLabels, read_labels
from mspgt.vocabulary import SINK_RATIO

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel
    from mspgt.vocabulary import Progress

SEEDS = 2
_BITS = 1 / np.log(2)

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Gains:
    """Sums over the words of each document; no activations.

    sums: (seeds, documents, tasks, layers + 1) bits that a layer's reader saves over the task's baseline; layer 0 is
    the baseline itself (0 for all tasks but those beyond nothing). counts: (documents, tasks) labelled words.
    baseline: (seeds, documents, tasks) bits the baseline saves over the label frequencies. entropy: (tasks,) bits a
    label. classes: (tasks,). off: task → why it could not be asked. about: what was read and dropped.
    """

    tasks: tuple[str, ...]
    sums: Array
    counts: Array
    baseline: Array
    entropy: Array
    classes: tuple[int, ...]
    off: dict[str, str]
    about: dict[str, float | str] = field(default_factory=dict)

    @property
    def layers(self) -> int:
        return self.sums.shape[-1] - 1

    def bits(self) -> Array:
        """Mean gain of every task and layer, bits a word: (tasks, layers + 1)."""
        return np.asarray(self.sums.mean(0).sum(0) / self.counts.sum(0)[:, None])


def measure_gains(
    lm: LanguageModel,
    text: RunningText,
    *,
    tasks: Sequence[Task] = TASKS,
    seeds: int = SEEDS,
    sink_ratio: float = SINK_RATIO,
    start: str = AUTO,
    batch_tokens: int = 2048,
    progress: Progress | None = None,
) -> Gains:
    """Conditional usable information of context by layer: equation-free, see docs/scales.md.

    g_t(l) = mean of log2 p(y | h_l, baseline) − log2 p(y | baseline), the baseline being a reader of the word alone:
    its layer-0 vectors, boosted by its states when it is run alone behind the start token; for tasks beyond the bag
    also of the running means of both over the document.

    Args:
        seeds: readers with so many deals of the documents into folds.
        sink_ratio: a word whose norm exceeds so many medians of a layer is a sink and left out.
        start: the start token, as in `lm.start.start_token`.

    Raises:
        InputError: no task has labels.
    """
    with word_states(lm, text, start=start, batch_tokens=batch_tokens, progress=progress) as states:
        sinks = states.sinks(sink_ratio)
        first = np.concatenate([[True], states.document[1:] != states.document[:-1]])
        kept = states.present & ~first & ~sinks
        asked, off = read_labels(text, tasks, kept)
        if not asked:
            raise InputError(
                f"No functional task has labels: {off}. Give a treebank with the columns that they need."
            )
        readers = [_Readers(states, kept, asked, seed, lm.device) for seed in range(seeds)]
        every = len(text.documents)
        sums = np.zeros((seeds, every, len(asked), states.layers + 1))
        for layer in range(1, states.layers + 1):
            values = states.layer(layer)[kept]
            for seed, reader in enumerate(readers):
                sums[seed, :, :, layer] = reader.gains(values, every)
            if progress is not None:
                progress(layer, states.layers, "functional scales: readers, layers")
        for seed, reader in enumerate(readers):
            sums[seed, :, :, 0] = reader.at_embedding(every)
        about = _about(states, kept, first, sinks)
    return Gains(
        tasks=tuple(each.task.name for each in asked),
        sums=sums,
        counts=readers[0].counts(every),
        baseline=np.stack([reader.baseline(every) for reader in readers]),
        entropy=np.array([each.entropy(kept) for each in asked]),
        classes=tuple(len(each.classes) for each in asked),
        off=off,
        about=about,
    )


def _about(states: WordStates, kept: Bools, first: Bools, sinks: Bools) -> dict[str, float | str]:
    return {
        "words": int(kept.sum()),
        "words_read": len(kept),
        "sinks": int(sinks.sum()),
        "beyond_context": int((~states.present).sum()),
        "first_words": int(first.sum()),
        "distinct_words": states.alone.values.shape[1],
        "start_token": states.start,
        "alone_depths": ", ".join(map(str, states.alone.depths)),
    }


class _Readers:
    """The readers of one deal of documents: baselines first, then layer after layer."""

    def __init__(
        self, states: WordStates, kept: Bools, asked: Sequence[TaskLabels], seed: int, device: torch.device
    ) -> None:
        self._asked, self._device, self._document = asked, device, states.document[kept]
        self._reading = arrange(
            [each.labels[kept] for each in asked],
            [len(each.classes) for each in asked],
            self._document,
            seed,
            device,
        )
        self._prior = prior(self._reading)
        embedding = states.layer(0)
        word = [embedding[kept], states.mean_embedding[kept].astype(np.float32)]
        shown = self._crossfit(word, self._prior)
        self._embedding = shown
        alone = states.alone
        for values in alone.values:
            shown = self._crossfit([values[alone.word][kept].astype(np.float32)], shown)
        bags = [lambda: states.mean_embedding.astype(np.float32)]
        bags += [lambda v=values: v[alone.word].astype(np.float32) for values in alone.values]  # type: ignore[misc]
        beyond_bag = [task for task, each in enumerate(asked) if each.task.beyond == "bag"]
        if beyond_bag:
            few = Reading(
                self._reading.order,
                self._reading.cuts,
                tuple(self._reading.labels[task] for task in beyond_bag),
                tuple(self._reading.classes[task] for task in beyond_bag),
                self._reading.document,
            )
            known = [shown[task] for task in beyond_bag]
            for bag in bags:
                known = self._crossfit([running_mean(bag, states.document)[kept]], known, few)
            for task, found in zip(beyond_bag, known, strict=True):
                shown[task] = found
        self._offsets = [
            self._prior[task] if each.task.beyond == "nothing" else shown[task]
            for task, each in enumerate(asked)
        ]
        self._baseline = shown

    def _crossfit(
        self, values: Sequence[NDArray[np.float32]], offsets: Sequence[Tensor], reading: Reading | None = None
    ) -> list[Tensor]:
        reading = reading or self._reading
        sides = [
            projected(torch.from_numpy(side[reading.order]).to(self._device), seed)
            for seed, side in enumerate(values)
        ]
        return crossfit(torch.cat(sides, dim=1), reading, offsets)

    def gains(self, values: NDArray[np.float32], documents: int) -> Array:
        """(documents, tasks) bits that the states (kept words, width) save over the offsets."""
        return self._saved(self._crossfit([values], self._offsets), self._offsets, documents)

    def at_embedding(self, documents: int) -> Array:
        """The same at layer 0: what the word's own vectors tell, for tasks beyond nothing; 0 for the others."""
        told = self._saved(self._embedding, self._prior, documents)
        return told * np.array([each.task.beyond == "nothing" for each in self._asked])

    def baseline(self, documents: int) -> Array:
        return self._saved(self._baseline, self._prior, documents)

    def counts(self, documents: int) -> Array:
        own = [each >= 0 for each in self._reading.labels]
        return np.stack([self._by_document(each.double(), documents) for each in own], axis=1)

    def _saved(self, found: Sequence[Tensor], known: Sequence[Tensor], documents: int) -> Array:
        columns = []
        for labels, better, offset in zip(self._reading.labels, found, known, strict=True):
            right = labels.clamp_min(0).unsqueeze(1)
            bits = (better.gather(1, right) - offset.log_softmax(1).gather(1, right)).squeeze(1) * _BITS
            columns.append(self._by_document(torch.where(labels >= 0, bits, 0.0), documents))
        return np.stack(columns, axis=1)

    def _by_document(self, values: Tensor, documents: int) -> Array:
        sums = torch.bincount(self._reading.document, weights=values.double(), minlength=documents)
        return np.asarray(sums.cpu().numpy())
