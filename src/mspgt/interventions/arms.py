"""The arms of the experiment: which layers get noise, and how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.boundaries.scales import SCALES, Scales
from mspgt.errors import InputError
from mspgt.text.limits import evenly_spread

BASELINE, AA = "baseline", "aa"
DOSES = ("plain", "matched_layers", "matched_variance")


@dataclass(frozen=True)
class Arm:
    """One way to write a text: `sigma` holds the noise after each block, 0 where there is none.

    Arms of one `stream` share their sampling randomness.
    """

    name: str
    sigma: tuple[float, ...]
    stream: int = 0

    @property
    def layers(self) -> tuple[int, ...]:
        """Perturbed layers, counted from 1."""
        return tuple(layer for layer, size in enumerate(self.sigma, start=1) if size)

    @property
    def variance(self) -> float:
        """Injected variance a dimension, summed over layers."""
        return float(np.square(self.sigma).sum())


def arm_name(scale: str, dose: str) -> str:
    """The arm of a scale at a dose: `local`, `local_matched_layers`, …"""
    return scale if dose == "plain" else f"{scale}_{dose}"


def plan_arms(
    scales: Scales, std: ArrayLike, *, sigma: float = 0.1, random_sets: int = 3, seed: int = 0
) -> list[Arm]:
    """Every arm of Experiment 2 for one model.

    Noise after block l has standard deviation `sigma` × std[l]. Besides baseline, A/A (no noise, another stream
    of sampling randomness) and the three scales as in the paper:

    - *matched layers*: as many layers in each scale as the smallest has, spread evenly over it;
    - *matched variance*: every scale's noise scaled to one total of injected variance, the geometric mean of the
      three, which moves no scale further than it must;
    - random sets: as many layers as in the arms of matched layers, drawn from all.

    Args:
        std: (layers + 1,) standard deviation of activations, the embedding first.

    Raises:
        InputError: sizes that are not finite and positive, or `std` of another depth.
    """
    sizes = sigma * np.asarray(std, dtype=np.float64)[1:]
    if sizes.shape != (scales.layers,) or not (np.isfinite(sizes).all() and (sizes > 0).all()):
        raise InputError(
            f"Expected positive activation scales of {scales.layers} layers and the embedding, and sigma above 0; "
            f"found {np.shape(std)} and sigma = {sigma}."
        )
    whole = {name: list(layers) for name, layers in scales.items()}
    fewest = min(map(len, whole.values()))
    total = {name: float(np.square(sizes[np.array(layers) - 1]).sum()) for name, layers in whole.items()}
    target = float(np.exp(np.mean(np.log(list(total.values())))))
    arms = [Arm(BASELINE, (0.0,) * scales.layers), Arm(AA, (0.0,) * scales.layers, stream=1)]
    arms += [_arm(name, layers, sizes) for name, layers in whole.items()]
    arms += [
        _arm(arm_name(name, "matched_layers"), evenly_spread(layers, fewest), sizes)
        for name, layers in whole.items()
    ]
    arms += [
        _arm(arm_name(name, "matched_variance"), layers, sizes * (target / total[name]) ** 0.5)
        for name, layers in whole.items()
    ]
    rng = np.random.default_rng(seed)
    for number in range(1, random_sets + 1):
        drawn = np.sort(rng.choice(scales.layers, size=fewest, replace=False) + 1)
        arms.append(_arm(f"random_{number}", drawn.tolist(), sizes))
    return arms


def plan_response(scales: Scales, std: ArrayLike, sigmas: Sequence[float]) -> list[Arm]:
    """The arms of the noise–response curve: baseline, then every scale at every size, `local@0.1` and so on."""
    arms = [Arm(BASELINE, (0.0,) * scales.layers)]
    for sigma in sigmas:
        planned = plan_arms(scales, std, sigma=sigma, random_sets=0)
        arms += [Arm(f"{arm.name}@{sigma:g}", arm.sigma) for arm in planned if arm.name in SCALES]
    return arms


def _arm(name: str, layers: Sequence[int], sizes: NDArray[np.float64]) -> Arm:
    sigma = np.zeros_like(sizes)
    chosen = np.array(layers) - 1
    sigma[chosen] = sizes[chosen]
    return Arm(name, tuple(sigma.tolist()))
