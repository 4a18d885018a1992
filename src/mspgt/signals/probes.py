"""Probes of S2: small classifiers of words and word pairs on every layer, their control tasks and code lengths.

A probe reads what the next block reads up to its gains: states divided by their own root mean square, so that a word
with a massive activation is a direction among others, then standardised by dimension on words that are no sinks.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.errors import InputError, NumericsError
from mspgt.signals.classifier import Labelled, Recipe, fit
from mspgt.signals.codelength import online_codelength
from mspgt.signals.features import WordFeatures
from mspgt.signals.labels import SPLITS, ProbeTask
from mspgt.vocabulary import SINK_RATIO, Progress

Array = NDArray[np.float64]

MOST_DEV = 2048  # examples that choose a probe's epoch


@dataclass(frozen=True)
class TaskResult:
    """What the probes of one task answered; layers 0..L, layer 0 the embedding.

    counts: (seeds, layers, sentences, 3) TP, FP, FN by sentence of test.
    accuracy: (seeds, layers) share of test examples answered rightly; for ner, of words.
    best_epoch: (seeds, layers) the epoch kept, from 1.
    control: (layers,) test accuracy on the control task, first seed; None without controls.
    bits: (layers,) online codelength in bits an example of train, first seed; None without controls.
    classes: labels of train; the uniform code takes log2(classes) bits an example.
    floor: test F1 of the most frequent label of each word type, or pair of word types.
    examples: split → examples used; "unseen" are those of test whose label train lacks.
    """

    counts: NDArray[np.int32]
    accuracy: Array
    best_epoch: NDArray[np.int64]
    control: Array | None
    bits: Array | None
    classes: int
    floor: float
    examples: dict[str, int]


@dataclass(frozen=True)
class ProbeResults:
    """All probes of one model.

    results: task → what its probes answered.
    document: (sentences,) document of each sentence of test, numbered as they appear.
    dropped: "split: reason" → sentences left out.
    """

    results: dict[str, TaskResult]
    document: NDArray[np.int64]
    dropped: dict[str, int]

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self.results)

    @property
    def n_documents(self) -> int:
        """Documents of the test split."""
        return int(self.document.max()) + 1

    def selectivity(self, task: str) -> list[float] | None:
        """Accuracy less control accuracy by layer (Hewitt & Liang 2019), first seed; None without controls.

        Of ner, the accuracy of words, most of which are outside of entities.
        """
        result = self.results[task]
        return None if result.control is None else [float(v) for v in result.accuracy[0] - result.control]

    def codelength(self, task: str) -> list[float] | None:
        """Online codelength by layer in bits an example (Voita & Titov 2020); None without controls."""
        bits = self.results[task].bits
        return None if bits is None else [float(v) for v in bits]

    def floor(self, task: str) -> float:
        """Test F1 of the most frequent label of each word type, or pair of word types."""
        return self.results[task].floor

    def examples(self, task: str) -> dict[str, int]:
        """Split → examples used."""
        return self.results[task].examples

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that is an array, by name; `meta` holds the rest."""
        arrays: dict[str, NDArray[Any]] = {"document": self.document}
        for task, result in self.results.items():
            for field in fields(result):
                if isinstance(value := getattr(result, field.name), np.ndarray):
                    arrays[f"{task}.{field.name}"] = value
        return arrays

    def meta(self) -> dict[str, Any]:
        """Everything that is not an array, fit for JSON."""
        small = ("classes", "floor", "examples")
        tasks = {task: {name: getattr(r, name) for name in small} for task, r in self.results.items()}
        return {"tasks": tasks, "dropped": self.dropped}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> ProbeResults:
        """The inverse of `to_arrays` and `meta`."""
        large = ("counts", "accuracy", "best_epoch", "control", "bits")
        results = {}
        for task, small in meta["tasks"].items():
            values: dict[str, Any] = {name: arrays.get(f"{task}.{name}") for name in large}
            results[task] = TaskResult(**values, **small)
        return cls(results, arrays["document"], dict(meta["dropped"]))


