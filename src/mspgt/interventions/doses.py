"""What "noise of 0.1 standard deviations" means: four definitions, which on a real model are four experiments.

`dimension` gives every dimension noise in proportion to its own spread, and is primary. `nonsink` takes one number a
layer, over the tokens that are no sinks; `all` takes it over all tokens, the letter of the paper, where a single
attention sink multiplies it; `own` counts in the root mean square of the very token that is disturbed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mspgt.errors import InputError
from mspgt.interventions.arms import Arm, Definition
from mspgt.signals.measure import Scales as ActivationScales

Array = NDArray[np.float64]
SINK = 2.0  # a sink has appeared where it multiplies the layer's standard deviation by more than this


@dataclass(frozen=True)
class Yardsticks:
    """What noise after each block 1..L is measured against, in units of the residual stream.

    dimension: (L, d), or (L, 1) where one number stands for all; nonsink, all, own: (L,).

    Raises:
        InputError: a size that is not finite and positive (of single dimensions: not finite, or all 0).
    """

    dimension: Array
    nonsink: Array
    all: Array
    own: Array  # root mean square of a typical token

    def __post_init__(self) -> None:
        sizes = (self.nonsink, self.all, self.own, self.spread)
        if not (np.isfinite(self.dimension).all() and all((np.isfinite(s) & (s > 0)).all() for s in sizes)):
            raise InputError("Expected activation scales that are finite and positive in every layer.")

    @classmethod
    def of(cls, scales: ActivationScales) -> Yardsticks:
        """From a sample of the corpus; the embedding, layer 0, is never disturbed."""
        dimension = scales.std_dimension[1:]
        typical = scales.median_norm[1:] / dimension.shape[1] ** 0.5
        return cls(dimension, scales.std[1:], scales.std_all[1:], typical)

    @classmethod
    def flat(cls, std: ArrayLike) -> Yardsticks:
        """One number a layer, (layers + 1,) with the embedding first, under every definition."""
        one = np.asarray(std, dtype=np.float64)[1:]
        return cls(one[:, None], one, one, one)

    @property
    def layers(self) -> int:
        return len(self.nonsink)

    @property
    def spread(self) -> Array:
        """Root mean square over dimensions of their standard deviations, (L,)."""
        found: Array = np.sqrt(np.square(self.dimension).mean(axis=1))
        return found

    def sizes(self, definition: Definition) -> Array:
        """Standard deviation of noise of size 1 in every layer and dimension, (L, d or 1)."""
        if definition == "dimension":
            return self.dimension
        found: Array = getattr(self, definition)[:, None]
        return found

    def over_median(self, definition: Definition) -> Array:
        """Noise of size 1 over the standard deviation of the median dimension, (L,)."""
        if definition == "dimension":
            return np.ones(self.layers)
        found: Array = getattr(self, definition) / np.median(self.dimension, axis=1)
        return found

    def relative_variance(self, definition: Definition) -> Array:
        """Variance of noise of size 1 over that of the activations, both summed over dimensions, (L,)."""
        found: Array = np.square(self.sizes(definition)).mean(axis=1) / self.spread**2
        return found

    @property
    def sink_layer(self) -> int | None:
        """The layer at which sinks multiply the standard deviation most; None where they do not double it there."""
        share = self.all / self.nonsink
        layer = int(np.diff(np.log(share), prepend=0.0).argmax())
        return layer + 1 if share[layer] > SINK else None


def noise_sizes(arms: Sequence[Arm], yardsticks: Yardsticks) -> tuple[Tensor, Tensor]:
    """Noise of every arm: (arms, layers, d or 1) float32, and (arms,) bool, which count in a token's own RMS."""
    width = yardsticks.dimension.shape[1]
    sizes = np.zeros((len(arms), yardsticks.layers, width))
    for at, arm in enumerate(arms):
        # A token's own size is known only when it is disturbed.
        unit = 1.0 if arm.definition == "own" else yardsticks.sizes(arm.definition)
        sizes[at] = np.array(arm.sigma)[:, None] * unit
    return torch.from_numpy(sizes).float(), torch.tensor([arm.definition == "own" for arm in arms])


def added_variance(arm: Arm, yardsticks: Yardsticks) -> float:
    """Σ (σ_l / SD_l)² over the layers of an arm: noise over activations in variance, summed over dimensions first."""
    return float(np.square(arm.sigma) @ yardsticks.relative_variance(arm.definition))
