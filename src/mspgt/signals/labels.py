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


@dataclass(frozen=True)
class Examples:
    """Labelled words (parts = 1) or word pairs (parts = 2) of one split, in sentence order.

    rows: (examples, parts) words, counted over all sentences of the split.
    labels: (examples,) places in `ProbeTask.labels`; at or above `ProbeTask.classes` for labels that train lacks.
    types: (examples,) word type of the last word of the example that a control task labels, shared by the splits.
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
    ner, of labels for the others, whose F1 = 2TP / (2TP + FP + FN) is the micro average and equals accuracy.
    `labels` are those of train, then those only dev or test have: no probe can answer one of them, so each costs
    a false negative (and, since something else was answered, mostly a false positive).
    """

    name: str
    labels: tuple[str, ...]
    classes: int
    documents: tuple[str, ...]  # of each sentence of the test split
    train: Examples
    dev: Examples
    test: Examples

    def split(self, name: str) -> Examples:
        """The examples of "train", "dev" or "test"."""
        return {"train": self.train, "dev": self.dev, "test": self.test}[name]

    @property
    def outside(self) -> int:
        """Place of the label that F1 leaves out, -1 if there is none."""
        return self.labels.index("O") if self.name == "ner" and "O" in self.labels else -1

    def counts(self, predicted: Ints, examples: Examples) -> NDArray[np.int32]:
        """Answers (probes, examples) to `examples` of test, as counts (probes, sentences, 3) of TP, FP, FN."""
        if self.name == "ner":
            true, answered, expected = self._spans(predicted, examples)
        else:
            true = predicted == examples.labels
            answered = expected = np.ones_like(true)
        cells = np.stack([true, answered & ~true, expected & ~true], axis=-1)
        counts = np.zeros((len(predicted), len(self.documents), 3), dtype=np.int32)
        np.add.at(counts, (slice(None), examples.sentence), cells)
        return counts

    def _spans(self, predicted: Ints, examples: Examples) -> tuple[NDArray[np.bool_], ...]:
        """Whether a right, an answered and an expected entity starts at each word: (probes, words)."""
        gold = self._decode(examples.labels[None], examples.sentence)
        found = self._decode(predicted, examples.sentence)
        both = gold[0] & found[0]
        return (
            both & (gold[1] == found[1]) & (gold[2] == found[2]),
            found[0],
            np.broadcast_to(gold[0], both.shape),
        )

    def _decode(self, tags: Ints, sentence: Ints) -> tuple[NDArray[np.bool_], Ints, Ints]:
        """Entities of BIO tags (probes, words): where one starts, its kind, and the first word after it.

        I- after O, at the start of a sentence or after another kind starts an entity, as in conlleval.
        """
        kinds = sorted({label[1:] for label in self.labels})
        kind = np.array([kinds.index(label[1:]) for label in self.labels])[tags]
        tag = np.array([label[0] for label in self.labels])[tags]
        goes_on = np.zeros(tags.shape, dtype=bool)
        goes_on[:, 1:] = (tag[:, 1:] == "I") & (kind[:, 1:] == kind[:, :-1]) & (np.diff(sentence) == 0)
        words = tags.shape[1]
        breaks = np.where(goes_on, words, np.arange(words))
        end = np.full_like(breaks, words)
        end[:, :-1] = np.minimum.accumulate(breaks[:, :0:-1], axis=1)[:, ::-1]
        return (tag != "O") & ~goes_on, kind, end

    def control(self, seed: int) -> ProbeTask:
        """The control task: every word type has one label, drawn once from the label frequencies of train.

        Only memory of the word can solve it (Hewitt & Liang 2019). For pairs the type is that of the dependent or
        of the argument's last word alone: pairs of types rarely come back in test (a fifth of EWT's do, nine
        tenths of its words), so that labels drawn for pairs could not be memorised and would flatter selectivity.
        """
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        frequency = np.bincount(self.train.labels, minlength=self.classes) / len(self.train)
        n_types = 1 + max(int(self.split(name).types.max()) for name in SPLITS)
        drawn = rng.choice(self.classes, size=n_types, p=frequency)
        controls = {name: replace(self.split(name), labels=drawn[self.split(name).types]) for name in SPLITS}
        return replace(self, name=f"{self.name} control", **controls)

    def floor(self) -> float:
        """Test F1 of answering with the most frequent train label of the word type, or of all for an unseen type."""
        n_types = 1 + max(int(self.split(name).types.max()) for name in SPLITS)
        table = np.zeros((n_types, self.classes))
        np.add.at(table, (self.train.types, self.train.labels), 1)
        # The total breaks ties and answers for unseen types; scaled, it can never outweigh an occurrence.
        table += table.sum(0) / (len(self.train) + 1)
        true, wrong, missed = self.counts(table.argmax(1)[self.test.types][None], self.test).sum((0, 1))
        return float(2 * true / (2 * true + wrong + missed))


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
    split: dict[str, Examples] = {}
    classes = 0
    for part in SPLITS:
        split[part] = _examples(name, getattr(treebank, part), names, types)
        if not len(split[part]):
            raise InputError(
                f"Expected examples of {name} in the {part} split of {treebank.name}, found none among "
                f"{len(getattr(treebank, part))} sentences. Give a treebank with all three splits, or raise its limits."
            )
        classes = classes or len(names)
    if classes < 2:
        raise InputError(
            f"Expected at least two labels of {name} in the train split of {treebank.name}, found only {list(names)[0]!r}. "
            "Raise the limit on its sentences, or leave the task out."
        )
    if name == "ner" and (
        odd := [label for label in names if label != "O" and label[:2] not in ("B-", "I-")]
    ):
        raise InputError(
            f"Expected entity tags O, B-… and I-…, found {odd[:5]}. Convert the entities to BIO (IOB2)."
        )
    documents = tuple(sentence.document for sentence in treebank.test)
    return ProbeTask(name, tuple(names), classes, documents, **split)


def _examples(
    name: str, sentences: Sequence[LabelledSentence], names: dict[str, int], types: dict[str, int]
) -> Examples:
    """Examples of one split; labels and word types that are new get the next number."""
    parts = 2 if name in ("dep", "srl") else 1
    rows: list[list[int]] = []
    labels, kinds, places = [], [], []
    first = 0
    for place, sentence in enumerate(sentences):
        for words, typed, label in _of_sentence(name, sentence):
            rows.append([first + word for word in words])
            labels.append(names.setdefault(label, len(names)))
            kinds.append(types.setdefault(sentence.words[typed], len(types)))
            places.append(place)
        first += len(sentence.words)
    return Examples(
        np.array(rows, dtype=np.int64).reshape(-1, parts),
        *(np.array(column, dtype=np.int64) for column in (labels, kinds, places)),
    )


def _of_sentence(name: str, sentence: LabelledSentence) -> Iterator[tuple[tuple[int, ...], int, str]]:
    """(words, the word whose type counts, label) of each example of a sentence."""
    if name == "dep" and sentence.heads is not None and sentence.deprels is not None:
        for word, (head, relation) in enumerate(zip(sentence.heads, sentence.deprels, strict=True)):
            if head >= 0:
                yield (word, head), word, relation
    elif name == "srl":
        for proposition in sentence.propositions or ():
            for role, _, end in proposition.arguments:
                if role != "V":
                    yield (proposition.predicate, end - 1), end - 1, role
    elif name in ("pos", "ner"):
        for word, label in enumerate((sentence.upos if name == "pos" else sentence.entities) or ()):
            yield (word,), word, label
