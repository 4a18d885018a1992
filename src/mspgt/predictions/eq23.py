"""Equation 23: the weight of a scale falls with its conditional entropy, β ∝ 1/H."""

from __future__ import annotations

from mspgt.predictions.design import Design
from mspgt.predictions.readings import Measurements, Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import blocks, inside_p
from mspgt.predictions.verdict import Claim, Finding, Prediction, Unit, untested

SLOPE = -1.0


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit: the slope of log β̂ on log H over the planted languages, which no model of the study changes."""
    missing: list[str] = []
    for name, beta in blocks(results, lambda theory: theory.beta, missing):
        whole, path = beta.equation23, f"models.{name}.theory.beta.equation23"
        found = whole.by_scale.get(reading.metric) if reading.metric else whole
        if found is None or found.slope is None or found.ci is None:
            why = found and found.reason
            missing.append(f"{path}: {why or 'no slope over languages with an interval'}")
            continue
        low, high = SLOPE - rules.slope_margin, SLOPE + rules.slope_margin
        slope = found.slope
        note = "of planted sources, exact: the same in every run"
        return Finding(
            (Unit("planted languages", slope, found.ci, *inside_p(slope, found.ci, low, high), path),),
            notes=(note,),
        )
    return Finding((), tuple(missing))


def power(design: Design, rules: Rules) -> str:
    """Needs β̂ on at least 12 languages of known entropy."""
    return (
        "needs β̂ by scale on at least 12 planted languages (the theory part)"
        if not design.theory
        else (
            "supported if the interval of the slope over languages lies within "
            f"{SLOPE - rules.slope_margin:g} and {SLOPE + rules.slope_margin:g}"
        )
    )


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
    power=power,
    excluded=lambda rules: f"a slope within {rules.slope_margin:g} of −1 over the planted languages",
    readings=tuple(Reading(metric=metric) for metric in ("", "G", "I", "L")),
)
