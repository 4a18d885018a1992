"""Everything CKA of neighbouring layers needs, as small tables over documents.

HSIC is made of sums over tokens i, j, k, l: of K_ij L_ij (pairs), of K_ij L_jk (chains), and of K_ij times K_kl.
Split by the documents that the tokens belong to, each is a table, and a weighting of the documents (the bootstrap) is
a form in the weights; it never touches a token again.

Two estimators are read off such tables:

- *biased* (HSIC₀, the paper's protocol): every tuple of tokens counts.
- *across documents* (calibrated): HSIC₁ of Song et al. (2012) as the U-statistic over tuples of tokens of *distinct
  documents*, (a, b), (a, b, c) and (a, b, c, d). Tokens of one document are not independent of each other: with
  pairs inside documents an interval of nominal 95 % covers between 40 and 95 %. A document drawn twice is one
  document, and its copies form no tuple.

No n × n matrix is formed. With C_a = Σ_{i∈a} x_i y_iᵀ, pairs are ⟨C_a, C_b⟩: 2nd² + c²d² operations for n tokens, c
documents and d dimensions, where the Gram matrices would take n²d (more, from n ≈ 3d on) and leave no moments for
other metrics and tokens to be read from (variants.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError
from mspgt.signals.pair_tables import Moment, PairTables, Spans, Split
from mspgt.signals.products import product

Array = NDArray[np.float64]

# (layer, layer or the one after it, features of both, their moment)
SeeMoment = Callable[[int, int, torch.Tensor, torch.Tensor, Moment], None]

LEAST_DOCUMENTS = 4  # distinct ones, for tuples (a, b, c, d)


@dataclass(frozen=True)
class LayerTables:
    """Adjacent-layer tables of one model over one set of tokens.

    `sizes` (c,) tokens a document; `total` (layers, c, c): Σ_{i∈a, j∈b} K_ij of each layer;
    `self_pair` (layers, c, c) and `self_chain` (layers, c, c, c): a layer with itself;
    `next_pair` (layers−1, c, c) and `next_chain` (layers−1, c, c, c): layer l with layer l+1. Of two layers, a pair
    is Σ_{i∈a, j∈b} K_ij L_ij and a chain Σ_{i∈a, j∈b, k∈c} K_ij L_jk.
    `across`: entries whose documents are not distinct are 0, and CKA is the estimate across documents.
    """

    sizes: Array
    total: Array
    self_pair: Array
    self_chain: NDArray[np.floating]
    next_pair: Array
    next_chain: NDArray[np.floating]
    across: bool

    def cka(self, weights: ArrayLike | None = None) -> Array:
        """CKA of layer l with layer l+1 under document weights.

        Args:
            weights: `(draws, c)` multiplicities of the documents, or `(c,)`; all ones when None.

        Returns:
            `(draws, layers−1)`, or `(layers−1,)` for a single weighting. NaN where a layer has no variance under
            the weights, and across documents where fewer than four documents have weight.
        """
        w = np.ones_like(self.sizes) if weights is None else np.asarray(weights, dtype=np.float64)
        draws = np.atleast_2d(w)
        own = self._hsic(draws, self.self_pair, self.self_chain, self.total, self.total)
        cross = self._hsic(draws, self.next_pair, self.next_chain, self.total[:-1], self.total[1:])
        scale = own[:, :-1] * own[:, 1:]
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.where((own[:, :-1] > 0) & (own[:, 1:] > 0), cross / np.sqrt(scale), np.nan)
        return value[0] if w.ndim == 1 else value

    def _hsic(
        self, w: Array, pair: Array, chain: NDArray[np.floating], total_x: Array, total_y: Array
    ) -> Array:
        """HSIC of each layer pair under each weighting, (draws, pairs)."""
        pairs = np.stack([_form(w, table) for table in pair], axis=1) if len(pair) else np.empty((len(w), 0))
        chains = np.stack([_chain_form(w, table) for table in chain], axis=1) if len(chain) else pairs
        if not self.across:
            n = (w @ self.sizes)[:, None]
            product = _totals(w, total_x) * _totals(w, total_y)
            return (pairs - 2 * chains / n + product / n**2) / n**2
        two, three, four = tuples_of_distinct(w * self.sizes)
        apart = _apart(w, total_x, total_y)
        with np.errstate(invalid="ignore", divide="ignore"):
            return pairs / two[:, None] - 2 * chains / three[:, None] + apart / four[:, None]


def tuples_of_distinct(m: Array) -> tuple[Array, Array, Array]:
    """Weighted number of ordered pairs, triples and quadruples of distinct documents.

    m: (draws, c) weight times size of each document. NaN where fewer than four documents have weight.
    """
    p1, p2, p3, p4 = (np.sum(m**k, axis=1) for k in (1, 2, 3, 4))
    few = (m > 0).sum(axis=1) < LEAST_DOCUMENTS
    two = p1**2 - p2
    three = p1**3 - 3 * p1 * p2 + 2 * p3
    four = p1**4 - 6 * p1**2 * p2 + 3 * p2**2 + 8 * p1 * p3 - 6 * p4
    return np.where(few, np.nan, two), np.where(few, np.nan, three), np.where(few, np.nan, four)


def _form(w: Array, table: Array) -> Array:
    return np.einsum("ra,ra->r", w @ table, w)


def _chain_form(w: Array, chain: NDArray[np.floating]) -> Array:
    """Σ w_a w_b w_c chain[a, b, c], the two outer documents meeting in one matrix product."""
    c = w.shape[1]
    outer = (w[:, :, None] * w[:, None, :]).reshape(len(w), c * c).astype(chain.dtype)
    ends_last = np.ascontiguousarray(chain.transpose(0, 2, 1)).reshape(c * c, c)
    return np.einsum("rb,rb->r", outer @ ends_last, w.astype(chain.dtype)).astype(np.float64)


def _totals(w: Array, total: Array) -> Array:
    return np.einsum("ra,lab,rb->rl", w, total, w, optimize=True)


def _apart(w: Array, x: Array, y: Array) -> Array:
    """Σ over distinct a, b, c, d of w_a w_b X_ab · w_c w_d Y_cd, (draws, layers); the diagonals of X and Y are 0.

    Of all (a, b), (c, d), those that share one document or both are taken away: 4 Σ_a X_a· Y_a· − 2 Σ_ab X_ab Y_ab.
    """
    rows_x, rows_y = (w[:, None, :] * np.einsum("ra,lab->rlb", w, total) for total in (x, y))
    both = np.einsum("ra,lab,rb->rl", w**2, x * y, w**2, optimize=True)
    return rows_x.sum(-1) * rows_y.sum(-1) - 4 * (rows_x * rows_y).sum(-1) + 2 * both


def layer_tables(
    features: Callable[[int], torch.Tensor],
    layers: int,
    documents: torch.Tensor,
    n_documents: int,
    *,
    across: bool,
    split: bool = False,
    see: SeeMoment | None = None,
) -> LayerTables:
    """Reduce the features of sampled tokens to document tables, two layers at a time.

    Args:
        features: layer → `(tokens, width)`, centred on all tokens; its dtype is the one computed in. Products over a
            document are single precision where features are; what is summed over documents is double.
        documents: `(tokens,)` int64 document (or cluster) of each token, in 0..n_documents−1, sorted.
        n_documents: c; a document without tokens contributes nothing.
        across: True for the estimate across documents.
        split: features are float64, but products of dimensions of ordinary size may be single precision.
        see: is shown the moment of every layer with itself and of every two neighbours.

    Raises:
        InputError: fewer than four tokens, or tokens not sorted by document.
    """
    spans = document_spans(documents, n_documents)
    total = np.empty((layers, n_documents, n_documents))
    self_pair, self_chain, next_pair, next_chain = [], [], [], []
    products = PairTables(spans)
    previous: _Layer | None = None
    for layer in range(layers):
        x = features(layer)
        rows = product(torch.stack([x[s:e].sum(0) for s, e in spans]), x.T)
        here = _Layer(layer, x, Split.of(x) if split else None, rows)
        total[layer] = torch.stack([rows[:, s:e].sum(1) for s, e in spans], dim=1).double().cpu().numpy()
        self_pair.append(_pair_table(here, here, products, see))
        self_chain.append(_chain_table(rows, rows, spans))
        if previous is not None:
            next_pair.append(_pair_table(previous, here, products, see))
            next_chain.append(_chain_table(previous.rows, rows, spans))
        previous = here
    c = n_documents
    # Of all tokens a chain enters divided by their number, so single precision is enough.
    kept = self_chain[0].dtype if across else np.dtype(np.float32)
    tables = LayerTables(
        sizes=np.array([e - s for s, e in spans], dtype=np.float64),
        total=total,
        self_pair=np.stack(self_pair),
        self_chain=np.stack(self_chain).astype(kept, copy=False),
        next_pair=np.stack(next_pair) if next_pair else np.empty((0, c, c)),
        next_chain=np.stack(next_chain).astype(kept, copy=False)
        if next_chain
        else np.empty((0, c, c, c), kept),
        across=across,
    )
    if across:
        _keep_distinct(tables)
    return tables


def document_spans(documents: torch.Tensor, n_documents: int) -> Spans:
    """Where the tokens of each document begin and end.

    Raises:
        InputError: fewer than four tokens, or tokens not sorted by document.
    """
    if len(documents) < 4:
        raise InputError(f"CKA needs at least 4 tokens, found {len(documents)}: give a longer corpus.")
    if bool((documents[1:] < documents[:-1]).any()):
        raise InputError("Tokens must be sorted by document.")
    ends = torch.bincount(documents, minlength=n_documents).cumsum(0).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _keep_distinct(tables: LayerTables) -> None:
    """Set every entry to 0 whose documents are not distinct."""
    same = np.eye(len(tables.sizes), dtype=bool)
    for table in (tables.total, tables.self_pair, tables.next_pair):
        table[:, same] = 0
    for chain in (tables.self_chain, tables.next_chain):
        chain[:, same[:, :, None] | same[:, None, :] | same[None, :, :]] = 0


@dataclass(frozen=True)
class _Layer:
    """`rows` (c, tokens): products of every token's features `x` with the sums of each document."""

    index: int
    x: torch.Tensor
    split: Split | None
    rows: torch.Tensor


def _pair_table(one: _Layer, two: _Layer, products: PairTables, see: SeeMoment | None) -> Array:
    """Σ_{i∈a, j∈b} K_ij L_ij = ⟨C_a, C_b⟩."""
    if one.split is not None and two.split is not None:
        return products.of_split(one.split, two.split)
    table, moment = products.of(one.x, two.x, with_moment=see is not None)
    if see is not None and moment is not None:
        see(one.index, two.index, one.x, two.x, moment)
    return table


def _chain_table(rows_x: torch.Tensor, rows_y: torch.Tensor, spans: Spans) -> NDArray[np.floating]:
    """Σ_{i∈a, j∈b, k∈c} K_ij L_jk, in the precision of the features."""
    table = torch.stack([rows_x[:, s:e] @ rows_y[:, s:e].T for s, e in spans], dim=1)
    return table.cpu().numpy()
