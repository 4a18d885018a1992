"""The states of words, layer by layer, on disk while readers learn from them: memory does not grow with depth.

They lie in a temporary file without a name, so that a process that is killed leaves nothing on the disk. Every state
is divided by its root mean square, as the model's own norm does before it reads one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.errors import InputError, NumericsError
from mspgt.lm.blocks import residual_hooks
from mspgt.lm.observe import residual_forward
from mspgt.lm.start import AUTO, start_token
from mspgt.lm.tokenize import Batch, Encoded, batches, encode
from mspgt.scales.documents import RunningText

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel
    from mspgt.vocabulary import Progress

BATCH_TOKENS = 2048
BYTES = np.dtype(np.float16).itemsize

Half = NDArray[np.float16]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class AlonePass:
    """The states of every distinct word run alone behind the start token.

    depths: the layers kept, about L/8, L/4 and L/2. values: (depths, distinct words, width). word: (words,) which
    distinct word each word of the text is.
    """

    depths: tuple[int, ...]
    values: Half
    word: Ints


@dataclass
class WordStates(AbstractContextManager["WordStates"]):
    """States of all words of a text in the order of the documents, at every layer 0..L; a file on disk.

    document: (words,). norms: (layers + 1, words) root mean square of each raw state. present: (words,) false for a
    word without a token of its own (beyond the context). mean_embedding: (words, width) mean of layer 0 over the
    sub-tokens of a word. alone: the context-free pass. start: the token put before every document, if any.
    """

    layers: int
    width: int
    document: Ints
    norms: Floats
    present: NDArray[np.bool_]
    mean_embedding: Half
    alone: AlonePass
    start: str
    file: IO[bytes] = field(repr=False)
    written: Ints = field(repr=False)  # the word of each row of a layer in the file

    def layer(self, layer: int) -> Floats:
        """States of every word at a layer, (words, width); zeros for a word that is not present."""
        size = len(self.written) * self.width * BYTES
        self.file.seek(layer * size)
        flat = np.frombuffer(self.file.read(size), dtype=np.float16)
        states = np.zeros((len(self.document), self.width), dtype=np.float32)
        states[self.written] = flat.reshape(-1, self.width)
        return states

    def sinks(self, ratio: float) -> NDArray[np.bool_]:
        """(words,) whether the norm of a word is more than `ratio` times its layer's median at any layer."""
        median = np.median(self.norms[:, self.present], axis=1, keepdims=True)
        return np.asarray((self.norms > ratio * median).any(axis=0) & self.present)

    def close(self) -> None:
        """Remove the states from disk."""
        self.file.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def word_states(
    lm: LanguageModel,
    text: RunningText,
    *,
    start: str = AUTO,
    batch_tokens: int = BATCH_TOKENS,
    progress: Progress | None = None,
) -> WordStates:
    """Run the model once over every document and once over every distinct word alone.

    A document is one sequence behind the start token, so that a word sees its document; of a word its last sub-token
    is kept. Words beyond the model's context are not present.

    Args:
        start: the start token, as in `lm.start.start_token`.
        batch_tokens: tokens of a forward pass; changes speed and memory, not results.
        progress: called with (documents done, documents, text).

    Raises:
        InputError: no word has a token.
        ModelError: no start token.
        NumericsError: the model yields NaN or infinity, naming the layer.
    """
    found = start_token(lm, start)
    front, name = (None, "") if found is None else (found.id, found.token)
    encoded = encode(lm, [document.text for document in text.documents], too_long="cut", front=front)
    sizes = [len(document.spans) for document in text.documents]
    begins = np.cumsum([0, *sizes])
    ends = [_subtokens(e, document.spans) for e, document in zip(encoded, text.documents, strict=True)]
    first, last = (np.concatenate(part) for part in zip(*ends, strict=True))
    if not (last >= 0).any():
        raise InputError(
            f"No word of the text has a token of {lm.name}; check its tokenizer with `mspgt check`."
        )
    file = TemporaryFile()  # noqa: SIM115 (it outlives this function, in what is returned)
    try:
        spool = _Spool(lm, file, first, last)
        done = 0
        for batch in batches(encoded, max_tokens=batch_tokens):
            spool.run(batch, [np.arange(begins[i], begins[i + 1]) for i in batch.indices])
            done += len(batch.indices)
            if progress is not None:
                progress(done, len(encoded), "functional scales: words in their documents")
        alone = _alone_pass(lm, text, front, batch_tokens, progress)
    except BaseException:
        file.close()
        raise
    return WordStates(
        layers=lm.layers,
        width=lm.width,
        document=np.repeat(np.arange(len(sizes)), sizes),
        norms=spool.norms,
        present=last >= 0,
        mean_embedding=spool.mean_embedding,
        alone=alone,
        start=name,
        file=file,
        written=np.concatenate(spool.written),
    )


def _subtokens(encoded: Encoded, spans: Sequence[tuple[int, int]]) -> tuple[Ints, Ints]:
    """First and last token that shares a character with each word, (words,); −1 where none does."""
    length = max([end for _, end in (*encoded.offsets, *spans)], default=0)
    first, last = np.full((2, length), -1, dtype=np.int64)
    for token, (start, end) in enumerate(encoded.offsets):
        last[start:end] = token
        fresh = first[start:end] < 0
        first[start:end][fresh] = token
    held = [np.flatnonzero(last[a:b] >= 0) + a for a, b in spans]
    return (
        np.array([first[h[0]] if len(h) else -1 for h in held], dtype=np.int64),
        np.array([last[h].max() if len(h) else -1 for h in held], dtype=np.int64),
    )


