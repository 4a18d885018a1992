"""How sentences reach a model: one by one, or as they follow each other in windows of their document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError
from mspgt.lm.start import AUTO, start_token
from mspgt.lm.tokenize import DEFAULT, Encoded, Front, Known, encode, encode_each
from mspgt.lm.windows import fitting_window

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel

Context = Literal["window", "sentence"]
TooLong = Literal["error", "cut"]
JOINT = " "


@dataclass(frozen=True)
class Reading:
    """Sentences of documents, and the sequences that go through the model.

    sentences: the tokens of each sentence, with offsets in it. sequences: what the model reads. place (sentences, 2):
    the sequence that holds a sentence, and the position of its first token in it.
    """

    sentences: list[Encoded]
    sequences: list[Encoded]
    place: NDArray[np.int64]

    @classmethod
    def of(cls, encoded: Sequence[Encoded]) -> Reading:
        """Each text a sequence of its own."""
        place = np.stack([np.arange(len(encoded)), np.zeros(len(encoded), dtype=np.int64)], axis=1)
        return cls(list(encoded), list(encoded), place)

    def members(self) -> list[NDArray[np.int64]]:
        """The sentences of each sequence, in order."""
        ends = np.searchsorted(self.place[:, 0], np.arange(len(self.sequences) + 1))
        return [np.arange(ends[i], ends[i + 1]) for i in range(len(self.sequences))]

    def spread(self, sentences: int) -> list[Encoded]:
        """Sequences spread evenly over all, which hold about so many sentences."""
        count = len(self.sequences)
        wanted = min(count, max(1, round(sentences * count / max(1, len(self.sentences)))))
        return [self.sequences[i] for i in np.unique(np.linspace(0, count - 1, wanted).round().astype(int))]

    def same_as(self, other: Reading) -> bool:
        """Whether the model reads the very same sequences."""
        return [text.ids for text in self.sequences] == [text.ids for text in other.sequences]


def read(
    lm: LanguageModel,
    documents: Sequence[Sequence[str]],
    *,
    context: Context = "window",
    start: str = AUTO,
    window: int | None = None,
    too_long: TooLong = "error",
) -> Reading:
    """Sentences as calibrated mode reads them: behind the start token, in windows or one by one.

    Raises:
        ModelError: no start token.
        InputError: a window longer than the model's context, or a sentence longer than a window.
    """
    found = start_token(lm, start)
    front = None if found is None else found.id
    if context == "sentence":
        texts = [sentence for document in documents for sentence in document]
        return Reading.of(encode(lm, texts, too_long=too_long, front=front))
    return _windows(lm, documents, front, window_length(lm, window), too_long)


def read_plainly(
    lm: LanguageModel, documents: Sequence[Sequence[str]], too_long: TooLong = "error"
) -> Reading:
    """Sentences as paper mode reads them: one by one, with what the tokenizer adds by itself."""
    texts = [sentence for document in documents for sentence in document]
    return Reading.of(encode(lm, texts, too_long=too_long, front=DEFAULT))


def window_length(lm: LanguageModel, wish: int | None = None) -> int:
    """Tokens of a window; InputError where the model's context is shorter than what was asked for."""
    return fitting_window(lm.name, lm.max_length, wish)


def _windows(
    lm: LanguageModel, documents: Sequence[Sequence[str]], front: Front, length: int, too_long: TooLong
) -> Reading:
    """Whole sentences of one document, as many as fit behind the start token, in the spelling of running text."""
    room = length - (0 if front is None else 1)
    texts = [JOINT.join(document) for document in documents]
    whole = encode_each(lm, texts, front=None, too_long="never")
    known = Known()
    sentences: list[Encoded] = []
    sequences: list[Encoded] = []
    place: list[tuple[int, int]] = []
    for document, tokens in zip(documents, whole, strict=True):
        filled = room + 1  # a document starts a window
        for part in _parts(document, tokens, known):
            if len(part.ids) > room:
                if too_long == "error":
                    raise InputError(
                        f"A sentence has {len(part.ids)} tokens, a window {room}: {document[0][:40]!r}… holds it. "
                        "Split it, or have it cut (in a study measure.too_long: cut)."
                    )
                part = _cut(part, room)
            if filled + len(part.ids) > room:
                sequences.append(_opening(front))
                filled = 0
            place.append((len(sequences) - 1, len(sequences[-1].ids)))
            sequences[-1] = _joined(sequences[-1], part)
            sentences.append(part)
            filled += len(part.ids)
    return Reading(sentences, sequences, np.array(place, dtype=np.int64).reshape(-1, 2))


def _parts(document: Sequence[str], tokens: Encoded, known: Known) -> list[Encoded]:
    """The tokens of each sentence: those whose last character lies in it, with offsets from its own start."""
    lengths = np.array([len(sentence) for sentence in document])
    begins = np.concatenate([[0], np.cumsum(lengths + len(JOINT))[:-1]])
    # An empty token goes with what stands before it.
    ends = np.maximum.accumulate(np.array([end for _, end in tokens.offsets], dtype=np.int64))
    owner = np.maximum(np.searchsorted(begins, ends - 1, side="right") - 1, 0)
    edges = np.searchsorted(owner, np.arange(len(document) + 1))
    parts = []
    for at, begin in enumerate(begins.tolist()):
        some = slice(int(edges[at]), int(edges[at + 1]))
        if some.start == some.stop:
            raise InputError(
                f"A sentence has no token of its own ({document[at][:40]!r}); drop empty sentences first."
            )
        offsets = [
            (min(max(0, a - begin), len(document[at])), min(b - begin, len(document[at])))
            for a, b in tokens.offsets[some]
        ]
        parts.append(Encoded(tokens.ids[some], known(offsets), tokens.special[some]))
    return parts


def _opening(front: Front) -> Encoded:
    return Encoded((), (), ()) if front is None else Encoded((int(front),), ((0, 0),), (True,))


def _cut(text: Encoded, room: int) -> Encoded:
    cut = len(text.ids) - room
    return replace(
        text, ids=text.ids[:room], offsets=text.offsets[:room], special=text.special[:room], cut=cut
    )


def _joined(one: Encoded, other: Encoded) -> Encoded:
    return Encoded(one.ids + other.ids, one.offsets + other.offsets, one.special + other.special)
