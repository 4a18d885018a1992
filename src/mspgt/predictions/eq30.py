"""Equation 30: the loss grows with noise at half the Fisher trace."""

from __future__ import annotations

from math import log

from mspgt.predictions.design import Design
from mspgt.predictions.readings import Measurements, Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import inside_p, judged, with_theory
from mspgt.predictions.verdict import Claim, Finding, Prediction, Unit, at_least, untested
from mspgt.results.theory import Fisher

TINY = 1e-6  # a slope that is not positive is farther from 1 than any other


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit a model: the measured loss slope over ½ tr F, in each of its scales."""
    metric = reading.metric or "loss"
    return judged(
        results, lambda theory: theory.fisher, lambda name, fisher: [_unit(name, fisher, metric, rules)]
    )


def _unit(name: str, fisher: Fisher, metric: str, rules: Rules) -> Unit | str:
    path = f"models.{name}.theory.fisher.equation30"
    scales = fisher.equation30.scales if fisher.equation30 else {}
    ratios = {scale: getattr(one, metric) for scale, one in scales.items()}
    known = {scale: (one.value, one.ci) for scale, one in ratios.items()}
    if not known or any(ci is None for _, ci in known.values()):
        return f"{path}: {fisher.reason or 'not measured with an interval'}"
    tests = {scale: inside_p(value, ci, *_margin(rules)) for scale, (value, ci) in known.items() if ci}
    farthest = max(known, key=lambda scale: abs(log(max(known[scale][0], TINY))))
    return Unit(
        name,
        *known[farthest],
        max(inside for inside, _ in tests.values()),
        at_least([outside for _, outside in tests.values()], 1),
        path,
        ", ".join(f"{scale} {value:.2f}" for scale, (value, _) in known.items()),
    )


def _margin(rules: Rules) -> tuple[float, float]:
    return 1 / (1 + rules.fisher_margin), 1 + rules.fisher_margin


def _told_power(design: Design, rules: Rules) -> str:
    low, high = _margin(rules)
    return f"equivalence tests in {len(design.members)} models, within {low:.2f} and {high:.2f}"


PREDICTION = Prediction(
    id="eq30",
    title="Loss under small noise grows by half the Fisher trace",
    tier="theory",
    quantifier="most",
    statistic="slope of the loss on σ² over ½ tr F, the scale farthest from 1",
    threshold=lambda rules: 1.0,
    rule=(
        "The measured slope of the loss on the data, over half the Fisher trace. Supported: within the margin of 1 "
        "in all three scales of more than half of the models (equivalence tests). Refuted: outside it in some scale "
        "(Bonferroni) of at least half of them."
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
    paper=untested("derived, not tested"),
    power=with_theory("the theory part (Fisher traces and noise slopes)", _told_power),
    excluded=lambda rules: (
        f"a loss slope within a factor of {1 + rules.fisher_margin:g} of ½ tr F in all scales, in more than half of "
        "the models"
    ),
    readings=(Reading(), Reading(metric="kl")),
)
