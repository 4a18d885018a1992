"""The representation of every word at every layer: the raw residual stream at its last sub-token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.errors import InputError
from mspgt.lm.load import LanguageModel
from mspgt.lm.observe import observe
from mspgt.lm.tokenize import batches, encode
from mspgt.signals.measure import Progress
from mspgt.text.align import last_subtokens
from mspgt.text.treebank import LabelledSentence


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
    batch_tokens: int = 4096,
    progress: Progress | None = None,
) -> WordFeatures:
    """Run the model over the sentences and keep each word's last sub-token, found by character offsets.

    A sentence is left out whole, and counted, if it is longer than the model's context or if one of its words has
    no token: entity spans with holes could not be compared.

    Args:
        batch_tokens: tokens of a forward pass; changes speed and memory, not results.
        progress: called with (sentences done, sentences, text).

    Raises:
        InputError: no sentences, or none is left.
        NumericsError: the model yields NaN or infinity, naming the layer.
    """
    if not sentences:
        raise InputError("Expected labelled sentences, found none; give the treebank a file for this split.")
    encoded = encode(lm, [sentence.text for sentence in sentences], too_long="cut")
    first = np.cumsum([0, *(len(sentence.words) for sentence in sentences)])
    aligned = [last_subtokens(e.offsets, s.spans) for e, s in zip(encoded, sentences, strict=True)]
    too_long = np.array([e.cut > 0 for e in encoded])
    unaligned = np.array([min(words, default=-1) < 0 for words in aligned]) & ~too_long
    reasons = {"longer than the context": int(too_long.sum()), "a word without a token": int(unaligned.sum())}
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
    for batch in batches([encoded[place] for place in left], max_tokens=batch_tokens):
        members = left[batch.indices]
        tokens = [aligned[place] for place in members]
        row = torch.from_numpy(np.repeat(np.arange(len(members)), [len(words) for words in tokens]))
        column = torch.tensor([token for words in tokens for token in words])
        words = np.concatenate([np.arange(first[place], first[place + 1]) for place in members])
        hidden = observe(lm, batch, attention=False).hidden
        for layer, stream in enumerate(hidden):
            chosen = stream[row.to(stream.device), column.to(stream.device)]
            values[layer, torch.from_numpy(words)] = chosen.to("cpu", dtype)
        kept[words] = True
        done += len(members)
        if progress is not None:
            progress(done, len(left), "word representations, sentences")
    return WordFeatures(values, kept, {why: n for why, n in reasons.items() if n}, torch.device(lm.device))
