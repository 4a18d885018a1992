"""S1: linear centred kernel alignment between layers, with document weights.

Linear CKA compares two sets of features of the same n examples through their Gram matrices K = XXᵀ and
L = YYᵀ (Kornblith et al. 2019). The unbiased estimator is HSIC₁ of Song et al. (2012), as used for networks by
Nguyen, Raghu & Kornblith (2021):

    HSIC₁ = [ tr(K̃L̃) + 1ᵀK̃1·1ᵀL̃1 / ((n−1)(n−2)) − 2·1ᵀK̃L̃1 / (n−2) ] / (n(n−3)),    K̃ = K with zero diagonal.

No n × n matrix is ever formed. With C_a = Σ_{i∈a} x_i y_iᵀ the Gram product splits by document,
Σ_{i∈a, j∈b} K_ij L_ij = ⟨C_a, C_b⟩, so everything needed is a small table over documents; re-weighting documents
(the bootstrap) re-weights the tables and never touches the examples again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError

Array = NDArray[np.float64]

_CHUNK_BYTES = 256 * 2**20


@dataclass(frozen=True)
class LayerTables:
    """Adjacent-layer tables of one model over one set of tokens.

    `sizes` (c,) tokens a document; `total` (layers, c, c): Σ_{i∈a, j∈b} K_ij of each layer;
    `self_pair` (layers, c, c) and `self_chain` (layers, c, c, c): a layer with itself;
    `next_pair` (layers−1, c, c) and `next_chain` (layers−1, c, c, c): layer l with layer l+1. Of two layers, a pair
    is Σ_{i∈a, j∈b} K_ij L_ij and a chain Σ_{i∈a, j∈b, k∈c} K_ij L_jk.
    With `zero_diagonal` the terms i = j (and j = k) are left out, which also leaves out pairs of the same token
    drawn twice by a bootstrap and so keeps its bias out.
    """

    sizes: Array
    total: Array
    self_pair: Array
    self_chain: NDArray[np.floating]
    next_pair: Array
    next_chain: NDArray[np.floating]
    zero_diagonal: bool

    def cka(self, weights: ArrayLike | None = None) -> Array:
        """CKA of layer l with layer l+1 under document weights.

        Args:
            weights: `(draws, c)` multiplicities of the documents, or `(c,)`; all ones when None.

        Returns:
            `(draws, layers−1)`, or `(layers−1,)` for a single weighting. Unbiased (HSIC₁) when the tables have
            zero diagonals, biased (HSIC₀) otherwise. NaN where a layer has no variance under the weights.
        """
        w = np.ones_like(self.sizes) if weights is None else np.asarray(weights, dtype=np.float64)
        draws = np.atleast_2d(w)
        n = draws @ self.sizes
        totals = np.einsum("ra,lab,rb->rl", draws, self.total, draws, optimize=True)
        own = self._hsic(draws, n, self.self_pair, self.self_chain, totals, totals)
        cross = self._hsic(draws, n, self.next_pair, self.next_chain, totals[:, :-1], totals[:, 1:])
        scale = own[:, :-1] * own[:, 1:]
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.where((own[:, :-1] > 0) & (own[:, 1:] > 0), cross / np.sqrt(scale), np.nan)
        return value[0] if w.ndim == 1 else value

    def _hsic(
        self,
        w: Array,
        n: Array,
        pair: Array,
        chain: NDArray[np.floating],
        total_x: Array,
        total_y: Array,
    ) -> Array:
        c = len(self.sizes)
        pairs = np.stack([np.einsum("ra,ra->r", w @ table, w) for table in pair], axis=1)
        outer = (w[:, :, None] * w[:, None, :]).reshape(len(w), c * c).astype(chain.dtype)
        middle = w.astype(chain.dtype)
        chains = np.stack(
            [np.einsum("rb,rb->r", outer @ _ends_last(table), middle) for table in chain], axis=1
        ).astype(np.float64)
        n = n[:, None]
        if self.zero_diagonal:
            value = pairs + total_x * total_y / ((n - 1) * (n - 2)) - 2 * chains / (n - 2)
            return value / (n * (n - 3))
        return (pairs - 2 * chains / n + total_x * total_y / n**2) / n**2


def _ends_last(chain: NDArray[np.floating]) -> NDArray[np.floating]:
    """(a, b, c) → (a·c, b), so that the two outer documents meet in one matrix product."""
    a, b, c = chain.shape
    return np.ascontiguousarray(chain.transpose(0, 2, 1)).reshape(a * c, b)


def layer_tables(
    hidden: torch.Tensor, documents: torch.Tensor, n_documents: int, *, zero_diagonal: bool
) -> LayerTables:
    """Reduce the activations of sampled tokens to document tables, two layers at a time.

    Args:
        hidden: `(layers, tokens, width)` in any float dtype, on any device; upcast to float64 a layer at a time.
        documents: `(tokens,)` int64 document (or cluster) of each token, in 0..n_documents−1, sorted.
        n_documents: c; a document without tokens contributes nothing.
        zero_diagonal: True for the unbiased estimator.

    Raises:
        InputError: fewer than four tokens, or tokens not sorted by document.
    """
    layers, tokens, _ = hidden.shape
    if tokens < 4:
        raise InputError(f"CKA needs at least 4 tokens, found {tokens}: give a longer corpus.")
    counts = torch.bincount(documents, minlength=n_documents)
    if bool((documents[1:] < documents[:-1]).any()):
        raise InputError("Tokens must be sorted by document.")
    ends = counts.cumsum(0).tolist()
    spans = list(zip([0, *ends[:-1]], ends, strict=True))

    # Both kernels are centred once on all tokens: HSIC does not depend on it, rounding does.
    def centred(layer: int) -> torch.Tensor:
        x = hidden[layer].double()
        return x - x.mean(0)

    total = np.empty((layers, n_documents, n_documents))
    self_pair, self_chain, next_pair, next_chain = [], [], [], []
    previous: tuple[torch.Tensor, torch.Tensor] | None = None
    for layer in range(layers):
        x = centred(layer)
        rows = _row_sums(x, spans, zero_diagonal)
        total[layer] = torch.stack([rows[:, s:e].sum(1) for s, e in spans], dim=1).cpu().numpy()
        self_pair.append(_pair_table(x, x, spans, zero_diagonal))
        self_chain.append(_chain_table(rows, rows, spans))
        if previous is not None:
            next_pair.append(_pair_table(previous[0], x, spans, zero_diagonal))
            next_chain.append(_chain_table(previous[1], rows, spans))
        previous = (x, rows)
    empty = np.empty((0, n_documents, n_documents))
    return LayerTables(
        sizes=counts.cpu().numpy().astype(np.float64),
        total=total,
        self_pair=np.stack(self_pair),
        self_chain=np.stack(self_chain),
        next_pair=np.stack(next_pair) if next_pair else empty,
        next_chain=np.stack(next_chain) if next_chain else np.empty((0, *empty.shape[1:], n_documents)),
        zero_diagonal=zero_diagonal,
    )


def _pair_table(x: torch.Tensor, y: torch.Tensor, spans: list[tuple[int, int]], zero_diagonal: bool) -> Array:
    """Σ_{i∈a, j∈b} (x_i·x_j)(y_i·y_j) = ⟨C_a, C_b⟩ with C_a = Σ_{i∈a} x_i y_iᵀ, over blocks of x's features."""
    width = y.shape[1]
    step = max(1, _CHUNK_BYTES // (8 * width * len(spans)))
    table = x.new_zeros((len(spans), len(spans)))
    for start in range(0, x.shape[1], step):
        part = x[:, start : start + step]
        moments = torch.stack([(part[s:e].T @ y[s:e]).flatten() for s, e in spans])
        table += moments @ moments.T
    if zero_diagonal:
        own = x.square().sum(1) * y.square().sum(1)
        table -= torch.diag(torch.stack([own[s:e].sum() for s, e in spans]))
    return table.cpu().numpy()


def _row_sums(x: torch.Tensor, spans: list[tuple[int, int]], zero_diagonal: bool) -> torch.Tensor:
    """Rows of K summed by document: (documents, tokens), entry (a, j) = Σ_{i∈a} x_i·x_j."""
    sums = torch.stack([x[s:e].sum(0) for s, e in spans])
    rows = sums @ x.T
    if zero_diagonal:
        norms = x.square().sum(1)
        for a, (s, e) in enumerate(spans):
            rows[a, s:e] -= norms[s:e]
    return rows


def _chain_table(
    rows_x: torch.Tensor, rows_y: torch.Tensor, spans: list[tuple[int, int]]
) -> NDArray[np.float32]:
    """Σ_{i∈a, j∈b, k∈c} K_ij L_jk. It enters divided by n, so single precision is kept."""
    table = torch.stack([rows_x[:, s:e] @ rows_y[:, s:e].T for s, e in spans], dim=1)
    return table.float().cpu().numpy()


def cka(x: ArrayLike, y: ArrayLike, *, unbiased: bool = True) -> float:
    """Linear CKA between two representations of the same examples.

    Args:
        x: `(examples, features_x)`.
        y: `(examples, features_y)`.
        unbiased: HSIC₁ (Song et al. 2012), which is 0 in expectation for independent data; False gives the
            biased estimator of Kornblith et al. (2019), which for independent Gaussians is about d / (n + d).

    Returns:
        Similarity, 1 for representations equal up to rotation and scale. The unbiased value can be slightly
        below 0. NaN if one of the two does not vary.

    Raises:
        InputError: shapes differ in `examples`, are not two-dimensional, hold NaN, or have fewer than 4 examples.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(100, 5))
        >>> round(cka(x, 3 * x[:, ::-1]), 12)
        1.0
    """
    a, b = (_checked(value, name) for value, name in ((x, "x"), (y, "y")))
    if len(a) != len(b):
        raise InputError(f"x and y must describe the same examples, found {len(a)} and {len(b)}.")
    n = len(a)
    if n < 4:
        raise InputError(f"CKA needs at least 4 examples, found {n}.")
    a, b = a - a.mean(0), b - b.mean(0)
    norm_a, norm_b = a.square().sum(1), b.square().sum(1)

    def hsic(u: torch.Tensor, v: torch.Tensor, norm_u: torch.Tensor, norm_v: torch.Tensor) -> float:
        # With centred features 1ᵀK = 0, so a zero diagonal leaves −|x_j|² in row j.
        smaller = (
            (u.T @ v).square().sum() if u.shape[1] * v.shape[1] <= n * n else ((u @ u.T) * (v @ v.T)).sum()
        )
        if not unbiased:
            return float(smaller) / n**2
        own = float((norm_u * norm_v).sum())
        value = float(smaller) - own + float(norm_u.sum() * norm_v.sum()) / ((n - 1) * (n - 2))
        return (value - 2 * own / (n - 2)) / (n * (n - 3))

    own_a, own_b = hsic(a, a, norm_a, norm_a), hsic(b, b, norm_b, norm_b)
    if own_a <= 0 or own_b <= 0:
        return float("nan")
    return hsic(a, b, norm_a, norm_b) / float(np.sqrt(own_a) * np.sqrt(own_b))


def _checked(value: ArrayLike, name: str) -> torch.Tensor:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 2:
        raise InputError(f"{name} must have shape (examples, features), found {array.shape}.")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or infinite values.")
    return torch.from_numpy(array)
