"""How alike what any two blocks write is: the matrix that phases are read from.

The update of block i is U_i = H_i − H_{i−1}, block 1's against the embedding; every token's is brought to unit RMS,
so that no token counts for more than another, and updates are centred over tokens. With linear kernels K_i,

    S_ij = Σ K_i(s, t) K_j(s, t)  over tokens s, t of *different* documents,    C_ij = S_ij / √(S_ii S_jj).

Tokens of one document resemble each other for reasons that no block is the cause of; over all pairs C_ij is too high
by as much as a tenth where topics are strong. A document drawn twice by a bootstrap is one document: its copies form
no pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mspgt.signals.products import own_products, product

Array = NDArray[np.float64]

MAIN = "main"
LIMIT_2, WITHOUT_TOP_WORD, STANDARDISED = "limit_2", "without_top_word", "standardised"
MOST_TOKENS = 1500  # the Gram matrices of all layers grow with its square
_BLOCK = 200  # tokens that all others are multiplied with at once


@dataclass(frozen=True)
class UpdateSimilarity:
    """Similarity of the updates of L blocks over c documents (or clusters of them).

    `matrices[variant]` (L, L): S_ij / √(S_ii S_jj) over all documents, block i at place i−1. Variants: `main` (no
    token above the sink limit), `limit_2` (none above twice the median norm), `without_top_word` (the most frequent
    word form left out), `standardised` (each dimension of the updates brought to unit variance).
    A variant whose tokens come from fewer than two documents is NaN.
    `states` (L+1, L+1): the same of the RMS-normalised residual stream, layers 0..L, for the picture.
    `pairs` (c·(c−1)/2, L, W+1): Σ_{s∈a, t∈b} K_i K_{i+lag} of `main`, documents (a, b) as in
    `numpy.triu_indices(c, 1)`, lag 0..W; NaN where i + lag > L.
    `sizes` (c,): tokens of each document. `tokens[variant]`: how many tokens.
    """

    matrices: dict[str, Array]
    states: Array
    pairs: NDArray[np.float32]
    sizes: NDArray[np.int64]
    tokens: dict[str, int]

    @property
    def layers(self) -> int:
        return self.pairs.shape[1]

    @property
    def lags(self) -> int:
        """W: the largest lag of `pairs`."""
        return self.pairs.shape[2] - 1

    def band(self, weights: ArrayLike | None = None) -> Array:
        """C_{i, i+lag} of `main` under document weights; S of a pair counts w_a·w_b times.

        Args:
            weights: `(draws, c)` multiplicities of the documents, or `(c,)`; all ones when None.

        Returns:
            `(draws, L, W+1)`, or `(L, W+1)` for a single weighting: block i at place i−1; 1 at lag 0; NaN past the
            last block, and where the documents of a draw form no pair.
        """
        w = np.ones(len(self.sizes)) if weights is None else np.asarray(weights, dtype=np.float64)
        draws = np.atleast_2d(w)
        a, b = np.triu_indices(len(self.sizes), 1)
        flat = np.nan_to_num(self.pairs.reshape(len(a), self.layers * (self.lags + 1)).astype(np.float64))
        sums = ((draws[:, a] * draws[:, b]) @ flat).reshape(-1, self.layers, self.lags + 1)
        value = np.full_like(sums, np.nan)
        own = np.where(sums[:, :, 0] > 0, sums[:, :, 0], np.nan)
        for lag in range(self.lags + 1):
            last = self.layers - lag
            value[:, :last, lag] = sums[:, :last, lag] / np.sqrt(own[:, :last] * own[:, lag:])
        return value[0] if w.ndim == 1 else value


def largest_lag(layers: int) -> int:
    """W = min(8, max(4, ⌊L/3⌋)), or L − 1 where that is less."""
    return min(8, max(4, layers // 3), layers - 1)


def update_similarity(
    hidden: torch.Tensor,
    documents: torch.Tensor,
    n_documents: int,
    kept: Mapping[str, NDArray[np.bool_]],
) -> UpdateSimilarity:
    """Similarity of updates, from the activations of sampled tokens.

    Args:
        hidden: `(layers+1, tokens, width)`, layer 0 the embedding, on any device; computed in float32.
        documents: `(tokens,)` document (or cluster) of each token, sorted.
        n_documents: c.
        kept: variant (`limit_2`, `without_top_word`) → `(tokens,)` which tokens it keeps.
    """
    layers, tokens = len(hidden) - 1, hidden.shape[1]
    counts = torch.bincount(documents, minlength=n_documents).cpu()
    updates = torch.stack([_unit(hidden[i + 1].float() - hidden[i].float()) for i in range(layers)])
    updates -= updates.mean(1, keepdim=True)
    masks = {MAIN: np.ones(tokens, dtype=bool), **kept}
    lags = largest_lag(layers)
    sums, pairs = _over_documents(updates, counts, masks, lags)
    # Centred already: the RMS over tokens is the standard deviation. A dimension that never varies stays 0.
    spread = updates.square().mean(1, keepdim=True).sqrt()
    updates /= torch.where(spread > 0, spread, torch.ones_like(spread))
    sums[STANDARDISED] = _over_documents(updates, counts, {MAIN: masks[MAIN]})[0][MAIN]
    del updates
    states = torch.stack([_unit(layer.float()) for layer in hidden])
    states -= states.mean(1, keepdim=True)
    of_states = _over_documents(states, counts, {MAIN: masks[MAIN]})[0][MAIN]
    return UpdateSimilarity(
        matrices={name: _normalised(value) for name, value in sums.items()},
        states=_normalised(of_states),
        pairs=pairs,
        sizes=counts.numpy().astype(np.int64),
        tokens={name: int(masks.get(name, masks[MAIN]).sum()) for name in sums},
    )


def _unit(x: torch.Tensor) -> torch.Tensor:
    """Each token over its root mean square; a token that is 0 stays 0."""
    rms = x.square().mean(-1, keepdim=True).sqrt()
    return x / torch.where(rms > 0, rms, torch.ones_like(rms))


def _normalised(sums: Array) -> Array:
    own = np.where(np.diag(sums) > 0, np.diag(sums), np.nan)
    return np.asarray(sums / np.sqrt(np.outer(own, own)))


def _over_documents(
    x: torch.Tensor, counts: torch.Tensor, masks: Mapping[str, NDArray[np.bool_]], lags: int | None = None
) -> tuple[dict[str, Array], NDArray[np.float32]]:
    """Σ K_i K_j over pairs of tokens of different documents: variant → (layers, layers); with `lags`, `pairs` too.

    x: (layers, tokens, width), centred over all tokens; each variant is centred again over the tokens it keeps.
    """
    layers = len(x)
    ends = counts.cumsum(0).tolist()
    spans = list(zip([0, *ends[:-1]], ends, strict=True))
    sums = {name: np.zeros((layers, layers)) for name in masks}
    shift = {}
    for name, mask in masks.items():
        if name == MAIN:  # all tokens, centred already
            continue
        chosen = torch.from_numpy(np.flatnonzero(mask)).to(x.device)
        mean = x[:, chosen].mean(1) if len(chosen) else x[:, 0] * torch.nan
        along = (x @ mean[:, :, None]).squeeze(-1)
        shift[name] = (torch.from_numpy(mask).to(x.device), along, mean.square().sum(-1))
    pairs = []
    block = base = 0
    for a, (start, end) in enumerate(spans):
        if end > block:  # products of several documents at once are the faster ones
            base, block = start, max(end, *(e for _, e in spans if e <= start + _BLOCK), 0)
            grams = product(x[:, base:block], x[:, base:].transpose(1, 2))
        gram = grams[:, start - base : end - base, end - base :]
        if lags is None:
            sums[MAIN] += own_products(gram.flatten(1)).double().cpu().numpy()
        for name, (keep, along, square) in shift.items():
            rows, cols = keep[start:end], keep[end:]
            part = gram[:, rows][:, :, cols] - along[:, start:end][:, rows, None]
            part += square[:, None, None] - along[:, end:][:, None, cols]
            sums[name] += own_products(part.flatten(1)).double().cpu().numpy()
        for low, high in spans[a + 1 :] if lags is not None else ():
            flat = gram[:, :, low - end : high - end].flatten(1)
            found = own_products(flat).double().cpu().numpy()
            sums[MAIN] += found
            pairs.append(_banded(found, lags or 0))
    table = np.stack(pairs) if pairs else np.empty((0, layers, (lags or 0) + 1))
    return sums, table.astype(np.float32)


def _banded(matrix: Array, lags: int) -> Array:
    """(L, L) → (L, lags+1): entry (i, lag) is (i, i + lag), NaN past the last column."""
    band = np.full((len(matrix), lags + 1), np.nan)
    for lag in range(lags + 1):
        band[: len(matrix) - lag, lag] = np.diagonal(matrix, lag)
    return band
