"""The arms of the experiment: which layers get noise, and how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from mspgt.boundaries.scales import Scales
from mspgt.errors import InputError
from mspgt.text.limits import evenly_spread

Definition = Literal["dimension", "nonsink", "all", "own"]  # what sizes of noise count in
DEFINITIONS: tuple[Definition, ...] = get_args(Definition)
PRIMARY: Definition = "dimension"
LITERAL: Definition = "all"
BASELINE, AA = "baseline", "aa"
# How the three scales are dosed against each other, under the primary definition of noise.
DOSES = ("plain", "matched_layers", "matched_variance")
EQUAL_KL, LITERALLY = "equal_kl", "literal"
ALL_DOSES = (*DOSES, EQUAL_KL, LITERALLY)


@dataclass(frozen=True)
class Arm:
    """One way to write a text: `sigma` holds the noise after each block, 0 where there is none.

    Sizes count in what `definition` names (`doses.Yardsticks`). Arms of one `stream` share their sampling randomness.
    """

    name: str
    sigma: tuple[float, ...]
    stream: int = 0
    definition: Definition = PRIMARY

    @property
    def layers(self) -> tuple[int, ...]:
        """Perturbed layers, counted from 1."""
        return tuple(layer for layer, size in enumerate(self.sigma, start=1) if size)

    @property
    def kind(self) -> tuple[tuple[float, ...], int, Definition]:
        """What decides its texts: arms of one kind write the same."""
        return self.sigma, self.stream, self.definition if any(self.sigma) else PRIMARY


def arm_name(scale: str, dose: str) -> str:
    """The arm of a scale at a dose: `local`, `local_matched_layers`, …"""
    return scale if dose == "plain" else f"{scale}_{dose}"


def plan_arms(
    scales: Scales,
    *,
    sigma: float = 0.1,
    definition: Definition = PRIMARY,
    literal: bool = True,
    equal_kl: Mapping[str, float] | None = None,
    random_sets: int = 3,
    seed: int = 0,
) -> list[Arm]:
    """Every arm of Experiment 2 for one model.

    Noise has size `sigma`, counted as `definition` says. Besides baseline, A/A (no noise, another stream of sampling
    randomness) and the three scales:

    - *matched layers*: as many layers in each scale as the smallest has, spread evenly over it;
    - *matched variance*: every scale's noise scaled to one total of relative variance Σ σ_l², the geometric mean
      of the three, which moves no scale further than it must;
    - *equal KL*: sizes at which each scale costs the same divergence a token (`dosing.equal_divergence`);
    - *literal*: the three scales under the letter of the paper, the standard deviation over all tokens;
    - random sets of as many layers as in the arms of matched layers: `random_*` from all depths, `random_spread_*`
      with the first and last as far apart as those of the Intermediate arm, anywhere but in its place.

    Args:
        equal_kl: scale → size; None leaves these arms out.

    Raises:
        InputError: a size that is not finite and positive.
    """
    if not (np.isfinite(sigma) and sigma > 0):
        raise InputError(f"Expected noise of a size above 0, found sigma = {sigma}.")
    depth, whole = scales.layers, {name: list(layers) for name, layers in scales.items()}
    fewest = min(map(len, whole.values()))
    target = float(np.exp(np.mean([np.log(len(layers)) for layers in whole.values()])))
    none = (0.0,) * depth
    few = {name: evenly_spread(layers, fewest) for name, layers in whole.items()}
    arms = [Arm(BASELINE, none), Arm(AA, none, stream=1)]
    arms += [_arm(name, layers, sigma, depth) for name, layers in whole.items()]
    arms += [_arm(arm_name(name, "matched_layers"), layers, sigma, depth) for name, layers in few.items()]
    arms += [
        _arm(arm_name(name, "matched_variance"), layers, sigma * (target / len(layers)) ** 0.5, depth)
        for name, layers in whole.items()
    ]
    arms += [
        _arm(arm_name(name, EQUAL_KL), whole[name], size, depth) for name, size in (equal_kl or {}).items()
    ]
    arms += _random_sets(few["intermediate"], random_sets, sigma, depth, seed)
    arms = [replace(arm, definition=definition) for arm in arms]
    if literal and definition != LITERAL:
        arms += [
            replace(_arm(arm_name(name, LITERALLY), layers, sigma, depth), definition=LITERAL)
            for name, layers in whole.items()
        ]
    return arms


def _random_sets(middle: Sequence[int], count: int, sigma: float, depth: int, seed: int) -> list[Arm]:
    """As many layers as `middle`, from everywhere, and as far apart as in `middle`, elsewhere."""
    rng = np.random.default_rng(seed)
    arms = []
    for number in range(1, count + 1):
        drawn = np.sort(rng.choice(depth, size=len(middle), replace=False) + 1)
        arms.append(_arm(f"random_{number}", drawn.tolist(), sigma, depth))
    reach = middle[-1] - middle[0]
    elsewhere = [start for start in range(1, depth - reach + 1) if start != middle[0]]
    for number, start in enumerate(rng.permutation(elsewhere)[:count], start=1):
        inside = np.sort(rng.choice(np.arange(1, max(reach, 1)), size=max(len(middle) - 2, 0), replace=False))
        ends = [0, *inside.tolist(), reach] if len(middle) > 1 else [0]
        arms.append(_arm(f"random_spread_{number}", [int(start) + step for step in ends], sigma, depth))
    return arms


def plan_response(scales: Scales, sigmas: Sequence[float], definition: Definition = PRIMARY) -> list[Arm]:
    """The arms of the noise–response curve: baseline, then every scale at every size, `local@0.1` and so on."""
    arms = [Arm(BASELINE, (0.0,) * scales.layers)]
    for sigma in sigmas:
        for name, layers in scales.items():
            arm = _arm(f"{name}@{sigma:g}", layers, sigma, scales.layers)
            arms.append(replace(arm, definition=definition))
    return arms


def _arm(name: str, layers: Sequence[int], size: float, depth: int) -> Arm:
    sigma = np.zeros(depth)
    sigma[np.array(layers) - 1] = size
    return Arm(name, tuple(sigma.tolist()))
