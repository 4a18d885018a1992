"""The Global scale governs coherence: a sentence of the paper, no numbered prediction, in the form of P2.1."""

from __future__ import annotations

from itertools import product

from mspgt.predictions.design import Design
from mspgt.predictions.governs import Governs, form
from mspgt.predictions.readings import Measurements, Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, PaperSays, Prediction

STATEMENT = Governs("global", "coherence", -1.0, ("signed", "absolute"))


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """All models together, or one unit a model where they are few: the lead of the Global scale."""
    return STATEMENT.judge(results, rules, reading)


def paper(results: Measurements, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's way: the bare change is largest under noise on the Global scale, in some model."""
    return STATEMENT.paper(results, reading)


def power(design: Design, rules: Rules) -> str:
    """The lead of the Global scale that would be seen."""
    return STATEMENT.power(design, rules, 1.0)


PREDICTION = Prediction(
    id="G-coherence",
    title="The Global scale governs coherence",
    tier="assumption",
    quantifier="most",
    statistic="lead of Global over the other two in the fall of coherence, log ratio, weakest contrast",
    threshold=lambda rules: 0.0,
    rule=(
        "As P2.1: the lead of the Global scale over both other scales in the fall of coherence, with doses "
        f"matched by perturbed layers and by relative variance, signed and as the absolute log ratio. {form()}"
    ),
    paper_rule="In some model the percent change, doses unmatched, is largest on the Global scale.",
    claim=Claim(
        "“Global perturbations degrade coherence (−24.1 %), confirming the global scale’s role in semantic "
        "organization”",
        "section 4.2.2, Table 2, Figure 7",
        "supported",
        "Table 2 conflicts with itself (its caption says Qwen1.5), doses are unmatched, and −24.1 against −18.5 % "
        "on the Intermediate scale is told without an interval.",
    ),
    judge=judge,
    paper=paper,
    power=power,
    true_in=("as predicted, texts",),
    excluded=lambda rules: (
        "that the Global scale leads in the fall of coherence at every matched dose, on average over models like "
        "these"
    ),
    false_in=("equal layers", "equal families", "hump", "on the edge"),
    readings=tuple(
        Reading(dose=dose, scales=scales)
        for scales, dose in product(
            ("calibrated", "any"), ("matched", "matched_layers", "matched_variance", "plain")
        )
    ),
)