def train_probes(
    train: WordFeatures,
    dev: WordFeatures,
    test: WordFeatures,
    tasks: Mapping[str, ProbeTask],
    *,
    seeds: int = 3,
    hidden: int = 128,
    epochs: int = 3,
    max_examples: int | None = 16_384,
    controls: bool = True,
    seed: int = 0,
    device: str | torch.device | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
) -> ProbeResults:
    """Train every probe of a model and count its answers on test.

    A probe is a ReLU layer of `hidden` units and a softmax (the paper's signal 2) on features over their root mean
    square, standardised by layer and dimension on the words of train that are no sinks. Examples, initial weights
    and batches are the same for all layers and differ between seeds, so that layers differ by what they represent
    only, and seeds by everything but test. Of each probe the epoch with the best F1 on dev is kept.

    Args:
        seeds: independent probes of each layer and task.
        max_examples: train examples of a task that a seed draws; None for all.
        controls: also control task and online codelength, on the examples of the first seed.
        seed: of all that is drawn.
        device: where to train; None for where the model ran.
        memory: bytes of standardised features at a time; layers train in groups that fit. None for 256 MiB, or a
            quarter of what is free on a GPU. Changes nothing else.
        progress: called with (probes done, probes, text).

    Raises:
        InputError: the splits, features and tasks do not fit together, or a task has no examples left.
        NumericsError: features are NaN or infinite, naming split and layer.
    """
    splits = dict(zip(SPLITS, (train, dev, test), strict=True))
    if not tasks or min(seeds, hidden, epochs) < 1:
        raise InputError(
            "Expected at least one task, seed, hidden unit and epoch, "
            f"found {len(tasks)}, {seeds}, {hidden} and {epochs}."
        )
    _require_alike(splits)
    tasks = {name: _kept(task, splits) for name, task in tasks.items()}
    layers, _, width = train.values.shape
    words = sum(len(features.kept) for features in splits.values())
    device = train.device if device is None else torch.device(device)
    at_once = max(1, (_room(device) if memory is None else memory) // (4 * words * width))
    groups = [range(int(g[0]), int(g[-1]) + 1) for g in np.array_split(range(layers), -(-layers // at_once))]
    recipe = Recipe(hidden, epochs)
    usual = _usual(splits["train"], device)

    results = {name: _empty(task, seeds, layers, controls) for name, task in tasks.items()}
    probes = [(name, number) for name in tasks for number in range(seeds)]
    for place, group in enumerate(groups):
        here = slice(group.start, group.stop)
        tables = _tables(splits, group, usual, device)
        for done, (name, number) in enumerate(probes, start=1 + place * len(probes)):
            task, result = tasks[name], results[name]
            # Task, control task and online code start from the same key: same examples, same initial weights.
            key = [seed, number, zlib.crc32(name.encode())]
            answers, result.best_epoch[number, here] = _answers(task, tables, max_examples, recipe, key)
            result.counts[number, here] = task.counts(answers)
            result.accuracy[number, here] = (answers == task.examples["test"].labels).mean(1)
            if number == 0 and result.control is not None and result.bits is not None:
                control = task.control(seed)
                answers, _ = _answers(control, tables, max_examples, recipe, key)
                result.control[here] = (answers == control.examples["test"].labels).mean(1)
                rng = np.random.default_rng(key)
                data = _draw(task, tables, max_examples, rng)
                result.bits[here] = online_codelength(data["train"], data["dev"], task.classes, recipe, rng)
            if progress is not None:
                progress(done, len(groups) * len(probes), f"probes of {name}")
    return ProbeResults(
        results,
        _document_numbers(next(iter(tasks.values())).documents),
        {f"{split}: {why}": n for split, features in splits.items() for why, n in features.dropped.items()},
    )


def _room(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] // 4 if device.type == "cuda" else 2**28


def _answers(
    task: ProbeTask, tables: Mapping[str, Tensor], limit: int | None, recipe: Recipe, key: list[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Train one probe a layer: its answers to test (layers, examples) and the epoch kept (layers,)."""
    rng = np.random.default_rng(key)
    data = _draw(task, tables, limit, rng)
    probe = fit(data["train"], data["dev"], task.classes, recipe, rng, outside=task.outside)
    return probe.answers(data["test"]), probe.best_epoch


def _draw(
    task: ProbeTask, tables: Mapping[str, Tensor], limit: int | None, rng: np.random.Generator
) -> dict[str, Labelled]:
    """Examples over the tables: train drawn, dev without labels that train lacks, both in random order."""
    train, dev, test = (task.examples[split] for split in SPLITS)
    known = np.flatnonzero(dev.labels < task.classes)
    chosen = {
        "train": train[rng.permutation(len(train))[:limit]],
        "dev": dev[rng.permutation(known)[:MOST_DEV]],
        "test": test,
    }
    device = tables["train"].device
    return {
        split: Labelled(
            tables[split], torch.from_numpy(each.rows).to(device), torch.from_numpy(each.labels).to(device)
        )
        for split, each in chosen.items()
    }


def _usual(train: WordFeatures, device: torch.device) -> Tensor:
    """Places of the kept words of train that are no sinks at any layer; block outputs and the embedding count."""
    kept = torch.from_numpy(np.flatnonzero(train.kept))
    sink = torch.zeros(len(kept), dtype=torch.bool, device=device)
    for layer in train.values:
        norm = layer[kept].to(device, torch.float32).norm(dim=-1)
        sink |= norm > SINK_RATIO * norm.median()
    return kept.to(device)[~sink]


def _tables(
    splits: Mapping[str, WordFeatures], group: range, usual: Tensor, device: torch.device
) -> dict[str, Tensor]:
    """Words of each split at some layers, (layers, words, width) float32: RMS 1 each, standardised on `usual`."""
    tables = {
        split: torch.empty((len(group), *features.values.shape[1:]), device=device)
        for split, features in splits.items()
    }
    for place, layer in enumerate(group):
        for split, features in splits.items():
            words = features.values[layer].to(device, torch.float32)
            if not bool(words.isfinite().all()):
                raise NumericsError(
                    f"Expected finite features, found NaN or infinity at layer {layer} of the {split} split. "
                    "Load the model with dtype='float32' or 'bfloat16'."
                )
            # A word that was left out is all zeros, and stays so.
            rms = words.square().mean(-1, keepdim=True).sqrt()
            torch.div(words, rms.where(rms > 0, 1.0), out=tables[split][place])
        std, mean = torch.std_mean(tables["train"][place, usual], dim=0)
        for table in tables.values():
            table[place].sub_(mean).div_(std.where(std > 0, 1.0))
    return tables


def _require_alike(splits: Mapping[str, WordFeatures]) -> None:
    shapes = {split: tuple(features.values.shape) for split, features in splits.items()}
    if len({(len(shape), shape[0], shape[-1]) for shape in shapes.values()}) > 1:
        raise InputError(
            f"Expected features (layers, words, width) of one model, found {shapes}. "
            "Take all splits from the same model."
        )


def _kept(task: ProbeTask, splits: Mapping[str, WordFeatures]) -> ProbeTask:
    """The task without the examples of sentences that were left out."""
    left = {}
    for split, features in splits.items():
        examples = task.examples[split]
        if examples.rows.max() >= len(features.kept):
            raise InputError(
                f"Expected features of every word of the {split} split, found {len(features.kept)} words and labels "
                f"of {task.name} up to word {examples.rows.max() + 1}. Take both from the same treebank."
            )
        left[split] = examples[np.all(features.kept[examples.rows], axis=1)]
        if not (left[split].labels < task.classes).any():
            raise InputError(
                f"Expected examples of {task.name} in the {split} split with labels that train has, found none; "
                f"sentences left out: {features.dropped or 0}. Give more sentences, or shorter ones."
            )
    return replace(task, examples=left)


def _empty(task: ProbeTask, seeds: int, layers: int, controls: bool) -> TaskResult:
    return TaskResult(
        counts=np.zeros((seeds, layers, len(task.documents), 3), dtype=np.int32),
        accuracy=np.zeros((seeds, layers)),
        best_epoch=np.zeros((seeds, layers), dtype=np.int64),
        control=np.zeros(layers) if controls else None,
        bits=np.zeros(layers) if controls else None,
        classes=task.classes,
        floor=task.floor(),
        examples={
            **{split: len(examples) for split, examples in task.examples.items()},
            "unseen": int((task.examples["test"].labels >= task.classes).sum()),
        },
    )


def _document_numbers(documents: tuple[str, ...]) -> NDArray[np.int64]:
    numbers = {document: number for number, document in enumerate(dict.fromkeys(documents))}
    return np.array([numbers[document] for document in documents], dtype=np.int64)
