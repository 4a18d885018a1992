"""Which word each drawn token ends: whether a result hangs on one frequent word, or on the first of every sentence.

In real models single words are half sinks of their own (" the" in SmolLM2), and a sentence's first word takes the
place of a start token where there is none. A boundary that goes away with them is theirs, not the network's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mspgt.lm.tokenize import Encoded
from mspgt.text.align import last_subtokens
from mspgt.text.words import word_spans

FREQUENT = 3  # word forms that are left out together


@dataclass(frozen=True)
class DrawnWords:
    """Of every drawn token, aligned with the positions drawn of each text.

    `forms`: the most frequent word forms among the drawn tokens, in lower case, the most frequent first.
    `rank`: 1 for the first of `forms`, 2 for the second, …; 0 for any other. `first`: the first word of its sentence.
    """

    forms: tuple[str, ...]
    rank: list[NDArray[np.int8]]
    first: list[NDArray[np.bool_]]


def drawn_words(
    texts: Sequence[str],
    encoded: Sequence[Encoded],
    drawn: Sequence[NDArray[np.int64]],
    starts: Sequence[Sequence[int]] | None = None,
) -> DrawnWords:
    """The words that the drawn tokens end.

    Args:
        texts: what was tokenised; encoded: its tokens; drawn: positions in each text.
        starts: characters at which the sentences of each text begin; a text is one sentence when None.
    """
    words: list[list[str]] = []
    first: list[NDArray[np.bool_]] = []
    for place, (text, tokens, positions) in enumerate(zip(texts, encoded, drawn, strict=True)):
        spans = word_spans(text) if len(positions) else []
        word = dict(zip(last_subtokens(tokens.offsets, spans), spans, strict=True))
        opening = _openings(spans, (0,) if starts is None else starts[place])
        found = [word.get(int(position)) for position in positions]
        words.append(["" if span is None else text[span[0] : span[1]].lower() for span in found])
        first.append(np.array([span in opening for span in found], dtype=bool))
    counts = Counter(form for forms in words for form in forms if form)
    # Ties are broken by the form, so that the order of documents cannot matter.
    frequent = sorted(counts, key=lambda form: (-counts[form], form))[:FREQUENT]
    place_of = {form: place for place, form in enumerate(frequent, start=1)}
    rank = [np.array([place_of.get(form, 0) for form in forms], dtype=np.int8) for forms in words]
    return DrawnWords(tuple(frequent), rank, first)


def _openings(spans: Sequence[tuple[int, int]], starts: Sequence[int]) -> set[tuple[int, int]]:
    """The first word, or mark, at or after each start."""
    ends = [start for start, _ in spans]
    places = np.searchsorted(ends, starts)
    return {spans[place] for place in places if place < len(spans)}
