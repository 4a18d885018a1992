"""Training text drawn on the fly from TriScale, with the exact next-token distribution at every position."""

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from mspgt.synthetic.bayes import filter_sentences
from mspgt.synthetic.lexicon import SEPARATOR
from mspgt.synthetic.triscale import Sample, TriScale
from mspgt.zoo.vocabulary import BOS, SPECIAL


@dataclass(frozen=True)
class Block:
    """`tokens` (sequences, length) ids; `predictive` (sequences, length, vocabulary) probabilities."""

    tokens: np.ndarray
    predictive: np.ndarray


@dataclass(frozen=True)
class Layout:
    """Where the documents of a block stand: `each` of them a sequence, in a row.

    `begins` (documents,): the token that each begins at; `used`: those that begin before the sequence is cut.
    """

    sample: Sample
    each: int
    begins: np.ndarray
    used: np.ndarray


class Stream:
    """Documents of a language as tokens, one a line; each sequence starts with a fresh document."""

    def __init__(self, language: TriScale, tokenizer: Tokenizer, *, bos: bool) -> None:
        self.language = language
        self.size = tokenizer.get_vocab_size()
        self.bos = SPECIAL[BOS] if bos else None
        self.separator = tokenizer.encode(SEPARATOR, add_special_tokens=False).ids[0]
        # A word after a space and the same word at the start of a line are two tokens.
        spaced = ["." if word == "." else " " + word for word in language.vocabulary]
        self.inside = self._ids(tokenizer, spaced)
        self.first = self._ids(tokenizer, list(language.vocabulary))

    @staticmethod
    def _ids(tokenizer: Tokenizer, words: list[str]) -> np.ndarray:
        return np.array([tokenizer.encode(word, add_special_tokens=False).ids[0] for word in words])

    def lay_out(self, sequences: int, length: int, seed: list[int]) -> Layout:
        """The documents that `draw` turns into tokens for the same arguments."""
        # The shortest document has five words a sentence and a line break.
        each = -(-length // (5 * self.language.sentences + 1))
        sample = self.language.sample(sequences * each, seed)
        sizes = (sample.words >= 0).sum(axis=(1, 2)).reshape(sequences, each) + 1
        begins = (0 if self.bos is None else 1) + sizes.cumsum(axis=1) - sizes
        return Layout(sample, each, begins.ravel(), np.flatnonzero(begins.ravel() < length))

    def draw(self, sequences: int, length: int, seed: list[int]) -> Block:
        """Documents in a row, cut at `length` tokens; equal seeds give equal blocks."""
        placed = self.lay_out(sequences, length, seed)
        words, lead = placed.sample.words, 0 if self.bos is None else 1
        exact = _predictives(self.language, words[placed.used])

        tokens = np.full((sequences, length), self.bos or 0)
        predictive = np.zeros((sequences, length, self.size), dtype=np.float32)
        predictive[:, :lead, self.bos] = 1.0
        for document, rows in zip(placed.used, exact, strict=True):
            inside = words[document] >= 0
            sequence, begin = document // placed.each, placed.begins[document]
            row, seen = tokens[sequence, begin:], predictive[sequence, begin:]
            ids = np.append(self.inside[words[document][inside]], self.separator)
            ids[0] = self.first[words[document, 0, 0]]
            row[: len(ids)] = ids[: len(row)]
            here = rows[inside][: len(row)]
            seen[: len(here), self.inside] = here
            # What may begin a line is spelt without a space.
            seen[0] = 0.0
            seen[0, self.first] = here[0]
            seen[len(ids) - 1 : len(ids), self.separator] = 1.0
        return Block(tokens, predictive)


def _predictives(language: TriScale, words: np.ndarray) -> np.ndarray:
    """p(word | document so far) as (documents, sentences, slots, vocabulary), zero beyond the end."""
    documents, sentences, slots = words.shape
    _, kinds = language.patterns
    out = np.zeros((*words.shape, len(language.vocabulary)), dtype=np.float32)
    topic = np.full((documents, language.topics), 1.0 / language.topics)
    table = language.emissions.reshape(-1, len(language.vocabulary)).astype(np.float32)
    for s in range(sentences):
        joint = filter_sentences(language, words[:, s], topic)
        for slot in range(slots):
            inside = words[:, s, slot] >= 0
            before = joint[inside, slot] / joint[inside, slot].sum(axis=(1, 2), keepdims=True)
            # Hypotheses are summed by slot kind first: kinds x topics is far fewer than patterns x topics.
            by_kind = np.zeros((inside.sum(), *language.emissions.shape[:2]), dtype=np.float32)
            for kind in np.unique(kinds[:, slot]):
                if kind >= 0:
                    by_kind[:, kind] = before[:, kinds[:, slot] == kind].sum(axis=1)
            out[inside, s, slot] = by_kind.reshape(len(by_kind), len(table)) @ table
        topic = joint[:, -1].sum(axis=1) / joint[:, -1].sum(axis=(1, 2))[:, None]
    return out
