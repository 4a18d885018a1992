"""Sums of products over tokens or documents, in single precision by pieces and in double over the pieces."""

from __future__ import annotations

import numpy as np
import torch

_CHUNK = 1024  # rows whose products are summed in their own precision before they are added in double
_GROUPS = 8


def own_products(x: torch.Tensor) -> torch.Tensor:
    """X Xᵀ of a matrix (rows, columns).

    On a processor by NumPy, which sees that both factors are one matrix and computes half of the product.
    """
    if x.device.type != "cpu":
        return x @ x.T
    array = x.numpy()
    return torch.from_numpy(array @ array.T)


def product(x: torch.Tensor, y: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """X Y of matrices (…, rows, inner) and (…, inner, columns), into `out` where it is given.

    On a processor by NumPy, whose library multiplies thin matrices faster.
    """
    if x.device.type != "cpu":
        return torch.matmul(x, y, out=out)
    into = None if out is None else out.numpy()
    return torch.from_numpy(np.matmul(x.numpy(), y.numpy(), out=into))


def moment(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Σ_i x_i y_iᵀ over tokens i of (tokens, width) features, (width, width) float64."""
    total = torch.zeros(x.shape[1], y.shape[1], dtype=torch.float64, device=x.device)
    for start in range(0, len(x), _CHUNK):
        part = x[start : start + _CHUNK]
        total += own_products(part.T) if x is y else product(part.T, y[start : start + _CHUNK])
    return total


def square_sum_over_rows(x: torch.Tensor) -> torch.Tensor:
    """Σ_a x_a∘x_a of (rows, r, columns), in the precision of x: all terms have one sign, so no digit cancels."""
    if x.device.type != "cpu":
        return x.square().sum(0)
    array = x.numpy()
    return torch.from_numpy(np.einsum("arj,arj->rj", array, array))


def sum_over_rows(x: torch.Tensor) -> torch.Tensor:
    """Σ_a x_a of (rows, …), float64: a few groups of rows each in the precision of x, and over groups in double.

    Conversion of every number to double would take longer than the products that they come from.
    """
    if x.device.type == "cpu":
        array, step = x.numpy(), -(-len(x) // _GROUPS)
        total = np.zeros(x.shape[1:])
        for start in range(0, len(x), step):
            total += array[start : start + step].sum(0)
        return torch.from_numpy(total)
    groups = min(_GROUPS, len(x))
    member = torch.arange(len(x), device=x.device) * groups // len(x)
    choice = (member == torch.arange(groups, device=x.device)[:, None]).to(x.dtype)
    return (choice @ x.flatten(1)).double().sum(0).view(x.shape[1:])
