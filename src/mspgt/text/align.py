"""Words and sub-tokens, aligned by character offsets: `word_ids()` is wrong for SentencePiece conversions."""

from collections.abc import Sequence
from itertools import chain


def last_subtokens(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> list[int]:
    """For every word, the index of the last sub-token that shares a character with it; -1 if none does.

    `offsets` are the character spans that a fast tokenizer returns; empty ones (BOS, padding and other
    special tokens) are passed over. Spaces that a tokenizer counts into a token do not matter. Where several
    tokens share a character (byte fallback), the last of them is taken; a token that holds the end of one
    word and the start of the next (`."`) is the last one of the first.
    """
    owner = [-1] * max((end for _, end in chain(offsets, spans)), default=0)
    for index, (start, end) in enumerate(offsets):
        owner[start:end] = [index] * (end - start)
    return [max(owner[start:end], default=-1) for start, end in spans]
