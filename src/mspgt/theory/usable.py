"""Usable (V-)information of labels by layer, in bits a label: Figure 2 (Xu et al. 2020).

    I_V(h → Y) = H_V(Y) − H_V(Y | h)

H_V(Y | h) is the held-out cross-entropy of a reader of the family V (one ReLU layer and a softmax), H_V(Y) that of
the best reader that sees nothing (label frequencies of the same training half). Each half of the data is read by
probes that were trained on the other. Unlike Shannon information it may rise with depth, because computing makes
information usable: equation 25 does not hold for it and is never enforced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.errors import InputError, NumericsError
from mspgt.signals.classifier import Labelled, Recipe, fit
from mspgt.signals.labels import probe_tasks
from mspgt.text.corpus import Corpus
from mspgt.text.treebank import LabelledSentence, Treebank
from mspgt.theory.passes import READER_BYTES
from mspgt.theory.states import States

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS = ("topical", "syntactic", "lexical")
MOST_TOPICS = 32  # documents that stand for topics where titles do not
MOST_WORDS = 64  # frequent words that a lexical label tells apart
DEV_SHARE = 0.15  # of the training half, to choose the epoch
LEAST_EXAMPLES = 64
# Of a topic in each half. With planted topics, readers of 8 documents find 95 % of what readers of 32 find where
# documents differ as much as topics do, and four fifths where twice as much, of which readers of 2 find next to
# nothing; readers of 32 examples of a document find at least half of what readers of 128 find.
LEAST_DOCUMENTS, LEAST_OF_A_TOPIC = 8, 32
SHARES = np.linspace(0, 0.98, 15)  # of the reader beside the label frequencies


@dataclass(frozen=True)
class Question:
    """Labelled examples of one kind.

    kind: topical, syntactic or lexical; label: what is asked, in words. rows: (examples, parts) places among the
    words or tokens whose states are given; labels, document, half: (examples,), half in {0, 1} says which of the two
    halves an example is held out with.
    """

    kind: Literal["topical", "syntactic", "lexical"]
    label: str
    rows: Ints
    labels: Ints
    document: Ints
    half: Ints

    @property
    def classes(self) -> int:
        return int(self.labels.max()) + 1 if len(self.labels) else 0


@dataclass(frozen=True)
class Usable:
    """Bits that each layer saves on the labels of each document; layers 0..L.

    saved: (documents, layers) sum over held-out examples of log2 q(y | h) − log2 q(y). counts, prior: (documents,)
    examples, and bits they cost without h. documents: (documents,) which of the text each is, rising. scarce: why
    readers cannot have learnt the label; empty if they could.
    """

    kind: str
    label: str
    classes: int
    saved: Array
    counts: Array
    prior: Array
    documents: Ints
    scarce: str = ""

    @property
    def entropy(self) -> float:
        """H_V(Y) in bits a label: the most that could be saved."""
        return float(self.prior.sum() / self.counts.sum())

    def bits(self, weights: Array | None = None) -> Array:
        """V-information in bits a label: (layers,), or (draws, layers) under weights (draws, documents)."""
        w = np.ones((1, len(self.counts))) if weights is None else np.atleast_2d(weights)
        value = (w @ self.saved) / (w @ self.counts)[:, None]
        return np.asarray(value[0] if weights is None else value)


def usable_information(
    values: Tensor,
    question: Question,
    *,
    examples: int = 4096,
    hidden: int = 64,
    epochs: int = 4,
    seed: int = 0,
    device: torch.device | str = "cpu",
    memory: int = READER_BYTES,
) -> Usable:
    """V-information of one kind of label at every layer, cross-fitted.

    Args:
        values: (layers, words, d) states, on any device, in any float dtype.
        examples: most that are used, drawn evenly over documents.
        hidden, epochs: the family V: units of the ReLU layer, and passes over the data of its training.
        memory: bytes of standardised float32 states on the device at a time; layers are read in groups that fit.

    Raises:
        InputError: one class only, or too few examples in a half.
        NumericsError: states that are not finite.
    """
    question = _drawn(question, examples, seed)
    _require_learnable(question)
    documents = int(question.document.max()) + 1
    layers, words, width = values.shape
    saved = np.zeros((documents, layers))
    prior, counts = np.zeros((2, documents))
    at_once = max(1, memory // (4 * words * width))
    for start in range(0, layers, at_once):
        group = range(start, min(start + at_once, layers))
        for held_out in (0, 1):
            train = np.flatnonzero(question.half != held_out)
            test = np.flatnonzero(question.half == held_out)
            # The same numbers for every group of layers: layers differ by what they hold, only.
            rng = np.random.default_rng([seed, held_out])
            read = _bits(values[group.start : group.stop], question, train, test, hidden, epochs, rng, device)
            blind = _frequency_bits(question.labels[train], question.classes)[question.labels[test]]
            for document in np.unique(question.document[test]):
                mine = question.document[test] == document
                saved[document, group.start : group.stop] += blind[mine].sum() - read[:, mine].sum(1)
                if not start:
                    prior[document] += blind[mine].sum()
                    counts[document] += mine.sum()
    seen = counts > 0
    return Usable(
        question.kind,
        question.label,
        question.classes,
        saved[seen],
        counts[seen],
        prior[seen],
        np.flatnonzero(seen),
        scarcity(question),
    )


def scarcity(question: Question) -> str:
    """Why readers of a topical label cannot have learnt it from one half; empty where they could, and for others."""
    if question.kind != "topical":
        return ""
    shape = (question.classes, 2)
    examples = np.zeros(shape, dtype=np.int64)
    np.add.at(examples, (question.labels, question.half), 1)
    found, least, what = float(np.median(examples.min(1))), LEAST_OF_A_TOPIC, "examples"
    owners = np.unique(np.stack([question.labels, question.half, question.document]), axis=1)
    if len(np.unique(question.document)) == owners.shape[1]:  # documents are held out whole
        documents = np.zeros(shape, dtype=np.int64)
        np.add.at(documents, (owners[0], owners[1]), 1)
        if (fewest := float(np.median(documents.min(1)))) < LEAST_DOCUMENTS:
            found, least, what = fewest, LEAST_DOCUMENTS, "documents"
    if found >= least:
        return ""
    return (
        f"Readers of the topical label ({question.label}) have {found:g} {what} of a class to learn from in a half "
        f"(median of {question.classes} classes); below {least} they miss much of what the states hold. Give more "
        "documents, or raise theory.tokens and theory.examples."
    )


def topical(corpus: Corpus, states: States) -> Question:
    """Which topic a token's document has: its title where titles are shared, else the document itself.

    Titles name topics where there are at most a quarter as many as documents; then documents are held out. Where
    every document is its own topic (up to 32 with the most tokens), the second half of each is read by probes of
    the first and the other way round, since a document held out whole would be a topic never seen.
    """
    titles = [document.title for document in corpus.documents]
    tokens = np.bincount(states.document, minlength=len(titles))
    named = [title for title, n in zip(titles, tokens, strict=True) if n]
    if 2 <= len(set(named)) <= len(named) / 4:
        names = {title: number for number, title in enumerate(sorted(set(named)))}
        labels = np.array([names.get(title, -1) for title in titles])[states.document]
        where = np.arange(len(states))
        half = _by_document(states.document)
        return Question("topical", "title of the document", where[:, None], labels, states.document, half)
    topics = np.argsort(-tokens, kind="stable")[: min(MOST_TOPICS, int((tokens > 0).sum()))]
    names_of = np.full(len(titles), -1)
    names_of[topics] = np.arange(len(topics))
    labels = names_of[states.document]
    where = np.flatnonzero(labels >= 0)
    # Halves of a document are cut between sentences.
    half = np.zeros(len(states), dtype=np.int64)
    for document in topics:
        sentences = np.unique(states.sentence[states.document == document])
        half[np.isin(states.sentence, sentences[len(sentences) // 2 :])] = 1
    document = states.document
    return Question("topical", "which document", where[:, None], labels[where], document[where], half[where])


def lexical(states: States) -> Question:
    """Which of the 64 most frequent words a token is; rarer words are left out."""
    common = [word for word, n in Counter(states.words).most_common(MOST_WORDS) if n >= 4]
    number = {word: place for place, word in enumerate(common)}
    labels = np.array([number.get(word, -1) for word in states.words])
    where = np.flatnonzero(labels >= 0)
    document = states.document[where]
    return Question(
        "lexical",
        f"which of the {len(common)} most frequent words",
        where[:, None],
        labels[where],
        document,
        _by_document(document, states.sentence[where]),
    )


def syntactic(treebank: Treebank, sentences: Sequence[LabelledSentence]) -> Question:
    """Relation of a word to its head, read from the states of both; part of speech where there are no trees.

    Raises:
        InputError: the treebank has neither.
    """
    task = next((name for name in ("dep", "pos") if name in treebank.tasks), None)
    if task is None:
        raise InputError(f"{treebank.name} has neither dependencies nor parts of speech: {treebank.off}.")
    own = tuple(sentences)
    found = probe_tasks(replace(treebank, train=own, dev=own, test=own, tasks=(task,)))[task].examples[
        "train"
    ]
    names = list(dict.fromkeys(sentence.document for sentence in own))
    document = np.array([names.index(sentence.document) for sentence in own])[found.sentence]
    label = {"dep": "dependency relation of word and head", "pos": "part of speech"}[task]
    return Question(
        "syntactic", label, found.rows, found.labels, document, _by_document(document, found.sentence)
    )


def _by_document(document: Ints, sentence: Ints | None = None) -> Ints:
    """Halves of near-equal size made of whole documents (of whole sentences where there is one document)."""
    unit = document
    if sentence is not None and len(np.unique(document)) == 1:
        unit = sentence
    names, inverse, counts = np.unique(unit, return_inverse=True, return_counts=True)
    half, sizes = np.zeros(len(names), dtype=np.int64), [0, 0]
    for place in np.argsort(-counts, kind="stable"):
        smaller = int(sizes[1] < sizes[0])
        half[place] = smaller
        sizes[smaller] += int(counts[place])
    return np.asarray(half[inverse])


def _drawn(question: Question, limit: int, seed: int) -> Question:
    """At most `limit` examples, drawn at random, with classes numbered anew without gaps."""
    n = len(question.labels)
    chosen = np.sort(np.random.default_rng([seed, n]).permutation(n)[:limit])
    _, labels = np.unique(question.labels[chosen], return_inverse=True)
    parts = (question.rows, labels, question.document, question.half)
    rows, labels, document, half = (part if part is labels else part[chosen] for part in parts)
    return Question(question.kind, question.label, rows, labels, document, half)


def _require_learnable(question: Question) -> None:
    if question.classes < 2:
        raise InputError(
            f"Expected at least two classes of the {question.kind} label ({question.label}), found "
            f"{question.classes}: one class has no entropy to save. Give more documents, or another text."
        )
    sizes = np.bincount(question.half, minlength=2)
    if sizes.min() < LEAST_EXAMPLES:
        raise InputError(
            f"Expected at least {LEAST_EXAMPLES} {question.kind} examples in each half, found {sizes.tolist()}: "
            "give more text."
        )


def _frequency_bits(labels: Ints, classes: int) -> Array:
    """Bits of each class under its smoothed frequency (classes,)."""
    counts = np.bincount(labels, minlength=classes) + 0.5
    return np.asarray(-np.log2(counts / counts.sum()))


def _bits(
    values: Tensor,
    question: Question,
    train: Ints,
    test: Ints,
    hidden: int,
    epochs: int,
    rng: np.random.Generator,
    device: torch.device | str,
) -> Array:
    """Bits of every test label by layer under probes of `train`, (layers, test).

    The family V may ignore what it sees (Xu et al.'s condition of optional ignorance): a reader's answer is mixed
    with the label frequencies, in the share that does best on the examples that choose the epoch.
    """
    table = values.to(device, torch.float32, copy=True).contiguous()
    fitted = torch.from_numpy(np.unique(question.rows[train])).to(device)
    for layer in table:  # one at a time, in place: the group itself is all the memory there is
        if not bool(torch.isfinite(layer).all()):
            raise NumericsError(
                "States hold NaN or infinity. Load the model with dtype='float32' or 'bfloat16'."
            )
        std, mean = torch.std_mean(layer[fitted], dim=0)
        layer.sub_(mean).div_(std.where(std > 0, 1.0))

    def labelled(chosen: Ints) -> Labelled:
        rows, labels = question.rows[chosen], question.labels[chosen]
        return Labelled(table, torch.from_numpy(rows).to(device), torch.from_numpy(labels).to(device))

    shuffled = rng.permutation(train)
    dev, rest = np.split(shuffled, [max(16, int(DEV_SHARE * len(train)))])
    recipe = Recipe(hidden=hidden, epochs=epochs, batches=64)
    probe = fit(labelled(rest), labelled(dev), question.classes, recipe, rng, keep="loss")
    frequency = 2 ** -_frequency_bits(question.labels[train], question.classes)

    def mixed(chosen: Ints) -> Array:
        seen, blind = 2 ** -probe.label_bits(labelled(chosen)), frequency[question.labels[chosen]]
        return np.asarray(-np.log2(SHARES[:, None, None] * seen + (1 - SHARES)[:, None, None] * blind))

    best = mixed(dev).mean(-1).argmin(0)
    return np.asarray(mixed(test)[best, np.arange(len(best))])
