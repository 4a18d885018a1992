"""A3: the scales depend on the architecture in the order Local < Intermediate < Global."""

from __future__ import annotations

from itertools import combinations, product

from mspgt.predictions.design import Design
from mspgt.predictions.effects import PAPER_METRICS, SCALES, brittleness, perturbed, pooled
from mspgt.predictions.ratios import Effect, p_exceeds
from mspgt.predictions.readings import Reading, by_family, finished, named, position
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, Json, PaperSays, Prediction, Unit

METRICS = (*PAPER_METRICS, "perplexity")
SUFFIX = {"matched": "_matched_layers", "plain": ""}


def judge(results: Json, rules: Rules, reading: Reading) -> Finding:
    """One unit a pair of families and metric: the difference between families, by scale."""
    suffix = SUFFIX[reading.dose]
    metrics = (reading.metric,) if reading.metric else METRICS
    missing: list[str] = []
    effects: dict[str, dict[tuple[str, str], list[Effect]]] = {}
    for _, model in perturbed(named(finished(results)), reading, missing):
        for scale, metric in product(SCALES, metrics):
            effect = brittleness(model, scale + suffix, metric, per_layer=reading.per_layer)
            if effect:
                effects.setdefault(model["family"], {}).setdefault((scale, metric), []).append(effect)
    families = {
        family: {key: pooled(found) for key, found in sorted(own.items())}
        for family, own in sorted(effects.items())
    }
    if len(families) < 2:
        missing.append(f"interventions on models of two families; found {len(families)}")
    units = [
        unit
        for first, second in combinations(families, 2)
        for metric in metrics
        if (unit := _unit(first, second, metric, families, suffix))
    ]
    return Finding(tuple(units), tuple(missing))


def _unit(
    first: str, second: str, metric: str, families: dict[str, dict[tuple[str, str], Effect]], suffix: str
) -> Unit | None:
    apart = []
    for scale in SCALES:
        a, b = (families[family].get((scale, metric)) for family in (first, second))
        if a is None or b is None:
            return None
        apart.append(Effect(a.value - b.value, (a.se**2 + b.se**2) ** 0.5, min(a.df, b.df)))
    local, middle, top = apart
    support = max(p_exceeds(middle, local, 1.0), p_exceeds(top, middle, 1.0))
    refute = min(1.0, 2 * min(p_exceeds(local, middle, 1.0), p_exceeds(middle, top, 1.0)))
    step = min(abs(middle.value) - abs(local.value), abs(top.value) - abs(middle.value))
    told = ", ".join(f"{scale} {abs(one.value):.3g}" for scale, one in zip(SCALES, apart, strict=True))
    return Unit(
        f"{metric}: {first} and {second}",
        step,
        None,
        support,
        refute,
        f"models.*.interventions.*{suffix}.{metric}",
        f"difference between families by perturbed layer: {told}",
    )


def paper(results: Json, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's argument: in some family the I–G position varies more than the L–I position."""
    told, gaps = [], []
    for family, models in sorted(by_family(results).items()):
        spreads = []
        for which in ("LI", "IG"):
            found = [position(model, which, reading) for _, model in named(models)]
            places = [place[0] / place[1] for place in found if place]
            spreads.append(max(places) - min(places) if len(places) > 1 else None)
        if spreads[0] is not None and spreads[1] is not None:
            gaps.append(spreads[1] - spreads[0])
            told.append(f"{family} L–I {spreads[0]:.2f}, I–G {spreads[1]:.2f}")
    if not gaps:
        return PaperSays(None, None, "no family has two models with both boundaries")
    return PaperSays(max(gaps) > 0, max(gaps), "; ".join(told))


def power(design: Design, rules: Rules) -> str:
    """Needs two families with interventions; three models each to speak of families."""
    if design.samples is None:
        return "needs Experiment 2 (interventions) on models of two families"
    families = design.families()
    if len(families) < 2:
        return f"needs models of two families, found {len(families)}"
    few = [name for name, members in families.items() if len(members) < 3]
    text = f"{len(families)} families, {design.samples} texts an arm"
    return text + (f"; fewer than three models in {', '.join(few)}: models, not families" if few else "")


PREDICTION = Prediction(
    id="A3",
    title="Sensitivity to architecture grows from Local over Intermediate to Global",
    tier="assumption",
    quantifier="most",
    statistic="least step in the difference between families from scale to scale, percent a σ and layer",
    threshold=lambda rules: 0.0,
    rule=(
        "For every pair of families and metric, the difference between families in the effect of noise by "
        "perturbed layer, doses matched by layers. Supported: |difference| grows from Local to Intermediate and "
        "from Intermediate to Global in more than half of the pairs and metrics. Refuted: one of the steps is "
        "reversed in at least half of them. Only noise on scales of the calibrated detector counts."
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
    readings=tuple(
        Reading(dose=dose, per_layer=per_layer, scales=scales, metric=metric)
        for scales in ("calibrated", "any")
        for dose in ("matched", "plain")
        for per_layer in (True, False)
        for metric in ("", *METRICS)
    ),
    shown="middle",
)
