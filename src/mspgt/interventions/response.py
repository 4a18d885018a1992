"""The noise–response curve: what each scale does as its noise grows, and how far it grows in proportion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mspgt.interventions.arms import BASELINE, Arm
from mspgt.interventions.costs import token_costs
from mspgt.interventions.doses import Yardsticks, noise_sizes
from mspgt.interventions.effects import Effect
from mspgt.interventions.prompts import Prompt
from mspgt.interventions.texts import Scope, Texts
from mspgt.lm.model import LanguageModel

LINEAR = 0.2  # relative departure from proportion that still counts as linear


def costs_by_noise(
    lm: LanguageModel,
    prompts: Sequence[Prompt],
    texts: Texts,
    arms: Sequence[Arm],
    yardsticks: Yardsticks,
    *,
    seed: int,
    scope: Scope = "all",
    rows: int = 4,
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Mean KL(clean ‖ perturbed) of the next token, and mean extra loss, in nats: each arm → one number a sample.

    Taken over the positions of the baseline's own text, which every arm reads alike, so that the curve needs few
    samples. For small noise it grows with σ² (its slope is half the trace of the Fisher information).

    Args:
        rows: arms read at once; changes memory, not results.
    """
    written = texts.of(BASELINE)
    ids = dict(zip(written["sample"], written["ids"], strict=True))
    noisy = [arm for arm in arms if arm.layers]
    sizes, own = noise_sizes(noisy, yardsticks)
    found: dict[str, list[float]] = {arm.name: [] for arm in noisy}
    lost: dict[str, list[float]] = {arm.name: [] for arm in noisy}
    for prompt in prompts:
        row = torch.tensor([*prompt.ids, *ids[prompt.sample]], device=lm.device)[: lm.max_length]
        first = prompt.spared if scope == "all" else len(prompt.ids)
        kl, loss = token_costs(
            lm, row, prompt.sample, sizes, own, seed=seed, first=first, start=len(prompt.ids) - 1, rows=rows
        )
        for arm, one, extra in zip(noisy, kl.tolist(), loss.tolist(), strict=True):
            found[arm.name].append(one)
            lost[arm.name].append(extra)
    return found, lost


def response_curve(
    sigmas: Sequence[float],
    divergences: Mapping[str, Sequence[float]],
    losses: Mapping[str, Sequence[float]],
    documents: Sequence[int],
    effects: Mapping[str, Mapping[str, Effect]],
    scales: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """Scale → the curve: divergence with its standard error, its linear range, and effects by metric.

    `loss` is the extra loss on the baseline's own texts, and `loss_step` what the next larger noise adds to it, with
    its standard error over documents: what a weight of the scale rests on (`mspgt.theory.channel`).

    Args:
        documents: of each sample.

    Divergence is linear in the dose σ² up to the largest size at which divergence / σ² still lies within 20 % of
    its value at the smallest; `linear_up_to` is None where that cannot be said.
    """
    curve: dict[str, dict[str, Any]] = {}
    for scale in scales:
        names = [f"{scale}@{sigma:g}" for sigma in sigmas]
        nats = [np.array(divergences[name]) for name in names]
        mean = [float(one.mean()) for one in nats]
        metrics = dict.fromkeys(metric for name in names for metric in effects.get(name, {}))
        curve[scale] = {
            "sigma": list(sigmas),
            "divergence": mean,
            "divergence_se": [
                float(one.std(ddof=1) / len(one) ** 0.5) if len(one) > 1 else None for one in nats
            ],
            "linear_up_to": linear_range(sigmas, mean),
            **_losses(np.array([losses[name] for name in names]), documents),
            "percent": {
                metric: [_change(effects.get(name, {}).get(metric)) for name in names] for metric in metrics
            },
        }
    return curve


def _losses(by_sample: NDArray[np.float64], documents: Sequence[int]) -> dict[str, Any]:
    """Extra loss (sizes, samples), and its steps from size to size with documents as the unit of chance."""
    _, owner = np.unique(documents, return_inverse=True)
    count = np.bincount(owner)
    by_document = np.array([np.bincount(owner, weights=row) / count for row in by_sample])
    steps = np.diff(by_document, axis=0)
    n = len(count)
    return {
        "loss": by_document.mean(axis=1).tolist(),
        "loss_step": {
            "value": steps.mean(axis=1).tolist(),
            "se": (steps.std(axis=1, ddof=1) / n**0.5).tolist() if n > 1 else None,
            "documents": n,
        },
    }


def _change(found: Effect | None) -> dict[str, Any]:
    """An effect in percent; all null for an arm that broke."""
    if found is None:
        return {"value": None, "ci": None, "n": 0}
    return {"value": found.percent, "ci": found.percent_ci, "n": found.n}


def linear_range(sigmas: Sequence[float], divergences: Sequence[float]) -> float | None:
    """The largest size up to which divergence grows with the square of the noise, within 20 %."""
    order = np.argsort(sigmas)
    size, response = np.asarray(sigmas)[order], np.asarray(divergences)[order]
    if not np.isfinite(response).all() or response[0] <= 0:
        return None
    gain = response / size**2
    within = np.abs(gain / gain[0] - 1) <= LINEAR
    return float(size[np.argmin(within) - 1] if not within.all() else size[-1])
