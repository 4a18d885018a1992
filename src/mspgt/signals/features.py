"""The representation of every word at every layer: the raw residual stream at its last sub-token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.errors import InputError
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import observe
from mspgt.lm.reading import Context, Reading, read
from mspgt.lm.start import AUTO
from mspgt.lm.tokenize import batches
from mspgt.text.align import last_subtokens
from mspgt.text.treebank import LabelledSentence
from mspgt.vocabulary import Progress

_LONG = "longer than the context"


@dataclass(frozen=True)
class WordFeatures:
    """Words of one split in order, sentence after sentence.

    values: (layers + 1, words, width) in host memory, layer 0 the embedding; float16 or bfloat16 as the model
        computes, else float32.
    kept: (words,) false for all words of a sentence that was left out; their values are zero.
    dropped: why sentences were left out, and how many.
    device: where the model ran, and where probes train unless told otherwise.
    """

    values: Tensor
    kept: NDArray[np.bool_]
    dropped: dict[str, int]
    device: torch.device


def word_features(
    lm: LanguageModel,
    sentences: Sequence[LabelledSentence],
    *,
    context: Context = "window",
    start: str = AUTO,
    window: int | None = None,
    batch_tokens: int = 4096,
    progress: Progress | None = None,
) -> WordFeatures:
    """Run the model over the sentences and keep each word's last sub-token, found by character offsets.

    Sentences of one document that follow each other are read in windows, so that a word sees its document. A sentence
    is left out whole, and counted, if it is longer than a window (or the model's context) or if one of its words has
    no token of its own: entity spans with holes could not be compared.

    Args:
        context, start, window: how text reaches the model, as in `lm.reading.read`.
        batch_tokens: tokens of a forward pass; changes speed and memory, not results.
        progress: called with (sentences done, sentences, text).

    Raises:
        InputError: no sentences, or none is left.
        NumericsError: the model yields NaN or infinity, naming the layer.
    """
    if not sentences:
        raise InputError("Expected labelled sentences, found none; give the treebank a file for this split.")
    reading = read(lm, _documents(sentences), context=context, start=start, window=window, too_long="cut")
    first = np.cumsum([0, *(len(sentence.words) for sentence in sentences)])
    aligned = _aligned(reading, sentences)
    too_long = np.array([e.cut > 0 for e in reading.sentences])
    unaligned = np.array([min(words, default=-1) < 0 for words in aligned]) & ~too_long
    reasons = {_LONG: int(too_long.sum()), "a word without a token": int(unaligned.sum())}
    left = np.flatnonzero(~too_long & ~unaligned)
    if not len(left):
        raise InputError(
            f"Expected sentences that {lm.name} can represent word by word, found none among {len(sentences)} "
            f"({reasons}). Check its tokenizer with `mspgt check`, or give shorter sentences."
        )

    dtype = lm.dtype if lm.dtype in (torch.float16, torch.bfloat16) else torch.float32
    values = torch.zeros((lm.layers + 1, int(first[-1]), lm.width), dtype=dtype)
    kept = np.zeros(int(first[-1]), dtype=bool)
    done = 0
    usable = np.zeros(len(sentences), dtype=bool)
    usable[left] = True
    members = [some[usable[some]] for some in reading.members()]
    wanted = [place for place, some in enumerate(members) if len(some)]
    for batch in batches([reading.sequences[place] for place in wanted], max_tokens=batch_tokens):
        held = [members[wanted[index]] for index in batch.indices]
        tokens = [[token for place in some for token in aligned[place]] for some in held]
        row = torch.from_numpy(np.repeat(np.arange(len(held)), [len(words) for words in tokens]))
        column = torch.tensor([token for words in tokens for token in words])
        words = np.concatenate([np.arange(first[place], first[place + 1]) for some in held for place in some])
        hidden = observe(lm, batch, attention=False).hidden
        for layer, stream in enumerate(hidden):
            chosen = stream[row.to(stream.device), column.to(stream.device)]
            values[layer, torch.from_numpy(words)] = chosen.to("cpu", dtype)
        kept[words] = True
        done += sum(map(len, held))
        if progress is not None:
            progress(done, len(left), "word representations, sentences")
    return WordFeatures(values, kept, {why: n for why, n in reasons.items() if n}, torch.device(lm.device))


def _documents(sentences: Sequence[LabelledSentence]) -> list[list[str]]:
    """Texts of the sentences, those of one document that follow each other together."""
    groups = groupby(sentences, key=lambda sentence: sentence.document)
    return [[sentence.text for sentence in group] for _, group in groups]


def _aligned(reading: Reading, sentences: Sequence[LabelledSentence]) -> list[list[int]]:
    """The position in its sequence of every word's last sub-token, by sentence; -1 where there is none."""
    found = []
    for tokens, sentence, (_, begin) in zip(
        reading.sentences, sentences, reading.place.tolist(), strict=True
    ):
        ends = last_subtokens(tokens.offsets, sentence.spans)
        found.append([-1 if end < 0 else end + begin for end in ends])
    return found
