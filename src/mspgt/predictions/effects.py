"""Reading the interventions of a model: effects of arms, contrasts between scales, and whose scales they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mspgt.predictions.ratios import Effect
from mspgt.predictions.readings import Reading, not_calibrated

Json = dict[str, Any]

SCALES = ("local", "intermediate", "global")
# The paper's five, under the names of results.json.
PAPER_METRICS = ("self_bleu", "length_variance", "ttr", "coherence", "grammar")
STRUCTURE = "length_variance"
# What an effect on sentence-length variance wobbles by at 1,000 texts, in percent of the baseline: the range of
# arms without any noise is ±25–34 % there, about two standard errors.
SE_PERCENT_AT_1000 = 15.0


def perturbed(
    models: Iterable[tuple[str, Json]], reading: Reading, missing: list[str]
) -> list[tuple[str, Json]]:
    """The models whose interventions can speak; the others are told in `missing`."""
    everyone = list(models)
    able = [
        (name, model)
        for name, model in everyone
        if model.get("interventions") and model.get("interventions_about")
    ]
    if not able:
        missing.append("Experiment 2 (interventions) was not run")
        return []
    missing += [f"{name}: Experiment 2 was not run" for name, model in everyone if (name, model) not in able]
    if reading.scales == "any":
        return able
    spoken = []
    for name, model in able:
        source = (model["interventions_about"].get("scales") or {}).get("source")
        if source == "calibrated":
            spoken.append((name, model))
        else:
            missing.append(not_calibrated(name, source))
    return spoken


def layers_of(model: Json, arm: str) -> int:
    """How many layers an arm perturbed."""
    return len(model["interventions_about"]["arms"][arm]["layers"])


def brittleness(model: Json, arm: str, metric: str, *, per_layer: bool) -> Effect | None:
    """γ = Δ/σ in percent of the baseline a unit of σ, and a perturbed layer (section 3.3.2).

    None where it was not measured, or where the baseline leaves no percentage with an error.
    """
    record = (model["interventions"].get(arm) or {}).get(metric)
    if not record or record.get("percent_se") is None:
        return None
    doses = model["interventions_about"]["sigma"] * (layers_of(model, arm) if per_layer else 1)
    return Effect(record["percent"] / doses, record["percent_se"] / doses, record["documents"] - 1)


def pooled(effects: list[Effect]) -> Effect:
    """The mean effect of a family.

    Its error is that between members, or that within them where it is larger: three members may agree by
    chance. One member speaks for itself only, with as many degrees of freedom as its documents leave.
    """
    n = len(effects)
    mean = sum(one.value for one in effects) / n
    within = sum(one.se**2 for one in effects) / n
    if n == 1:
        return Effect(mean, within**0.5, effects[0].df)
    between = sum((one.value - mean) ** 2 for one in effects) / (n - 1)
    return Effect(mean, (max(between, within) / n) ** 0.5, n - 1)
