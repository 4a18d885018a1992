"""Equation 31: models whose Local layers hold more Fisher information are the more brittle under noise on them."""

from __future__ import annotations

from mspgt.predictions.association import Pair, associated, power_with
from mspgt.predictions.effects import PAPER_METRICS, Perturbed, asked, brittleness, local_arm, perturbed
from mspgt.predictions.readings import Measurements, Reading, finished, named
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import blocks
from mspgt.predictions.verdict import Claim, Finding, Prediction, untested
from mspgt.results.theory import Fisher


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit a metric: the rank correlation of Σ tr F with |γ_L| over architectures."""
    missing: list[str] = []
    traces = dict(blocks(results, lambda theory: theory.fisher, missing))
    arm = local_arm(reading)
    models = perturbed(named(finished(results)), reading, missing)
    by_metric: dict[str, dict[str, Pair]] = {metric: {} for metric in asked(reading)}
    for metric, pairs in by_metric.items():
        for model in models:
            trace = _trace(traces.get(model.name), model, arm, per_layer=reading.per_layer)
            effect = brittleness(model, arm, metric, per_layer=reading.per_layer)
            if trace is not None and effect is not None:
                pairs[model.name] = Pair(trace, abs(effect.value))

    def evidence(metric: str) -> str:
        return f"models.*.theory.fisher.fisher, models.*.interventions.{arm}.{metric}"

    return associated(results, by_metric, 1.0, evidence, rules, missing)


def _trace(fisher: Fisher | None, model: Perturbed, arm: str, *, per_layer: bool) -> float | None:
    """std² tr F summed over the layers that an arm perturbed, or its mean; None where it was not measured."""
    if not fisher or not fisher.fisher or not fisher.fisher.value or arm not in model.about.arms:
        return None
    layers = model.about.arms[arm].layers
    total = sum(fisher.fisher.value[layer - 1] for layer in layers)
    return total / len(layers) if per_layer else total


PREDICTION = Prediction(
    id="eq31",
    title="Local layers that hold more Fisher information are more brittle",
    tier="theory",
    quantifier="most",
    statistic="rank correlation over architectures of tr F with |γ_L|, both by perturbed layer",
    threshold=lambda rules: rules.association,
    rule=(
        "An observation over architectures, whose training runs are averaged: Fisher traces of the Local layers (for "
        "noise of one standard deviation of the states) against the size of the percent change under noise on them, "
        "a unit of σ and perturbed layer, in each of the paper's five metrics. Supported: the rank correlation is "
        "above 0 in more than half of the metrics (permutation tests). Refuted: in at least half of them one of the "
        "threshold or more is excluded. Too few architectures test nothing."
    ),
    paper_rule="None: derived.",
    claim=Claim(
        "Σ tr F over the Local layers of one architecture far above that of another “implies” greater brittleness",
        "equation 31",
        "derived",
        "Follows from equation 30 for the loss under small noise on labels that the model draws itself. Whether "
        "metrics of generated texts at a finite dose go with it is a question to data, and no pair of models "
        "answers it.",
    ),
    judge=judge,
    paper=untested("derived, not tested"),
    power=power_with("the theory part (Fisher traces) and Experiment 2 (interventions)"),
    false_in=("no relation",),
    true_in=("as derived",),
    excluded=lambda rules: (
        f"a rank correlation of {rules.association:g} or more over architectures like these, of traces and effects "
        "as measured, in at least half of the metrics"
    ),
    readings=tuple(
        Reading(dose=dose, per_layer=per_layer, metric=metric, scales=scales)
        for scales in ("calibrated", "any")
        for dose in ("matched", "matched_layers")
        for per_layer in (True, False)
        for metric in ("", *PAPER_METRICS, "perplexity")
    ),
)
