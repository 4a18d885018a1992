"""What every word of the training text is, true by construction: the labels that staged training asks for."""

from dataclasses import dataclass

import numpy as np

from mspgt.synthetic.grammar import TEMPLATES
from mspgt.synthetic.triscale import LONGEST, Sample, TriScale
from mspgt.zoo.stream import Stream

FAR = 4  # largest distance to the head that is told apart
NONE = -1


@dataclass(frozen=True)
class Labels:
    """`values` (sequences, length) of one label, -1 where a token has none; `classes` of them."""

    values: np.ndarray
    classes: int


class Labeller:
    """Labels of the tokens of a stream, by name.

    word: itself. previous, before_previous: the word so many places before, in the same document. relation, head,
    depth: of the dependency tree (the signed distance to the head up to 4, "root" its own class). topic: of the
    document.
    """

    def __init__(self, language: TriScale) -> None:
        relations = sorted({relation for template in TEMPLATES for relation in template.deprels})
        # (templates, slots), -1 beyond the end.
        self._relation = _table([[relations.index(r) for r in t.deprels] for t in TEMPLATES])
        self._head = _table([[_distance(t.heads, i) for i in range(len(t.heads))] for t in TEMPLATES])
        self._depth = _table([[_depth(t.heads, i) for i in range(len(t.heads))] for t in TEMPLATES])
        words = len(language.vocabulary)
        self.classes = {
            **dict.fromkeys(("word", "previous", "before_previous"), words),
            "relation": len(relations),
            "head": 2 * FAR + 2,
            "depth": int(self._depth.max()) + 1,
            "topic": language.topics,
        }

    def draw(self, stream: Stream, sequences: int, length: int, seed: list[int]) -> dict[str, Labels]:
        """Labels of the tokens that `stream.draw` gives for the same arguments."""
        placed = stream.lay_out(sequences, length, seed)
        values = {name: np.full((sequences, length), NONE) for name in self.classes}
        for document in placed.used:
            row, begin = document // placed.each, placed.begins[document]
            for name, labels in self._of_document(placed.sample, document).items():
                here = values[name][row, begin : begin + len(labels)]
                here[:] = labels[: len(here)]
        return {name: Labels(value, self.classes[name]) for name, value in values.items()}

    def _of_document(self, sample: Sample, document: int) -> dict[str, np.ndarray]:
        inside = sample.words[document] >= 0
        words, templates = sample.words[document][inside], sample.templates[document]
        trees = {"relation": self._relation, "head": self._head, "depth": self._depth}
        return {
            "word": words,
            "previous": np.append([NONE], words[:-1]),
            "before_previous": np.append([NONE, NONE], words[:-2]),
            **{name: table[templates][inside] for name, table in trees.items()},
            "topic": np.full(len(words), sample.topics[document]),
        }


def _table(rows: list[list[int]]) -> np.ndarray:
    table = np.full((len(rows), LONGEST), NONE)
    for target, row in zip(table, rows, strict=True):
        target[: len(row)] = row
    return table


def _distance(heads: tuple[int, ...], word: int) -> int:
    head = heads[word]
    return 2 * FAR + 1 if head < 0 else max(-FAR, min(FAR, head - word)) + FAR


def _depth(heads: tuple[int, ...], word: int) -> int:
    steps = 0
    while heads[word] >= 0:
        word, steps = heads[word], steps + 1
    return steps
