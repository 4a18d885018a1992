"""Running text with labels: the documents of a treebank that functional scales are measured on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

import numpy as np

from mspgt.errors import InputError
from mspgt.scales.topics import document_topics
from mspgt.text.treebank import LabelledSentence, Treebank

LEAST_DOCUMENTS = 10  # five folds of two
LEAST_SENTENCES = 3  # of a document
LEAST_WORDS = 3  # of a sentence that stands for a document
HELD_OUT = ("test", "dev")  # a model may have been trained on the rest
_PREFIX = re.compile(r"[^-_]+(?=[-_])")
_SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class RunningDocument:
    """Consecutive sentences of one document, read as one sequence of at most `limit` words.

    genre, topic: what its labels say of it; None where nothing does.
    """

    name: str
    sentences: tuple[LabelledSentence, ...]
    limit: int
    genre: str | None = None
    topic: str | None = None

    @property
    def text(self) -> str:
        """Its sentences, a space between them."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where each of its words stands in `text`."""
        found, start = [], 0
        for sentence in self.sentences:
            found += [(start + a, start + b) for a, b in sentence.spans]
            start += len(sentence.text) + 1
        return found[: self.limit]

    @property
    def words(self) -> list[str]:
        return [word for sentence in self.sentences for word in sentence.words][: self.limit]


@dataclass(frozen=True)
class RunningText:
    """The documents of a measurement, in the order they were drawn.

    unit: "document", or "sentence" where the treebank does not mark documents. off: document label → why there is
    none. found: documents (or sentences) that could have been drawn. notes: what a reader must be told.
    """

    documents: tuple[RunningDocument, ...]
    unit: str
    found: int
    off: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Over every word and label, so that what is computed from them may be keyed by it."""
        content = json.dumps([vars(document) for document in self.documents], default=vars)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def n_words(self) -> int:
        return sum(len(document.words) for document in self.documents)


def draw_documents(
    treebank: Treebank, *, documents: int = 240, words: int = 90, seed: int = 0
) -> RunningText:
    """Draw documents of a treebank: the first whole sentences of each, up to `words` words.

    Documents of at least three sentences, as balanced over genres as their numbers allow; from the test and dev
    splits where these have enough, from all three where not. A treebank that does not mark documents gives
    sentences in their place, as many as hold the words that so many documents would.

    Raises:
        InputError: no running text (a tagger's sentences after a limit), or fewer than ten documents.
    """
    if not any(treebank.whole.values()):
        raise InputError(
            f"Expected running text, found none: {treebank.name} keeps only the sentences that a limit left. Raise "
            "treebank.max_train and treebank.max_eval, or give CoNLL-U files."
        )
    marked = all(sentence.marked for part in treebank.whole.values() for sentence in part)
    found = [
        (split, *each) for split in _SPLITS for each in _gather(treebank.whole.get(split, ()), marked, words)
    ]
    if len(found) < LEAST_DOCUMENTS:
        raise InputError(
            f"Expected at least {LEAST_DOCUMENTS} documents of {LEAST_SENTENCES} sentences, found {len(found)} in "
            f"{treebank.name}. Give more of the treebank."
        )
    labelled, off = _labelled([document for _, document, _ in found], [whole for *_, whole in found], marked)
    own = [d for d, (split, *_) in zip(labelled, found, strict=True) if split in HELD_OUT]
    rest = [d for d, (split, *_) in zip(labelled, found, strict=True) if split not in HELD_OUT]
    rng = np.random.default_rng([seed, len(found)])
    if marked:
        drawn = _by_genre(own if len(own) >= documents else own + rest, documents, rng)
    else:
        drawn = _up_to(_shuffled(own, rng) + _shuffled(rest, rng), documents * words)
    unit = "document" if marked else "sentence"
    return RunningText(tuple(drawn), unit, len(found), off, _notes(drawn, marked))


def _gather(
    sentences: Sequence[LabelledSentence], marked: bool, words: int
) -> Iterator[tuple[RunningDocument, tuple[LabelledSentence, ...]]]:
    """What is read of each document, and the whole of it."""
    grouped: dict[str, list[LabelledSentence]] = {}
    for each in sentences:
        grouped.setdefault(each.document if marked else each.sent_id, []).append(each)
    for name, own in grouped.items():
        if len(own) < LEAST_SENTENCES if marked else len(own[0].words) < LEAST_WORDS:
            continue
        sizes = np.cumsum([len(sentence.words) for sentence in own])
        taken = max(1, int((sizes <= words).sum()))
        yield RunningDocument(name, tuple(own[:taken]), min(words, int(sizes[taken - 1]))), tuple(own)


def _labelled(
    documents: Sequence[RunningDocument], wholes: Sequence[tuple[LabelledSentence, ...]], marked: bool
) -> tuple[list[RunningDocument], dict[str, str]]:
    """Documents with genre and topic, and why a label is off. Topics are of the whole document."""
    if not marked:
        reason = "the treebank marks no documents, so a word has no document that could have a label"
        return list(documents), {"genre": reason, "topic": reason}
    genres, off = _genres(documents)
    topics = [document.sentences[0].topic for document in documents]
    if None in topics:
        topics, reason = document_topics(wholes)
        off |= {"topic": reason} if reason else {}
    return [
        replace(document, genre=genre, topic=topic)
        for document, genre, topic in zip(documents, genres, topics, strict=True)
    ], off


def _genres(documents: Sequence[RunningDocument]) -> tuple[list[str | None], dict[str, str]]:
    """The genre a comment gives, else what stands in the document's name before the first hyphen or underscore."""
    given = [document.sentences[0].genre for document in documents]
    if any(given):
        return given, {}
    names = [_PREFIX.match(document.name) for document in documents]
    prefixes = [match[0] if match else None for match in names]
    kinds = {prefix for prefix in prefixes if prefix is not None}
    if None in prefixes or not 2 <= len(kinds) <= len(documents) / 8 or kinds & set(_SPLITS):
        return [None] * len(documents), {
            "genre": "neither a comment `# genre = …` nor the names of the documents (newdoc id) tell one"
        }
    return list(prefixes), {}


def _by_genre(pool: Sequence[RunningDocument], count: int, rng: np.random.Generator) -> list[RunningDocument]:
    """In turn one of each genre, so that genres are as balanced as their stock allows."""
    stock: dict[str, list[RunningDocument]] = {}
    for document in pool:
        stock.setdefault(document.genre or "", []).append(document)
    queues = [_shuffled(stock[genre], rng) for genre in sorted(stock)]
    rounds = [document for turn in zip_longest(*queues) for document in turn if document is not None]
    return rounds[:count]


def _shuffled(documents: Sequence[RunningDocument], rng: np.random.Generator) -> list[RunningDocument]:
    return [documents[i] for i in rng.permutation(len(documents))]


def _up_to(documents: Iterable[RunningDocument], words: int) -> list[RunningDocument]:
    taken, count = [], 0
    for document in documents:
        if count >= words:
            break
        taken.append(document)
        count += len(document.words)
    return taken


def _notes(drawn: Sequence[RunningDocument], marked: bool) -> tuple[str, ...]:
    notes = []
    if not marked:
        notes.append(
            "The treebank marks no documents (`# newdoc`): sentences stand for them. Sentences of one text are not "
            "independent, so intervals are too narrow (a nominal 95 % interval over sentences covers about 73 %), "
            "and a word has no context beyond its sentence: the global scale is off."
        )
    if len(drawn) < 30:
        notes.append(
            f"{len(drawn)} documents: below 30 the intervals and error rates of functional scales are not calibrated."
        )
    return tuple(notes)
