"""Linear centred kernel alignment of representations of the same examples.

Linear CKA compares two sets of features of the same n examples through their Gram matrices K = XXᵀ and
L = YYᵀ (Kornblith et al. 2019). The unbiased estimator is HSIC₁ of Song et al. (2012), as used for networks by
Nguyen, Raghu & Kornblith (2021):

    HSIC₁ = [ tr(K̃L̃) + 1ᵀK̃1·1ᵀL̃1 / ((n−1)(n−2)) − 2·1ᵀK̃L̃1 / (n−2) ] / (n(n−3)),    K̃ = K with zero diagonal.

With centred features tr(KL) = ‖XᵀY‖², and 1ᵀK = 0, so that a zero diagonal leaves −|x_j|² in row j: apart from tr(KL)
all is made of the |x_j|². Of many representations each Gram matrix, or each pair's XᵀY, is made once and used for all
its pairs; products and sums are double precision.

Examples count as independent here. Tokens of a document are not: document_tables.py has the estimate for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError
from mspgt.signals.given import doubles

Array = NDArray[np.float64]

_WITHIN = 200  # binary orders from 1 in which fourth powers, and sums of them, are ordinary numbers
_ROOM = 2**24  # numbers in double precision held at once (128 MiB) besides two representations


@overload
def cka(x: ArrayLike, y: ArrayLike, *, unbiased: bool = True) -> float: ...
@overload
def cka(x: Iterable[ArrayLike], y: None = None, *, unbiased: bool = True) -> Array: ...
def cka(
    x: ArrayLike | Iterable[ArrayLike], y: ArrayLike | None = None, *, unbiased: bool = True
) -> float | Array:
    """Linear CKA between two representations of the same examples, or of every two of many.

    Args:
        x: `(examples, features_x)`; without y, many representations: `(representations, examples, features)`, or
            a sequence of `(examples, features)`, which may differ in `features`.
        y: `(examples, features_y)`.
        unbiased: HSIC₁ (Song et al. 2012), which is 0 in expectation for independent data; False gives the
            biased estimator of Kornblith et al. (2019), which for independent Gaussians is about d / (n + d).

    Returns:
        Similarity, 1 for representations equal up to rotation and scale. The unbiased value can be slightly
        below 0. NaN if one of the two does not vary. Without y `(representations, representations)`: every two,
        symmetric, much faster than pair by pair. Of layers of two models it is the block
        `cka([*a, *b])[:len(a), len(a):]`.

    Raises:
        InputError: shapes differ in `examples`, are not two-dimensional, hold NaN, or have fewer than 4 examples.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(100, 5))
        >>> round(cka(x, 3 * x[:, ::-1]), 12)
        1.0
        >>> layers = [x, x[:, :2], x[:, 2:]]
        >>> cka(layers).round(2)
        array([[1.  , 0.57, 0.83],
               [0.57, 1.  , 0.01],
               [0.83, 0.01, 1.  ]])
    """
    if y is not None:
        return float(_of_all([x, y], ("x", "y"), unbiased)[0, 1])
    try:
        many: list[Any] = list(x)  # type: ignore[arg-type]
    except TypeError as error:
        raise InputError(f"Give x and y, or a sequence of representations: {error}.") from error
    if not many:
        raise InputError("Expected at least one representation (examples, features), found none.")
    return _of_all(many, [f"x[{i}]" for i in range(len(many))], unbiased)


def _of_all(values: Sequence[Any], names: Sequence[str], unbiased: bool) -> Array:
    given = [_Given.of(value, name) for value, name in zip(values, names, strict=True)]
    counts = [len(one.square) for one in given]
    for name, count in zip(names, counts, strict=True):
        if count != counts[0]:
            raise InputError(
                f"{names[0]} and {name} must describe the same examples, found {counts[0]} and {count}."
            )
    n = counts[0]
    if n < 4:
        raise InputError(f"CKA needs at least 4 examples, found {n}.")
    width = sum(len(one.centre) for one in given)
    # Operations: every pair's XᵀY, or half of every Gram matrix and their products.
    feature_form = width**2 <= n * (width + len(given) ** 2)
    hsic = (_from_features if feature_form else _from_grams)(given)
    if unbiased:
        squares = np.stack([one.square for one in given])
        own, sums = squares @ squares.T, squares.sum(1)
        hsic = hsic - own + np.outer(sums, sums) / ((n - 1) * (n - 2)) - 2 * own / (n - 2)
        hsic /= n * (n - 3)
    with np.errstate(invalid="ignore"):
        scale = np.sqrt(np.where(np.diag(hsic) > 0, np.diag(hsic), np.nan))
    return np.asarray(hsic / np.outer(scale, scale))


@dataclass(frozen=True)
class _Given:
    """A representation as it was given; `centre` (features,), `square` (examples,): |x_j|² about the centre.

    Numbers whose fourth powers would leave the range of double precision are taken 2^−exponent times, which CKA does
    not see.
    """

    value: NDArray[np.generic] | torch.Tensor
    name: str
    exponent: int
    centre: Array
    square: Array

    @classmethod
    def of(cls, value: ArrayLike | torch.Tensor, name: str) -> _Given:
        x = doubles(value, name)
        if x.ndim != 2:
            raise InputError(f"{name} must have shape (examples, features), found {x.shape}.")
        largest = max(x.max(initial=0), -x.min(initial=0))
        exponent = int(np.frexp(largest)[1]) if np.isfinite(largest) else 0
        exponent = exponent if abs(exponent) > _WITHIN else 0
        x = _scaled(x, exponent)
        with np.errstate(all="ignore"):
            centre = x.mean(0) if len(x) else np.zeros(x.shape[1])
            # The mean of equal numbers may differ from them in the last bit, which is no variation.
            same = np.flatnonzero((x[:1] == x[-1:]).all(0))
            same = same[(x[:1, same] == x[:, same]).all(0)]
            centre[same] = x[:1, same].sum(0)
            deviation = x - centre
            square = np.einsum("nd,nd->n", deviation, deviation)
        if not np.isfinite(square.sum()):
            raise InputError(f"{name} holds NaN or infinite values.")
        kept = value if isinstance(value, torch.Tensor | np.ndarray) else doubles(value, name)
        return cls(kept, name, exponent, centre, square)

    def deviations(self, rows: slice = slice(None)) -> Array:
        """Centred features of some examples; made anew, so that not all are held at once."""
        return np.subtract(_scaled(doubles(self.value[rows], self.name), self.exponent), self.centre)


def _scaled(x: Array, exponent: int) -> Array:
    return np.ldexp(x, -exponent) if exponent else x


def _from_grams(given: Sequence[_Given]) -> Array:
    """tr(K_i K_j) of every two, from one square of all Gram matrices at a time; half of the squares are made."""
    n = len(given[0].square)
    step = min(n, max(1, math.isqrt(_ROOM // len(given))))
    spans = [slice(start, min(start + step, n)) for start in range(0, n, step)]
    room = np.empty(len(given) * step**2)
    sums = np.zeros((len(given), len(given)))
    for a, rows in enumerate(spans):
        for columns in spans[a:]:
            shape = len(given), rows.stop - rows.start, columns.stop - columns.start
            grams = room[: math.prod(shape)].reshape(shape)
            for one, gram in zip(given, grams, strict=True):
                x = one.deviations(rows)
                # NumPy sees one matrix twice and computes half of its product.
                np.matmul(x, (x if rows is columns else one.deviations(columns)).T, out=gram)
            flat = grams.reshape(len(given), -1)
            sums += (1 if rows is columns else 2) * (flat @ flat.T)
    return sums


def _from_features(given: Sequence[_Given]) -> Array:
    """‖X_iᵀX_j‖² of every two, from the products of one with as many as fit in the room, side by side."""
    sums = np.zeros((len(given), len(given)))
    for group in _groups([len(one.centre) for one in given], len(given[0].square)):
        y = np.hstack([given[j].deviations() for j in group])
        ends = np.cumsum([0, *(len(given[j].centre) for j in group)])
        for i in range(group[-1] + 1):
            first = max(0, i - group[0])  # what stands left of the diagonal is there already
            x = given[i].deviations() if i < group[0] else y[:, ends[first] : ends[first + 1]]
            products = x.T @ y[:, ends[first] :]
            of_each = np.square(products, out=products).sum(0)
            for j, low, high in zip(group[first:], ends[first:-1], ends[first + 1 :], strict=True):
                sums[i, j] = sums[j, i] = of_each[low - ends[first] : high - ends[first]].sum()
    return sums


def _groups(widths: Sequence[int], n: int) -> list[list[int]]:
    """Neighbours whose features fit together in the room; one that does not fit alone is a group."""
    groups: list[list[int]] = [[]]
    held = 0
    for i, width in enumerate(widths):
        if groups[-1] and (held + width) * max(n, held + width) > _ROOM:
            groups.append([])
            held = 0
        groups[-1].append(i)
        held += width
    return groups
