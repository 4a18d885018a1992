"""The dose audit: what noise of one size is, under each definition, layer by layer, and what it costs the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.scales import Scales
from mspgt.interventions.arms import DEFINITIONS, Arm, Definition
from mspgt.interventions.costs import passage_costs
from mspgt.interventions.doses import Yardsticks
from mspgt.interventions.prompts import Prompt
from mspgt.lm.model import LanguageModel
from mspgt.results import Numbers, numbers
from mspgt.vocabulary import SCALES

Array = NDArray[np.float64]

# Depths that the brittleness curve goes to, beside the last layer before a sink and the first with it.
DEPTHS = 12
ENDLESS = "noise on a scale has no finite cost"
TRIES, CLOSE = 8, 0.02  # of the search for sizes of equal divergence


def dose_audit(
    lm: LanguageModel,
    passages: Sequence[Prompt],
    yardsticks: Yardsticks,
    *,
    sigma: float,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Definition → what noise of size `sigma` is and costs; lists over blocks 1..L.

    `sigma` in units of the residual stream (of `dimension` for the median dimension, of `own` for a typical token),
    `relative` the same over the standard deviation of the median dimension, `variance` over the variance of the
    activations, `kl` and `nats` (extra loss) a token with noise after that block alone. `ends` is the brittleness
    curve: noise after every block 1..k, for each k of `layers`.
    """
    depths = curve_depths(yardsticks)
    reach = [(layer, layer + 1) for layer in range(yardsticks.layers)] + [(0, depth) for depth in depths]
    arms = [
        Arm(
            f"{definition} {low} {high}", _between(yardsticks.layers, low, high, sigma), definition=definition
        )
        for definition in DEFINITIONS
        for low, high in reach
    ]
    kl, nats = passage_costs(lm, passages, arms, yardsticks, seed=seed, progress=progress)
    table: dict[str, dict[str, Any]] = {}
    for at, definition in enumerate(DEFINITIONS):
        own = slice(at * len(reach), (at + 1) * len(reach))
        alone, whole = (slice(None), slice(yardsticks.layers)), (slice(None), slice(yardsticks.layers, None))
        table[definition] = {
            "sigma": sigma * np.median(yardsticks.sizes(definition), axis=1),
            "relative": sigma * yardsticks.over_median(definition),
            "variance": sigma**2 * yardsticks.relative_variance(definition),
            **_costs(kl[:, own][alone], nats[:, own][alone]),
            "ends": {"layers": depths, **_costs(kl[:, own][whole], nats[:, own][whole])},
        }
    return table


def curve_depths(yardsticks: Yardsticks) -> list[int]:
    """Where the brittleness curve is measured: depths spread evenly, and both sides of a sink's appearance."""
    spread = np.linspace(1, yardsticks.layers, min(DEPTHS, yardsticks.layers)).round().astype(int)
    depths: set[int] = set(spread.tolist())
    if yardsticks.sink_layer is not None:
        depths |= {layer for layer in (yardsticks.sink_layer - 1, yardsticks.sink_layer) if layer > 0}
    return sorted(depths)


def scale_costs(
    lm: LanguageModel,
    passages: Sequence[Prompt],
    scales: Scales,
    yardsticks: Yardsticks,
    *,
    sigma: float,
    seed: int,
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Definition → scale → `kl` and `nats` a token of noise on the whole scale, each with its standard error."""
    sizes = [sigma] * len(SCALES)
    arms = [arm for definition in DEFINITIONS for arm in _on_scales(scales, sizes, definition)]
    costs = _costs(*passage_costs(lm, passages, arms, yardsticks, seed=seed))
    table: dict[str, dict[str, dict[str, float | None]]] = {}
    for at, arm in enumerate(arms):
        table.setdefault(arm.definition, {})[arm.name] = {key: values[at] for key, values in costs.items()}
    return table


def equal_divergence(
    lm: LanguageModel,
    passages: Sequence[Prompt],
    scales: Scales,
    yardsticks: Yardsticks,
    *,
    definition: Definition,
    sigma: float,
    seed: int,
) -> dict[str, Any]:
    """Sizes of noise at which each scale costs the same KL a token, by a short search on given passages.

    The target is the geometric mean of what the three cost at `sigma`, which moves none further than it must.

    Returns:
        `target` (nats), `sizes` and `kl` by scale; `sizes` None with a `reason` where the search did not end.
    """

    def measured(sizes: Array) -> Array | None:
        """Mean KL of each scale; None where some is not finite and positive."""
        arms = _on_scales(scales, sizes.tolist(), definition)
        found = np.asarray(passage_costs(lm, passages, arms, yardsticks, seed=seed)[0].mean(axis=0))
        return found if np.isfinite(found).all() and (found > 0).all() else None

    nothing: dict[str, Any] = {"target": None, "sizes": None, "kl": None, "reason": ENDLESS}
    size = np.full(len(SCALES), sigma)
    kl = measured(size)
    if kl is None:
        return nothing
    target = float(np.exp(np.log(kl).mean()))
    slope = np.full(len(SCALES), 2.0)  # small noise costs in proportion to its variance
    for _ in range(TRIES):
        if (np.abs(kl / target - 1) <= CLOSE).all():
            break
        moved = size * np.exp(np.clip(np.log(target / kl) / slope, -1.5, 1.5))
        found = measured(moved)
        if found is None:
            return nothing | {"target": target}
        step = np.log(moved / size)
        steep = np.log(found / kl) / np.where(np.abs(step) > 1e-3, step, 1.0)
        slope = np.where(np.abs(step) > 1e-3, np.clip(steep, 0.25, 8.0), slope)
        size, kl = moved, found
    found_kl = dict(zip(SCALES, kl.tolist(), strict=True))
    if (np.abs(kl / target - 1) > CLOSE).any():
        why = f"no sizes within {CLOSE:.0%} of {target:.3g} nats a token were found in {TRIES} tries"
        return {"target": target, "sizes": None, "kl": found_kl, "reason": why}
    sizes = dict(zip(SCALES, size.tolist(), strict=True))
    return {"target": target, "sizes": sizes, "kl": found_kl, "reason": None}


def _on_scales(scales: Scales, sizes: Sequence[float], definition: Definition) -> list[Arm]:
    """An arm a scale, with noise of its size on all of it."""
    return [
        Arm(name, _between(scales.layers, own.start - 1, own.stop - 1, size), definition=definition)
        for (name, own), size in zip(scales.items(), sizes, strict=True)
    ]


def _between(layers: int, low: int, high: int, size: float) -> tuple[float, ...]:
    """Noise after blocks low + 1 .. high."""
    return tuple(size if low <= layer < high else 0.0 for layer in range(layers))


def _costs(kl: Array, nats: Array) -> dict[str, Numbers]:
    """Means over passages (passages, arms) with standard errors; None where an arm was not finite."""
    found: dict[str, Numbers] = {}
    for key, values in (("kl", kl), ("nats", nats)):
        means, count = values.mean(axis=0), len(values)
        errors = values.std(axis=0, ddof=1) / count**0.5 if count > 1 else np.full(len(means), np.nan)
        found |= {key: numbers(means), f"{key}_se": numbers(errors)}
    return found
