"""A3: the scales depend on the architecture in the order Local < Intermediate < Global."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from mspgt.predictions.design import Design
from mspgt.predictions.effects import (
    PAPER_METRICS,
    Perturbed,
    apart,
    asked,
    brittleness,
    by_family_and_metric,
    perturbed,
    sum_of,
)
from mspgt.predictions.ratios import Effect, p_both
from mspgt.predictions.readings import Measurements, Reading, by_family, finished, named, relative_positions
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, PaperSays, Prediction, Unit
from mspgt.vocabulary import BOUNDARIES, SCALES

METRICS = (*PAPER_METRICS, "perplexity")
Scaled = tuple[Effect, Effect, Effect]  # of one model: local, intermediate, global
SUFFIX = {"matched": "_matched_layers", "plain": ""}


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit a pair of families and metric: the difference between families, by scale."""
    suffix = SUFFIX[reading.dose]
    metrics = asked(reading, METRICS)
    missing: list[str] = []

    def scaled(one: Perturbed, metric: str) -> Scaled | None:
        effects = (brittleness(one, s + suffix, metric, per_layer=reading.per_layer) for s in SCALES)
        local, middle, top = effects
        return (local, middle, top) if local and middle and top else None

    models = perturbed(named(finished(results)), reading, missing)
    families = {
        family: {metric: found for metric, found in own.items() if len(found) >= rules.members}
        for family, own in by_family_and_metric(models, metrics, scaled).items()
    }
    units = [
        _unit(first, second, metric, families[first][metric], families[second][metric], suffix)
        for first, second in combinations(families, 2)
        for metric in metrics
        if metric in families[first] and metric in families[second]
    ]
    if not units:
        able = sum(bool(own) for own in families.values())
        missing.append(
            f"effects on {rules.members} models in each of two families; found {able} such families"
        )
    return Finding(tuple(units), tuple(missing))


def _unit(first: str, second: str, metric: str, a: list[Scaled], b: list[Scaled], suffix: str) -> Unit:
    """Steps between scales are taken within each model, whose scales share a baseline, and compared over models."""

    def between(combine: Callable[[Scaled], Effect]) -> Effect:
        return apart([combine(model) for model in a], [combine(model) for model in b])

    def exceeds(more: int, less: int) -> float:
        return p_both(*(between(lambda m, s=s: sum_of(m[more], m[less], s)) for s in (-1.0, 1.0)))  # type: ignore[misc]

    local, middle, top = (abs(between(lambda m, at=at: m[at]).value) for at in range(3))  # type: ignore[misc]
    told = ", ".join(f"{scale} {one:.3g}" for scale, one in zip(SCALES, (local, middle, top), strict=True))
    return Unit(
        f"{metric}: {first} and {second}",
        min(middle - local, top - middle),
        None,
        max(exceeds(1, 0), exceeds(2, 1)),
        min(1.0, 2 * min(exceeds(0, 1), exceeds(1, 2))),
        f"models.*.interventions.*{suffix}.{metric}",
        f"difference between families by perturbed layer: {told}; {len(a)} against {len(b)} models",
    )


def paper(results: Measurements, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's argument: in some family the I–G position varies more than the L–I position."""
    told, gaps = [], []
    for family, models in sorted(by_family(results).items()):
        early, late = (relative_positions(models.values(), which, reading) for which in BOUNDARIES)
        if len(early) > 1 and len(late) > 1:
            first, second = (max(places) - min(places) for places in (early, late))
            gaps.append(second - first)
            told.append(f"{family} L–I {first:.2f}, I–G {second:.2f}")
    if not gaps:
        return PaperSays(None, None, "no family has two models with both boundaries")
    return PaperSays(max(gaps) > 0, max(gaps), "; ".join(told))


def power(design: Design, rules: Rules) -> str:
    """Needs two families with interventions; three models each to speak of families."""
    enough = [own for own in design.families().values() if len(own) >= rules.members]
    return design.too_few(rules.members) or f"{len(enough)} families, {design.samples} texts an arm"


PREDICTION = Prediction(
    id="A3",
    title="Sensitivity to architecture grows from Local over Intermediate to Global",
    tier="assumption",
    quantifier="most",
    statistic="least step in the difference between families from scale to scale, percent a σ and layer",
    threshold=lambda rules: 0.0,
    rule=(
        "For every pair of families and metric, the difference between families in the effect of noise by "
        "perturbed layer, doses matched by layers; models are the random unit, and steps between scales are taken "
        "within "
        "each model, whose scales share a baseline. Supported: |difference| grows from Local to Intermediate and "
        "from Intermediate to Global in more than half of the pairs and metrics. Refuted: one of the steps is "
        "reversed in at least half of them. Only noise on scales that were found by a calibrated account counts."
    ),
    paper_rule="In some family the relative I–G position varies more than the L–I position.",
    claim=Claim(
        "“Stratified architectural sensitivity”: local operations nearly invariant, global ones strongly dependent",
        "sections 3.1, 3.3.1 and 4.3.1",
        "assumed",
        "Rests on one family of two models (Qwen, I–G); in the other both boundaries are equal. The largest "
        "difference between families in Table 3 is that of the L–I boundary: 33.9 points, against 1.8 for I–G.",
    ),
    judge=judge,
    paper=paper,
    power=power,
    excluded=lambda rules: (
        "that |difference between families| grows at both steps in more than half of the pairs and metrics measured"
    ),
    false_in=("equal layers", "equal families", "hump"),
    true_in=("stratified",),
    readings=tuple(
        Reading(dose=dose, per_layer=per_layer, scales=scales, metric=metric)
        for scales in ("calibrated", "any")
        for dose in ("matched", "plain")
        for per_layer in (True, False)
        for metric in ("", *METRICS)
    ),
)
