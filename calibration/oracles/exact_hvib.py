"""An H-VIB in which all is linear and Gaussian: full covariances, exact expectations, exact training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal


class Linear(nn.Module):
    """N(W inputs + b, S) with a full covariance that does not depend on the inputs."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.mean = nn.Linear(inputs, width) if inputs else _Constant(width)
        self.root = nn.Parameter(torch.zeros(width, width))

    def forward(self, inputs: Tensor) -> MultivariateNormal:
        return MultivariateNormal(self.mean(inputs), scale_tril=self.scale_tril())

    def scale_tril(self) -> Tensor:
        """Lower triangle with a positive diagonal, (width, width)."""
        return self.root.tril(-1) + torch.diag(self.root.diagonal().exp())

    @torch.no_grad()
    def set(self, weights: Tensor, bias: Tensor, covariance: Tensor) -> None:
        """Take given values: weights (width, inputs), bias (width,), covariance (width, width)."""
        lower = torch.linalg.cholesky(covariance)
        if isinstance(self.mean, nn.Linear):
            self.mean.weight.copy_(weights)
        self.mean.bias.copy_(bias)
        self.root.copy_(lower.tril(-1) + torch.diag(lower.diagonal().log()))


class _Constant(nn.Module):
    """A mean that depends on nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.bias.expand(*inputs.shape[:-1], -1)


def cubature(widths: Sequence[int], dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """Noise of each scale at the 2n points ±√n e_i, n = Σ widths: exact means of quadratics. (2n, 1, width)"""
    n = sum(widths)
    points = torch.cat([torch.eye(n, dtype=dtype), -torch.eye(n, dtype=dtype)])[:, None] * n**0.5
    return list(points.split(list(widths), dim=-1))


def fit_exactly(loss: Callable[[], Tensor], parameters: Sequence[Tensor], *, steps: int = 500) -> float:
    """Minimise a deterministic loss by L-BFGS to machine precision; returns it."""
    optimizer = torch.optim.LBFGS(
        list(parameters),
        max_iter=steps,
        tolerance_grad=1e-10,
        tolerance_change=1e-14,
        history_size=50,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
    return float(loss().detach())
