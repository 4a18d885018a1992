"""Linear centred kernel alignment of two representations of the same examples.

Linear CKA compares two sets of features of the same n examples through their Gram matrices K = XXᵀ and
L = YYᵀ (Kornblith et al. 2019). The unbiased estimator is HSIC₁ of Song et al. (2012), as used for networks by
Nguyen, Raghu & Kornblith (2021):

    HSIC₁ = [ tr(K̃L̃) + 1ᵀK̃1·1ᵀL̃1 / ((n−1)(n−2)) − 2·1ᵀK̃L̃1 / (n−2) ] / (n(n−3)),    K̃ = K with zero diagonal.

Examples count as independent here. Tokens of a document are not: document_tables.py has the estimate for them.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError
from mspgt.signals.given import doubles

Array = NDArray[np.float64]


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
    a, b = _centred(a), _centred(b)
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


def _centred(x: torch.Tensor) -> torch.Tensor:
    # The mean of equal numbers may differ from them in the last bit, which is no variation.
    return torch.where((x == x[0]).all(0), 0.0, x - x.mean(0))


def _checked(value: ArrayLike, name: str) -> torch.Tensor:
    array = doubles(value, name)
    if array.ndim != 2:
        raise InputError(f"{name} must have shape (examples, features), found {array.shape}.")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or infinite values.")
    return torch.from_numpy(array)
