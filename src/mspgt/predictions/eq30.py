"""Equation 30: the loss grows with noise at half the Fisher trace."""

from __future__ import annotations

from mspgt.predictions.design import Design
from mspgt.predictions.readings import Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import blocks, inside_p, interval
from mspgt.predictions.verdict import Claim, Finding, Json, PaperSays, Prediction, Unit


def judge(results: Json, rules: Rules, reading: Reading) -> Finding:
    """One unit a model: measured loss slope over ½ tr F."""
    missing: list[str] = []
    units = []
    for name, fisher in blocks(results, "fisher", missing):
        key = "kl_ratio" if reading.metric == "kl" else "loss_ratio"
        ratio, path = fisher.get(key) or {}, f"models.{name}.theory.fisher.{key}"
        ci = interval(ratio)
        if ratio.get("value") is None or ci is None:
            missing.append(f"{path}: {ratio.get('reason') or 'not measured with an interval'}")
            continue
        value = float(ratio["value"])
        low, high = 1 - rules.fisher_margin, 1 + rules.fisher_margin
        units.append(Unit(name, value, ci, *inside_p(value, ci, low, high), path))
    return Finding(tuple(units), tuple(missing))


def paper(results: Json, rules: Rules, reading: Reading) -> PaperSays:
    """The paper derives it."""
    return PaperSays(None, None, "derived, not tested")


def power(design: Design, rules: Rules) -> str:
    """Needs Fisher traces and noise slopes."""
    if not design.theory:
        return "needs the theory part (Fisher traces and noise slopes)"
    return f"one equivalence test in each of {len(design.members)} models, margin {rules.fisher_margin:g} around 1"


PREDICTION = Prediction(
    id="eq30",
    title="Loss under small noise grows by half the Fisher trace",
    tier="theory",
    quantifier="most",
    statistic="slope of the loss on σ² over ½ tr F",
    threshold=lambda rules: 1.0,
    rule=(
        "The measured slope of the loss on the data, over half the Fisher trace. Supported: within the margin of 1 "
        "in more than half of the models (equivalence test). Refuted: outside it in at least half of them."
    ),
    paper_rule="None: derived.",
    claim=Claim(
        "dJ/dσ² = ½ Σ tr F over the perturbed layers",
        "equations 29–31",
        "derived",
        "The slope of the loss is half the trace of the data Hessian; it equals ½ tr F only for labels drawn from "
        "the model. The slope of KL(clean ‖ noisy) is ½ tr F always.",
    ),
    judge=judge,
    paper=paper,
    power=power,
    readings=(Reading(), Reading(metric="kl")),
)
