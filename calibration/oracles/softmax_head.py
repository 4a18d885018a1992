"""A linear softmax head: the Fisher information of what it reads, in closed form (equations 29–31)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from mspgt.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SoftmaxHead:
    """p(y | h) = softmax(weights · h + bias), `weights` (classes, width), `bias` (classes,).

    Its loss is convex with a curvature that no label enters: Fisher information and the Hessian of the loss on
    any labels are the same matrix here, while the empirical Fisher is not.
    """

    weights: Array
    bias: Array

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or self.bias.shape != self.weights.shape[:1] or len(self.bias) < 2:
            raise InputError(
                "expected weights (classes, width) and bias (classes,) of two classes or more, "
                f"got {self.weights.shape} and {self.bias.shape}"
            )

    def log_probabilities(self, h: Array) -> Array:
        """(examples, classes), nats."""
        return log_softmax(h @ self.weights.T + self.bias, axis=-1)

    def sample_labels(self, h: Array, seed: int) -> NDArray[np.int64]:
        """One label an example drawn from the head itself, (examples,)."""
        gumbel = np.random.default_rng(seed).gumbel(size=(len(h), len(self.bias)))
        return (self.log_probabilities(h) + gumbel).argmax(-1)

    def fisher(self, h: Array) -> Array:
        """F(h) = Wᵀ (diag p − p pᵀ) W, (examples, width, width)."""
        p = softmax(h @ self.weights.T + self.bias, axis=-1)
        mean = p @ self.weights
        second = np.einsum("nk,ka,kb->nab", p, self.weights, self.weights, optimize=True)
        return second - mean[:, :, None] * mean[:, None]

    def fisher_trace(self, h: Array) -> Array:
        """tr F(h), (examples,): twice the slope of KL(clean ‖ noisy), and of the loss, over the noise's variance."""
        p = softmax(h @ self.weights.T + self.bias, axis=-1)
        return p @ (self.weights**2).sum(1) - ((p @ self.weights) ** 2).sum(1)

    def empirical_fisher_trace(self, h: Array, labels: NDArray[np.int64]) -> Array:
        """|∂ log p(y | h) / ∂h|² at given labels, (examples,)."""
        p = softmax(h @ self.weights.T + self.bias, axis=-1)
        return ((self.weights[labels] - p @ self.weights) ** 2).sum(1)
