"""The tasks: which label of a word belongs to which scale. Adding a task is one more declaration here.

A task asks, of every word of a document, a label that the word's context tells about. The list is part of the
definition of a scale, and is frozen in a study's hash before any result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mspgt.scales.documents import RunningDocument, RunningText
from mspgt.scales.topics import CONTENT
from mspgt.text.treebank import LabelledSentence

Labels = Sequence[str | None]
FREQUENT = 40  # word forms that are told apart; the rest go by part of speech
LEAST_EXAMPLES = 25  # words of a class, over all documents; rarer classes are left out
AWAY, DEEP = 4, 5  # largest distance to the head, and depth in the tree, that are told apart
SETTLED = 15  # words of a document before "new" says anything
# L, I and G decide boundaries; S is semantic, between syntax and discourse, and reported only, as is what has none.
Scale = Literal["L", "I", "S", "G", ""]


@dataclass(frozen=True)
class Task:
    """One kind of label.

    beyond: what the gain is measured beyond: "word", "bag" (the word, and a reader of the running mean of the
    context) or "nothing". label: of every word of a document, None where it has none; the set holds the most
    frequent forms of the whole text.
    """

    name: str
    scale: Scale
    says: str
    label: Callable[[RunningDocument, frozenset[str]], Labels]
    beyond: Literal["word", "bag", "nothing"] = "word"

    def declared(self) -> dict[str, str]:
        """What fixes the task in a plan."""
        return {"name": self.name, "scale": self.scale, "beyond": self.beyond, "says": self.says}


@dataclass(frozen=True)
class TaskLabels:
    """A task on a text: the class of every word, −1 where it has none; entropy of the classes in bits."""

    task: Task
    classes: tuple[str, ...]
    labels: NDArray[np.int64]

    def entropy(self, kept: NDArray[np.bool_]) -> float:
        counts = np.bincount(self.labels[kept & (self.labels >= 0)], minlength=len(self.classes))
        share = counts[counts > 0] / counts.sum()
        return float(-(share * np.log2(share)).sum())


def read_labels(
    text: RunningText, tasks: Sequence[Task], kept: NDArray[np.bool_] | None = None
) -> tuple[list[TaskLabels], dict[str, str]]:
    """Labels of every word of the text, document after document, for each task that has any; and why one is off.

    kept: (words,) those that will be measured; classes are counted among them.
    """
    forms = Counter(word.lower() for document in text.documents for word in document.words)
    frequent = frozenset(form for form, _ in forms.most_common(FREQUENT))
    found, off = [], {}
    for task in tasks:
        labels = [label for document in text.documents for label in task.label(document, frequent)]
        counted = (
            labels if kept is None else [label for label, keep in zip(labels, kept, strict=True) if keep]
        )
        counts = Counter(label for label in counted if label is not None)
        classes = tuple(sorted(label for label, n in counts.items() if n >= LEAST_EXAMPLES))
        if len(classes) < 2:
            off[task.name] = _why_off(task, text, counts)
            continue
        number = {label: place for place, label in enumerate(classes)}
        encoded = np.array(
            [-1 if label is None else number.get(label, -1) for label in labels], dtype=np.int64
        )
        found.append(TaskLabels(task, classes, encoded))
    return found, off


def _why_off(task: Task, text: RunningText, counts: Counter[str]) -> str:
    if not counts:
        document_label = task.name.split("_")[0]
        return text.off.get(document_label, f"no word has such a label ({task.says})")
    most = ", ".join(f"{label} ({n})" for label, n in counts.most_common(2))
    return f"fewer than two classes have {LEAST_EXAMPLES} words ({task.says}); the largest: {most}"


def _each(document: RunningDocument, read: Callable[[LabelledSentence], Sequence[Any] | None]) -> list[Any]:
    """A column of the document's sentences; None for the words of a sentence without it."""
    labels = [label for s in document.sentences for label in (read(s) or (None,) * len(s.words))]
    return labels[: document.limit]


def _form_classes(document: RunningDocument, frequent: frozenset[str]) -> list[str]:
    parts = _each(document, lambda s: s.upos)
    words = (word.lower() for word in document.words)
    return [w if w in frequent else f"_{pos or ''}" for w, pos in zip(words, parts, strict=True)]


