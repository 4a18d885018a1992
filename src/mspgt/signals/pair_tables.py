"""⟨C_a, C_b⟩ of every two documents a and b, with C_a = Σ_{i∈a} x_i y_iᵀ over the tokens of a document.

Products over a document are in the precision of the features, what is summed over documents in double. Features of
a massive activation can be split: of its few dimensions, whose squares outweigh all others, products are double
precision, of the many others single. What the others add to an HSIC is then rounded as if the large ones were not
there, while 1 − CKA next to a massive activation is as small as the rounding of single precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mspgt.signals.products import own_products, product, square_sum_over_rows, sum_over_rows

Array = NDArray[np.float64]
Spans = list[tuple[int, int]]

_ROOM_BYTES = 24 * 2**20  # for moments by document, used again and again
_LARGE = 16.0  # times the median variance of a dimension


@dataclass(frozen=True)
class Moment:
    """Of two layers' features; each (width, width) float64.

    `total`: Σ_a C_a. `squares`: Σ_a C_a∘C_a, entry by entry.
    """

    total: torch.Tensor
    squares: torch.Tensor


@dataclass(frozen=True)
class Split:
    """A layer's centred features `x` (tokens, width), float64, by the size of their dimensions.

    `large` (tokens, few) float64; `single` (tokens, width) float32, the large ones 0.
    """

    x: torch.Tensor
    large: torch.Tensor
    single: torch.Tensor

    @classmethod
    def of(cls, x: torch.Tensor) -> Split:
        variance = square_sum_over_rows(x[:, None])[0]
        large = torch.nonzero(variance > _LARGE * variance.median()).flatten()
        single = x.float()
        single[:, large] = 0
        return cls(x, x[:, large], single)


class PairTables:
    """Makes tables over pairs of documents.

    Args:
        spans: where each document begins and ends among the tokens.
    """

    def __init__(self, spans: Spans) -> None:
        self.spans = spans
        self._room = torch.empty(0)

    def of(
        self, x: torch.Tensor, y: torch.Tensor, *, with_moment: bool = False
    ) -> tuple[Array, Moment | None]:
        """The table (c, c) of two layers' features (tokens, width), and their moment where asked.

        In blocks of x's dimensions. A layer with itself is symmetric: only what stands right of the diagonal is
        computed, and counted twice.
        """
        spans, width = self.spans, x.shape[1]
        symmetric = x is y
        table = torch.zeros(len(spans), len(spans), dtype=torch.float64, device=x.device)
        sums = torch.empty((2 * with_moment, width, y.shape[1]), dtype=torch.float64, device=x.device)
        step = max(1, _ROOM_BYTES // (x.element_size() * max(1, y.shape[1]) * len(spans)))
        if symmetric:
            step = min(step, max(1, -(-width // 6)))
        for start in range(0, width if y.shape[1] else 0, step):
            stop = min(start + step, width)
            first = start if symmetric else 0
            part = self._parts((len(spans), stop - start, y.shape[1] - first), x)
            for a, (s, e) in enumerate(spans):
                product(x[s:e, start:stop].T, y[s:e, first:], out=part[a])
            flat = part.flatten(1)
            products = own_products(flat).double()
            if symmetric:
                inner = part[:, :, : stop - start].flatten(1)
                products = 2 * products - own_products(inner).double()
            table += products
            if not with_moment:
                continue
            # Over documents large sums can cancel.
            sums[0, start:stop, first:] = sum_over_rows(part)
            sums[1, start:stop, first:] = square_sum_over_rows(part)
            if symmetric:
                sums[:, stop:, start:stop] = sums[:, start:stop, stop:].transpose(1, 2)
        return table.cpu().numpy(), Moment(sums[0], sums[1]) if with_moment else None

    def of_split(self, x: Split, y: Split) -> Array:
        """The table (c, c) of features of two sizes: the sum of those of the blocks of C_a, large ones in double.

        What is large on both sides is in the second and the third table, and taken away once.
        """
        rows = self.of(x.large, y.x)[0]
        columns = rows if x is y else self.of(y.large, x.x)[0]
        return self.of(x.single, y.single)[0] + rows + columns - self.of(x.large, y.large)[0]

    def _parts(self, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
        count = math.prod(shape)
        if self._room.dtype != like.dtype or self._room.device != like.device or len(self._room) < count:
            self._room = like.new_empty(count)
        return self._room[:count].view(shape)
