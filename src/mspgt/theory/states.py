"""States of sampled tokens at every layer, with the words and documents they belong to; and their components.

Memory does not grow with the corpus: (L + 1) · tokens · d values stay on the host in the model's dtype (2.1 GiB for
8,192 tokens of 33 layers at d = 4,096 in bfloat16), and one float64 covariance of d² at a time on the device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.errors import InputError
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import observe
from mspgt.lm.tokenize import Encoded, batches
from mspgt.signals.measure import Scales
from mspgt.signals.tokens import draw_tokens
from mspgt.text.align import last_subtokens
from mspgt.text.corpus import Corpus
from mspgt.text.words import word_spans
from mspgt.vocabulary import SINK_RATIO, Progress

Array = NDArray[np.float64]


@dataclass(frozen=True)
class States:
    """Sampled word-final tokens, without BOS, first positions and sinks, in the order of the text.

    values: (L + 1, tokens, d) on the host, layer 0 the embedding. document, sentence: (tokens,). words: the word
    that each token ends, lower case. following: (tokens,) id of the next token, −1 at the end of a text. sinks:
    tokens that were drawn and left out.
    """

    values: Tensor
    document: NDArray[np.int64]
    sentence: NDArray[np.int64]
    words: tuple[str, ...]
    following: NDArray[np.int64]
    sinks: int

    def __len__(self) -> int:
        return len(self.document)


@dataclass(frozen=True)
class Components:
    """Every layer on its own leading principal components.

    projected: (L + 1, tokens, k). variances: (L + 1, d) eigenvalues of the covariance, descending. explained:
    (L + 1,) share of the variance that the k components hold. correlations: (L + 1, d) eigenvalues of the
    correlation, where every dimension that varies counts alike.
    """

    projected: Array
    variances: Array
    correlations: Array
    explained: Array

    @property
    def k(self) -> int:
        return self.projected.shape[2]


def sample_states(
    lm: LanguageModel,
    corpus: Corpus,
    encoded: list[Encoded],
    scales: Scales,
    *,
    tokens: int,
    sink_ratio: float = SINK_RATIO,
    batch_tokens: int = 4096,
    seed: int = 0,
    progress: Progress | None = None,
) -> States:
    """Draw up to `tokens` word-final tokens, every document represented, and keep their states at every layer.

    Raises:
        InputError: no token is left.
        NumericsError: the model yields NaN or infinity, naming the layer.
    """
    drawn = draw_tokens(corpus, encoded, limit=tokens, seed=seed)
    chosen = [place for place, found in enumerate(drawn.drawn["calibrated"]) if len(found)]
    limit = torch.as_tensor(sink_ratio * scales.median_norm)
    dtype = lm.dtype if lm.dtype in (torch.float16, torch.bfloat16) else torch.float32
    texts = [sentence for document in corpus.documents for sentence in document.sentences]
    # Every drawn token has its column from the start, in the order of the text, so that states are held only once.
    counts = [len(found) for found in drawn.drawn["calibrated"]]
    first = np.concatenate([[0], np.cumsum(counts)])
    values = torch.empty((lm.layers + 1, int(first[-1]), lm.width), dtype=dtype)
    sentence = np.repeat(np.arange(len(counts)), counts)
    is_kept = np.zeros(int(first[-1]), dtype=np.bool_)
    words = [""] * len(sentence)
    following = np.full(len(sentence), -1, dtype=np.int64)
    done = 0
    for batch in batches([encoded[place] for place in chosen], max_tokens=batch_tokens):
        hidden = observe(lm, batch, attention=False).hidden
        for row, index in enumerate(batch.indices):
            place = chosen[index]
            positions = torch.from_numpy(drawn.drawn["calibrated"][place])
            states = torch.stack([h[row, positions.to(h.device)].cpu() for h in hidden])
            norms = torch.linalg.vector_norm(states.float(), dim=-1).double()
            own = slice(int(first[place]), int(first[place + 1]))
            values[:, own] = states.to(dtype)
            is_kept[own] = (norms <= limit[:, None]).all(0).numpy()
            words[own] = _words(texts[place], encoded[place], positions.tolist())
            ids = (*encoded[place].ids, -1)
            following[own] = [ids[position + 1] for position in positions.tolist()]
        done += len(batch.indices)
        if progress is not None:
            progress(done, len(chosen), "states of sampled tokens, sentences")
    kept = _squeezed(values, is_kept)
    return States(
        values=values[:, : len(kept)],
        document=drawn.document[sentence[kept]],
        sentence=sentence[kept],
        words=tuple(words[i] for i in kept),
        following=following[kept],
        sinks=len(is_kept) - len(kept),
    )


def _squeezed(values: Tensor, is_kept: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Which tokens are kept; their states move to the front, in place.

    Raises:
        InputError: none is.
    """
    if not is_kept.any():
        raise InputError(
            "No token of the corpus is left (all are first positions or sinks); give a longer text."
        )
    kept = np.flatnonzero(is_kept)
    if len(kept) < len(is_kept):
        for layer in values:
            layer[: len(kept)] = layer[torch.from_numpy(kept)]
    return kept


def _words(text: str, encoded: Encoded, positions: list[int]) -> list[str]:
    spans = word_spans(text)
    ends = {token: spans[word] for word, token in enumerate(last_subtokens(encoded.offsets, spans))}
    return [text[slice(*ends[position])].lower() for position in positions]


def components(states: States, k: int, *, device: torch.device | str = "cpu") -> Components:
    """Principal components of every layer, from exact covariances in float64, one layer at a time.

    Where a layer varies in fewer than k directions (a small vocabulary at layer 0), the rest of its components are 0.

    Raises:
        InputError: more components than dimensions.
    """
    depth, n, width = states.values.shape
    if not 1 <= k <= width:
        raise InputError(f"Expected from 1 to {width} components (the width of the model), found {k}.")
    projected, explained = np.empty((depth, n, k)), np.empty(depth)
    variances, correlations = np.empty((2, depth, width))
    for layer in range(depth):
        x = states.values[layer].to(device, torch.float64, copy=True)
        x -= x.mean(0)
        covariance = x.T @ x / max(n - 1, 1)
        correlations[layer] = _spectrum(covariance)
        values, vectors = torch.linalg.eigh(covariance)
        values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
        # A direction without variance is rounding: left exactly constant, so that whoever needs it refuses.
        vectors = vectors[:, :k] * (values[:k] > 1e-10 * values[0])
        projected[layer] = (x @ vectors).cpu().numpy()
        variances[layer] = values.cpu().numpy()
        explained[layer] = float(values[:k].sum() / values.sum())
    return Components(projected, variances, correlations, explained)


def _spectrum(covariance: torch.Tensor) -> Array:
    """Eigenvalues of the correlation, descending; a dimension without variance adds a 0."""
    sd = covariance.diagonal().sqrt()
    unit = torch.where(sd > 0, 1 / sd, 0.0)
    found: Array = torch.linalg.eigvalsh(covariance * unit[:, None] * unit).flip(0).clamp(min=0).cpu().numpy()
    return found
