"""What the probes of S2 are asked: labelled words and word pairs of a treebank, and how their answers are counted."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError
from mspgt.text.treebank import LabelledSentence, Treebank

Ints = NDArray[np.int64]

SPLITS = ("train", "dev", "test")
# Entities must be found; words, heads and arguments are given, and their micro F1 is an accuracy.
SCORES = {"pos": "accuracy", "dep": "accuracy", "ner": "entity F1", "srl": "accuracy"}


@dataclass(frozen=True)
class Examples:
    """Labelled words (parts = 1) or word pairs (parts = 2) of one split, in sentence order.

    rows: (examples, parts) words, counted over all sentences of the split.
    labels: (examples,) places in `ProbeTask.labels`; at or above `ProbeTask.classes` for labels that train lacks.
    types: (examples, parts) word type of each part, numbered over all splits, first that by which the control task
        goes.
    sentence: (examples,) place of the sentence in the split.
    """

    rows: Ints
    labels: Ints
    types: Ints
    sentence: Ints

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: NDArray[np.bool_] | Ints) -> Examples:
        return Examples(self.rows[chosen], self.labels[chosen], self.types[chosen], self.sentence[chosen])


@dataclass(frozen=True)
class ProbeTask:
    """One probing task.

    pos: universal part of speech of a word. ner: its BIO entity tag. dep: relation of the pair word, head (the
    root has no head word and is left out). srl: role of the pair predicate, last word of the argument, over gold
    arguments other than the predicate itself.

    Answers are counted by sentence as true positives, false positives and false negatives: of entity spans for
    ner, of labels for the others, whose F1 = 2TP / (2TP + FP + FN) is the micro average over given words, heads and
    spans: their accuracy, and called so.
    `labels` are those of train, then those only dev or test have: no probe can answer one of them, so each costs
    a false negative (and, since something else was answered, mostly a false positive).
    """

    name: str
    labels: tuple[str, ...]
    classes: int
    documents: tuple[str, ...]  # of each sentence of the test split
    examples: dict[str, Examples]  # "train", "dev", "test"

    @property
    def score(self) -> str:
        """What F1 is here: "entity F1", or "accuracy" (of given words, heads and spans)."""
        return SCORES[self.name]

    @property
    def outside(self) -> int:
        """Place of the label that F1 leaves out, -1 if there is none."""
        return self.labels.index("O") if self.name == "ner" and "O" in self.labels else -1

    def counts(self, predicted: Ints) -> NDArray[np.int32]:
        """Answers (probes, examples) to test, as counts (probes, sentences, 3) of TP, FP, FN."""
        test = self.examples["test"]
        if self.name == "ner":
            expected, gold_kind, gold_end = self._decode(test.labels[None])
            answered, kind, end = self._decode(predicted)
            true = expected & answered & (gold_kind == kind) & (gold_end == end)
        else:
            true = predicted == test.labels
            answered = expected = np.ones_like(true)
        cells = np.stack([true, answered & ~true, expected & ~true], axis=-1)
        counts = np.zeros((len(self.documents), len(predicted), 3), dtype=np.int32)
        np.add.at(counts, test.sentence, cells.swapaxes(0, 1))
        return counts.swapaxes(0, 1)

    def _decode(self, tags: Ints) -> tuple[NDArray[np.bool_], Ints, Ints]:
        """Entities of BIO tags (probes, words of test): where one starts, its kind, and the first word after it.

        I- after O, at the start of a sentence or after another kind starts an entity, as in conlleval.
        """
        kinds = sorted({label[1:] for label in self.labels})
        kind = np.array([kinds.index(label[1:]) for label in self.labels])[tags]
        tag = np.array([label[0] for label in self.labels])[tags]
        same_sentence = np.diff(self.examples["test"].sentence) == 0
        goes_on = np.zeros(tags.shape, dtype=bool)
        goes_on[:, 1:] = (tag[:, 1:] == "I") & (kind[:, 1:] == kind[:, :-1]) & same_sentence
        words = tags.shape[1]
        breaks = np.where(goes_on, words, np.arange(words))
        end = np.full_like(breaks, words)
        end[:, :-1] = np.minimum.accumulate(breaks[:, :0:-1], axis=1)[:, ::-1]
        return (tag != "O") & ~goes_on, kind, end

    def control(self, seed: int) -> ProbeTask:
        """The control task: every word type has one label, drawn once from the label frequencies of train.

        Only memory of the word can solve it (Hewitt & Liang 2019). For pairs the type is that of the dependent, or
        of the argument's last word, alone. Labels drawn for pairs of types could not be memorised and would flatter
        selectivity: of EWT's test pairs a fifth are among those of 2,000 train sentences, of its dependents 84 %.
        """
        train = self.examples["train"]
        frequency = np.bincount(train.labels, minlength=self.classes) / len(train)
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        drawn = rng.choice(self.classes, size=self._types(), p=frequency)
        examples = {
            split: replace(each, labels=drawn[each.types[:, 0]]) for split, each in self.examples.items()
        }
        return replace(self, name=f"{self.name} control", examples=examples)

    def floor(self) -> float:
        """Test F1 of answering with the most frequent train label of the word type, or of the pair of word types.

        For a pair that train lacks, that of the first type alone; for a type that train lacks, that of all. NaN
        where test has nothing to find and nothing was found.
        """
        train, test = self.examples["train"], self.examples["test"]
        overall = np.bincount(train.labels, minlength=self.classes)
        answers = np.full(len(test), overall.argmax())
        for parts in range(1, train.types.shape[1] + 1):
            both = np.concatenate([train.types[:, :parts], test.types[:, :parts]])
            seen, number = np.unique(both, axis=0, return_inverse=True)
            table = np.zeros((len(seen), self.classes))
            np.add.at(table, (number.ravel()[: len(train)], train.labels), 1)
            known = table.sum(1) > 0
            # The total breaks ties; scaled, it never outweighs an occurrence.
            best = (table + overall / (len(train) + 1)).argmax(1)
            mine = number.ravel()[len(train) :]
            answers = np.where(known[mine], best[mine], answers)
        true, wrong, missed = self.counts(answers[None]).sum((0, 1))
        size = 2 * true + wrong + missed
        return float(2 * true / size) if size else np.nan

    def _types(self) -> int:
        return 1 + max(int(each.types.max()) for each in self.examples.values())


def probe_tasks(treebank: Treebank) -> dict[str, ProbeTask]:
    """The tasks of a treebank that are not off, in the order of `treebank.tasks`.

    A sentence without labels for a task gives it no examples.

    Raises:
        InputError: a split has no example of a task, train has a single label, or an entity tag is not BIO.
    """
    return {name: _task(name, treebank) for name in treebank.tasks}


def _task(name: str, treebank: Treebank) -> ProbeTask:
    names: dict[str, int] = {}
    types: dict[str, int] = {}
    examples: dict[str, Examples] = {}
    classes = 0
    for split in SPLITS:
        sentences = getattr(treebank, split)
        examples[split] = _examples(name, sentences, names, types)
        if not len(examples[split]):
            raise InputError(
                f"Expected examples of {name} in the {split} split of {treebank.name}, found none among "
                f"{len(sentences)} sentences. Give a treebank with all three splits, or raise its limits."
            )
        classes = classes or len(names)
    if classes < 2:
        raise InputError(
            f"Expected at least two labels of {name} in the train split of {treebank.name}, found only "
            f"{next(iter(names))!r}. Raise the limit on its sentences, or leave the task out."
        )
    odd = [label for label in names if label != "O" and label[:2] not in ("B-", "I-")]
    if name == "ner" and odd:
        raise InputError(
            f"Expected entity tags O, B-… and I-…, found {odd[:5]}. Convert the entities to BIO (IOB2)."
        )
    documents = tuple(sentence.document for sentence in treebank.test)
    return ProbeTask(name, tuple(names), classes, documents, examples)


def _examples(
    name: str, sentences: Sequence[LabelledSentence], names: dict[str, int], types: dict[str, int]
) -> Examples:
    """Examples of one split; labels and word types that are new get the next number."""
    parts = 2 if name in ("dep", "srl") else 1
    rows: list[list[int]] = []
    kinds: list[list[int]] = []
    labels, places = [], []
    first = 0
    for place, sentence in enumerate(sentences):
        for words, label in _of_sentence(name, sentence):
            rows.append([first + word for word in words])
            labels.append(names.setdefault(label, len(names)))
            order = reversed(words) if name == "srl" else words
            kinds.append([types.setdefault(sentence.words[word], len(types)) for word in order])
            places.append(place)
        first += len(sentence.words)
    return Examples(
        np.array(rows, dtype=np.int64).reshape(-1, parts),
        np.array(labels, dtype=np.int64),
        np.array(kinds, dtype=np.int64).reshape(-1, parts),
        np.array(places, dtype=np.int64),
    )


def _of_sentence(name: str, sentence: LabelledSentence) -> Iterator[tuple[tuple[int, ...], str]]:
    """(words, label) of each example of a sentence."""
    if name == "dep" and sentence.heads is not None and sentence.deprels is not None:
        for word, (head, relation) in enumerate(zip(sentence.heads, sentence.deprels, strict=True)):
            if head >= 0:
                yield (word, head), relation
    elif name == "srl":
        for proposition in sentence.propositions or ():
            for role, _, end in proposition.arguments:
                if role != "V":
                    yield (proposition.predicate, end - 1), role
    elif name in ("pos", "ner"):
        for word, label in enumerate((sentence.upos if name == "pos" else sentence.entities) or ()):
            yield (word,), label
