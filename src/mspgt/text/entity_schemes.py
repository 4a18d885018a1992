"""Ways of writing entity spans as tags, turned into IOB2: IOB1 (CoNLL-2003), BIOES and BILOU."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_TAG = re.compile(r"([A-Z])-(\S+)")
_AS_IOB2 = {"B": "B", "I": "I", "E": "I", "L": "I", "S": "B", "U": "B"}


def scheme_of(sentences: Sequence[Sequence[str]]) -> str:
    """The scheme that all tags of a file are written in: IOB2, IOB1, BIOES or BILOU.

    IOB1 opens an entity with I- and keeps B- for one that follows another of its type at once. A file that opens
    entities now with one and now with the other is neither: it is called IOB2, where its fault shows.
    """
    letters = {tag[0] for tags in sentences for tag in tags if _TAG.fullmatch(tag)}
    if letters & {"E", "S"}:
        return "BIOES"
    if letters & {"L", "U"}:
        return "BILOU"
    opens_with_inside = opens_with_begin = False
    for tags in sentences:
        for before, tag in pairwise(["O", *tags]):
            same = before[2:] == tag[2:] and before != "O"
            opens_with_inside |= tag.startswith("I-") and not same
            opens_with_begin |= tag.startswith("B-") and not same
    return "IOB1" if opens_with_inside and not opens_with_begin else "IOB2"


def to_iob2(tags: Sequence[str], scheme: str) -> list[str]:
    """One sentence's tags in IOB2. A tag that its scheme does not allow comes back so that IOB2 does not either."""
    found: list[str] = []
    ended = True  # whether the entity before, if any, is over
    for before, tag in pairwise(["O", *tags]):
        part = _TAG.fullmatch(tag)
        if part is None or scheme == "IOB2":
            found.append(tag)
            continue
        letter, kind = part.groups()
        if scheme == "IOB1":
            opens = letter == "B" or before[2:] != kind or before == "O"
            found.append(f"{'B' if opens else 'I'}-{kind}" if letter in "BI" else tag)
        else:
            # After an end or a single, only a beginning may follow: an I there must not join what is over.
            allowed = letter in _AS_IOB2 and not (letter in "IEL" and ended)
            found.append(f"{_AS_IOB2[letter]}-{kind}" if allowed else f"?{tag}")
            ended = letter in "ESLU"
            continue
        ended = False
    return found
