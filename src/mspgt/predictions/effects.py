"""Reading the interventions of a model: effects of arms, contrasts between scales, and whose scales they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mspgt.interventions.metrics import PAPER_METRICS as PAPER_METRICS  # whom predictions ask
from mspgt.predictions.ratios import Effect, difference, over_models
from mspgt.predictions.readings import FOUND, Reading, not_calibrated
from mspgt.results import ModelResult
from mspgt.results.interventions import EffectResult, InterventionsAbout

Read = TypeVar("Read")
STRUCTURE = "length_variance"
# What an effect wobbles by at 1,000 texts, in percent of the baseline. On sentence-length variance the range of arms
# without any noise is ±25–34 %, about two standard errors; the others are those of SmolLM2-135M.
SE_PERCENT_AT_1000 = {STRUCTURE: 15.0, "ttr": 0.45, "coherence": 2.3, "diversity": 5.5}


@dataclass(frozen=True)
class Perturbed:
    """One model with the arms of Experiment 2 on it."""

    name: str
    model: ModelResult
    arms: Mapping[str, Mapping[str, EffectResult]]  # arm → metric
    about: InterventionsAbout

    def effect(self, arm: str, metric: str) -> EffectResult | None:
        """One metric of one arm; None where either was not measured."""
        return self.arms.get(arm, {}).get(metric)


def experiments(models: Iterable[tuple[str, ModelResult]]) -> Iterator[Perturbed]:
    """The models on which Experiment 2 was run."""
    for name, model in models:
        if model.interventions and model.interventions_about:
            yield Perturbed(name, model, model.interventions, model.interventions_about)


def perturbed(
    models: Iterable[tuple[str, ModelResult]], reading: Reading, missing: list[str]
) -> list[Perturbed]:
    """The models whose interventions can speak; the others are told in `missing`."""
    everyone = list(models)
    able = list(experiments(everyone))
    if not able:
        missing.append("Experiment 2 (interventions) was not run")
        return []
    names = {one.name for one in able}
    missing += [f"{name}: Experiment 2 was not run" for name, _ in everyone if name not in names]
    if reading.scales == "any":
        return able
    missing += [
        not_calibrated(one.name, one.about.scales.source)
        for one in able
        if one.about.scales.source not in FOUND
    ]
    return [one for one in able if one.about.scales.source in FOUND]


def brittleness(one: Perturbed, arm: str, metric: str, *, per_layer: bool) -> Effect | None:
    """γ = Δ/σ in percent of the baseline a unit of σ, and a perturbed layer (section 3.3.2).

    None where it was not measured, or where the baseline leaves no percentage with an error.
    """
    found = one.effect(arm, metric)
    if found is None or found.percent is None or found.percent_se is None or found.documents is None:
        return None
    if not one.about.sigma:
        return None
    doses = one.about.sigma * (len(one.about.arms[arm].layers) if per_layer else 1)
    return Effect(found.percent / doses, found.percent_se / doses, found.documents - 1)


def local_arm(reading: Reading) -> str:
    """The arm whose noise lies on the Local scale, at the dose of a reading."""
    return "local_matched_layers" if reading.dose == "matched_layers" else "local"


def asked(reading: Reading, metrics: Sequence[str] = PAPER_METRICS) -> Sequence[str]:
    """The metric that a reading names, or all that a prediction asks."""
    return (reading.metric,) if reading.metric else metrics


def by_family_and_metric(
    models: Iterable[Perturbed], metrics: Sequence[str], read: Callable[[Perturbed, str], Read | None]
) -> dict[str, dict[str, list[Read]]]:
    """Family → metric → what is read of each model, of those that have it; families in order."""
    families: dict[str, dict[str, list[Read]]] = {}
    for model in models:
        for metric in metrics:
            if found := read(model, metric):
                families.setdefault(model.model.family, {}).setdefault(metric, []).append(found)
    return dict(sorted(families.items()))


def se_percent(metric: str, samples: int) -> float:
    """Expected error of an effect at so many texts, in percent of the baseline."""
    return float(SE_PERCENT_AT_1000[metric] * (1000 / samples) ** 0.5)


def pooled(effects: Sequence[Effect]) -> Effect:
    """The mean effect of a family, with models as the random unit."""
    return over_models([one.value for one in effects], [one.se**2 for one in effects])


def apart(own: Sequence[Effect], other: Sequence[Effect]) -> Effect:
    """How far the means of two families lie apart, models being the random unit of each."""
    return difference(pooled(own), pooled(other))


def sum_of(a: Effect, b: Effect, sign: float) -> Effect:
    """a + sign · b of one model, whose error may be as large as if the two always erred together.

    Effects on several scales of one model are held against one baseline, so that their errors are not independent.
    """
    return Effect(a.value + sign * b.value, a.se + b.se, min(a.df, b.df))