class _Spool:
    """Writes the chosen states of each layer as they leave the block, each layer to its own stretch of the file."""

    def __init__(self, lm: LanguageModel, file: IO[bytes], first: Ints, last: Ints) -> None:
        self._lm, self._first, self._last = lm, first, last
        self.norms = np.zeros((lm.layers + 1, len(last)), dtype=np.float32)
        self.mean_embedding = np.zeros((len(last), lm.width), dtype=np.float16)
        self.written: list[Ints] = []
        self._file, self._size = file, int((last >= 0).sum()) * lm.width * BYTES  # of a layer
        self._done = 0  # bytes of each layer that stand in the file

    def run(self, batch: Batch, words: Sequence[Ints]) -> None:
        """One forward pass; `words` are those of each text of the batch."""
        here = [own[self._last[own] >= 0] for own in words]
        row = np.repeat(np.arange(len(here)), [len(own) for own in here])
        chosen = np.concatenate(here)
        column = torch.from_numpy(self._last[chosen])
        self.written.append(chosen)

        def keep(layer: int, stream: Tensor) -> None:
            picked = stream[torch.from_numpy(row).to(stream.device), column.to(stream.device)]
            states, norms = _scaled(picked, f"layer {layer} of {self._lm.name}")
            self.norms[layer, chosen] = norms.cpu().numpy()
            self._file.seek(layer * self._size + self._done)
            self._file.write(states.cpu().numpy().astype(np.float16).tobytes())
            if layer == 0:
                self._mean(stream, row, chosen)

        with residual_hooks(self._lm.blocks, lambda layer, h: keep(0, h) if layer == 1 else None, keep):
            _forward(self._lm, batch)
        self._done += len(chosen) * self._lm.width * BYTES

    def _mean(self, stream: Tensor, row: Ints, chosen: Ints) -> None:
        total = torch.cumsum(_scaled(stream, "the embedding")[0], dim=1).cpu().numpy()
        before, end = self._first[chosen] - 1, self._last[chosen]
        sums = total[row, end] - np.where((before >= 0)[:, None], total[row, np.maximum(before, 0)], 0)
        self.mean_embedding[chosen] = sums / (end - before)[:, None]


def _forward(lm: LanguageModel, batch: Batch) -> None:
    with torch.inference_mode():
        residual_forward(
            lm.model, lm.blocks, batch.input_ids.to(lm.device), batch.attention_mask.to(lm.device)
        )


def _scaled(stream: Tensor, where: str) -> tuple[Tensor, Tensor]:
    """States over their root mean square, in float32, and that root mean square."""
    wide = stream.float()
    norms = wide.square().mean(dim=-1).sqrt()
    if not bool(torch.isfinite(norms).all()):
        raise NumericsError(
            f"Expected finite activations, found NaN or infinity at {where}. Load the model with dtype='float32' or "
            "'bfloat16', or check its weights."
        )
    return wide / norms.clamp_min(1e-9).unsqueeze(-1), norms


class _Reached(Exception):
    """The deepest layer of the context-free pass: the rest of the model is not needed."""


def _alone_pass(
    lm: LanguageModel, text: RunningText, front: int | None, batch_tokens: int, progress: Progress | None
) -> AlonePass:
    keys = list(_keys(text))
    distinct = sorted(set(keys))
    number = {key: place for place, key in enumerate(distinct)}
    depths = tuple(sorted({max(1, lm.layers // part) for part in (8, 4, 2)}))
    values = np.zeros((len(depths), len(distinct), lm.width), dtype=np.float16)
    done = 0
    for batch in batches(encode(lm, distinct, too_long="cut", front=front), max_tokens=batch_tokens):
        last = batch.attention_mask.sum(1) - 1

        def keep(layer: int, stream: Tensor, batch: Batch = batch, last: Tensor = last) -> None:
            if layer in depths:
                picked = stream[torch.arange(len(last), device=stream.device), last.to(stream.device)]
                states, _ = _scaled(picked, f"layer {layer} of {lm.name}")
                values[depths.index(layer), batch.indices] = states.cpu().numpy()
            if layer == depths[-1]:
                raise _Reached

        try:
            with residual_hooks(lm.blocks, _ignore, keep):
                _forward(lm, batch)
        except _Reached:
            pass
        done += len(batch.indices)
        if progress is not None:
            progress(done, len(distinct), "functional scales: words alone")
    return AlonePass(depths, values, np.array([number[key] for key in keys], dtype=np.int64))


def _ignore(*_: Any) -> None:
    return None


def _keys(text: RunningText) -> Iterator[str]:
    """Every word as it is tokenised alone: behind a space where one stands before it in its document."""
    for document in text.documents:
        whole = document.text
        for word, (begin, _) in zip(document.words, document.spans, strict=True):
            yield (" " if begin and whole[begin - 1].isspace() else "") + word


def running_mean(values: Callable[[], Floats], document: Ints) -> Floats:
    """Mean over the words of the document so far, the word itself included: a bag of its context, (words, width)."""
    states = values()
    for number in np.unique(document):
        own = document == number
        block = np.cumsum(states[own], axis=0, dtype=np.float64)
        states[own] = block / np.arange(1, len(block) + 1)[:, None]
    return states
