"""Equation 23: the weight of a scale falls with its conditional entropy, β ∝ 1/H."""

from __future__ import annotations

from mspgt.predictions.readings import Measurements, Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import inside_p, judged, with_theory
from mspgt.predictions.verdict import Claim, Finding, Prediction, Unit, untested
from mspgt.results.theory import Beta

SLOPE = -1.0


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit: the slope of log β̂ on log H over the planted languages, which no model of the study changes."""
    found = judged(
        results, lambda theory: theory.beta, lambda name, beta: [_unit(name, beta, reading.metric, rules)]
    )
    if not found.units:
        return found
    return Finding(found.units[:1], notes=("of planted sources, exact: the same in every run",))


def _unit(name: str, beta: Beta, scale: str, rules: Rules) -> Unit | str:
    whole, path = beta.equation23, f"models.{name}.theory.beta.equation23"
    found = whole.by_scale.get(scale) if scale else whole
    if found is None or found.slope is None or found.ci is None:
        return f"{path}: {(found and found.reason) or 'no slope over languages with an interval'}"
    p = inside_p(found.slope, found.ci, SLOPE - rules.slope_margin, SLOPE + rules.slope_margin)
    return Unit("planted languages", found.slope, found.ci, *p, path)


PREDICTION = Prediction(
    id="eq23",
    title="Compression weight is inverse to conditional entropy",
    tier="theory",
    quantifier="every",
    statistic="slope of log β̂ on log H(Z_s | Z_<s)",
    threshold=lambda rules: SLOPE,
    rule=(
        "The slope of log β on log conditional entropy of the same variable, over at least 12 distinct entropies of "
        "planted sources whose multipliers −dD/dR at one rate are exact (Hamming distortion). Supported: an "
        "equivalence test puts "
        "it within the margin of −1. Refuted: it lies outside that margin."
    ),
    paper_rule="None: derived.",
    claim=Claim(
        "β_s* ∝ 1 / H(Z_s | Z_<s)",
        "section 3.2, equation 23",
        "derived",
        "Not a theorem: at equal rate in Gaussian rate–distortion the multiplier grows with entropy.",
    ),
    judge=judge,
    paper=untested("derived, not tested"),
    power=with_theory(
        "β̂ by scale on at least 12 planted languages (the theory part)",
        lambda design, rules: (
            "supported if the interval of the slope over languages lies within "
            f"{SLOPE - rules.slope_margin:g} and {SLOPE + rules.slope_margin:g}"
        ),
    ),
    excluded=lambda rules: f"a slope within {rules.slope_margin:g} of −1 over the planted languages",
    readings=tuple(Reading(metric=metric) for metric in ("", "G", "I", "L")),
)