def _before(steps: int) -> Callable[[RunningDocument, frozenset[str]], Labels]:
    def label(document: RunningDocument, frequent: frozenset[str]) -> Labels:
        classes = _form_classes(document, frequent)
        return [None] * min(steps, len(classes)) + classes[: len(classes) - steps]

    return label


def _head_distance(document: RunningDocument, _: frozenset[str]) -> Labels:
    def read(sentence: LabelledSentence) -> list[str] | None:
        if sentence.heads is None:
            return None
        near = [max(-AWAY, min(AWAY, head - word)) for word, head in enumerate(sentence.heads)]
        return ["root" if head < 0 else f"{d:+d}" for d, head in zip(near, sentence.heads, strict=True)]

    return _each(document, read)


def _depth(document: RunningDocument, _: frozenset[str]) -> Labels:
    def read(sentence: LabelledSentence) -> list[str] | None:
        heads = sentence.heads
        return None if heads is None else [str(_steps(heads, word)) for word in range(len(heads))]

    return _each(document, read)


def _steps(heads: Sequence[int], word: int) -> int:
    """Arcs from a word to the root, at most DEEP (which also ends a cycle)."""
    count = 0
    while heads[word] >= 0 and count < DEEP:
        word, count = heads[word], count + 1
    return count


def _role(document: RunningDocument, _: frozenset[str]) -> Labels:
    """The role of the argument that ends at a word, of the nearest predicate; words that end none have no label."""

    def read(sentence: LabelledSentence) -> list[str | None] | None:
        if sentence.propositions is None:
            return None
        nearest: dict[int, tuple[int, str]] = {}
        for proposition in sentence.propositions:
            for role, _, end in proposition.arguments:
                distance = abs(end - 1 - proposition.predicate)
                plain = role.removeprefix("C-").removeprefix("R-")
                nearest[end - 1] = min(nearest.get(end - 1, (distance, plain)), (distance, plain))
        return [nearest[word][1] if word in nearest else None for word in range(len(sentence.words))]

    return _each(document, read)


def _entity(document: RunningDocument, _: frozenset[str]) -> Labels:
    return [None if tag is None else tag.split("-")[-1] for tag in _each(document, lambda s: s.entities)]


def _given(document: RunningDocument, _: frozenset[str]) -> Labels:
    """Whether the lemma of a content word stood in an earlier sentence of the document."""
    return list(_givenness(document))[: document.limit]


def _givenness(document: RunningDocument) -> Iterator[str | None]:
    seen: set[str] = set()
    count = 0
    several = len(document.sentences) > 1
    for sentence in document.sentences:
        lemmas = [lemma.lower() for lemma in sentence.lemmas or ()]
        for word in range(len(sentence.words)):
            count += 1
            told = several and lemmas and sentence.upos is not None and count > SETTLED + 1
            content = told and sentence.upos is not None and sentence.upos[word] in CONTENT
            yield ("given" if lemmas[word] in seen else "new") if content else None
        seen |= set(lemmas)


def _of_document(part: str) -> Callable[[RunningDocument, frozenset[str]], Labels]:
    return lambda document, _: [getattr(document, part)] * len(document.words)


TASKS = (
    Task("previous", "L", "the previous word", _before(1)),
    Task("before_previous", "L", "the word before the previous one", _before(2)),
    Task("xpos", "L", "language-specific part of speech", lambda d, _: _each(d, lambda s: s.xpos)),
    Task("relation", "I", "dependency relation to the head", lambda d, _: _each(d, lambda s: s.deprels)),
    Task("head", "I", "signed distance to the head", _head_distance),
    Task("depth", "I", "depth in the dependency tree", _depth),
    Task("role", "S", "semantic role that ends at the word", _role),
    Task("entity", "S", "type of named entity", _entity),
    Task("genre_beyond_bag", "G", "genre of the document", _of_document("genre"), "bag"),
    Task("topic_beyond_bag", "G", "topic of the document", _of_document("topic"), "bag"),
    Task("word", "", "the word itself", _form_classes, "nothing"),
    Task("upos", "", "universal part of speech", lambda d, _: _each(d, lambda s: s.upos)),
    Task("given", "", "whether the lemma was mentioned in an earlier sentence", _given),
    Task("genre", "", "genre of the document", _of_document("genre")),
    Task("topic", "", "topic of the document", _of_document("topic")),
)
