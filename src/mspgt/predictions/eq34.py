"""Equation 34: the boundary interval narrows with the number of bootstrap draws."""

from __future__ import annotations

from mspgt.predictions.readings import Measurements, Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import judged, normal_p, with_theory
from mspgt.predictions.verdict import Claim, Finding, Prediction, Unit, untested
from mspgt.results.theory import Concentration

EXPONENT = -0.5


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit a model: the exponent of interval width on draws."""
    key = reading.metric or "by_draws"
    return judged(
        results, lambda theory: theory.concentration, lambda name, found: [_unit(name, found, key, rules)]
    )


def _unit(name: str, found: Concentration, key: str, rules: Rules) -> Unit | str:
    curve, path = getattr(found, key), f"models.{name}.theory.concentration.{key}"
    if curve is None or curve.slope is None or curve.ci is None:
        return f"{path}: {(curve and curve.reason) or found.reason or 'no exponent with an interval'}"
    p = normal_p(curve.slope, curve.ci, EXPONENT + rules.exponent_margin)
    return Unit(name, curve.slope, curve.ci, *p, path)


PREDICTION = Prediction(
    id="eq34",
    title="Boundary intervals narrow with the square root of the bootstrap draws",
    tier="theory",
    quantifier="most",
    statistic="exponent of interval width on the number of draws",
    threshold=lambda rules: EXPONENT,
    rule=(
        "Interval width against the number of bootstrap draws, both in logarithms. Supported: the exponent lies "
        "below −1/2 and the margin in more than half of the models: the bound is one of order 1/√B. Refuted: above "
        "it in at least half of them."
    ),
    paper_rule="None: derived.",
    claim=Claim(
        "E[CI width] ≤ K Δ / √B, B bootstrap draws",
        "section A.6, equation 34",
        "derived",
        "The width does not fall with the number of draws (15.4 → 15.9 for B = 100 → 1,600 in simulation); it falls "
        "with the number of documents (15.8 → 3.8 for 64 times as many).",
    ),
    judge=judge,
    paper=untested("derived, not tested"),
    power=with_theory(
        "the theory part (interval widths at several numbers of draws and documents)",
        lambda design, rules: (
            f"one test in each of {len(design.members)} models against {EXPONENT + rules.exponent_margin:g}"
        ),
    ),
    excluded=lambda rules: (
        f"an exponent of interval width on draws of {-0.5 + rules.exponent_margin:g} or less, in more than half of "
        "the models"
    ),
    readings=(Reading(), Reading(metric="by_documents")),
)
