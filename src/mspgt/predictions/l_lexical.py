"""The Local scale governs lexical richness: what the paper says in words, in the form of P2.1."""

from __future__ import annotations

from itertools import product

from mspgt.predictions.design import Design
from mspgt.predictions.governs import Governs, form
from mspgt.predictions.readings import Measurements, Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, PaperSays, Prediction

STATEMENT = Governs("local", "ttr", 1.0, ("absolute",))


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """All models together, or one unit a model where they are few: the lead of the Local scale."""
    return STATEMENT.judge(results, rules, reading)


def paper(results: Measurements, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's way: the bare change is largest under noise on the Local scale, in some model."""
    return STATEMENT.paper(results, reading)


def power(design: Design, rules: Rules) -> str:
    """The lead of the Local scale that would be seen."""
    return STATEMENT.power(design, rules, 1.0)


PREDICTION = Prediction(
    id="L-lexical",
    title="The Local scale governs lexical richness",
    tier="assumption",
    quantifier="most",
    statistic="lead of Local over the other two in the size of the change of TTR, log ratio, weakest contrast",
    threshold=lambda rules: 0.0,
    rule=(
        "As P2.1: the lead of the Local scale over both other scales in the size of the change of lexical "
        "richness, with doses matched by perturbed layers and by relative variance, as the absolute log ratio. "
        f"{form()}"
    ),
    paper_rule="In some model the percent change, doses unmatched, is largest on the Local scale.",
    claim=Claim(
        "The Local scale is “lexical”: noise on it should change lexical richness most",
        "sections 3.1 and 4.2",
        "implied",
        "The paper's own Table 2 has −0.4 % on the Local scale against +21.8 and +30.9 % on the other two.",
    ),
    judge=judge,
    paper=paper,
    power=power,
    true_in=("as predicted, texts",),
    excluded=lambda rules: (
        "that the Local scale leads in the size of the change of lexical richness at every matched dose, on "
        "average over models like these"
    ),
    false_in=("equal layers", "equal families", "hump", "on the edge"),
    readings=tuple(
        Reading(dose=dose, scales=scales)
        for scales, dose in product(
            ("calibrated", "any"), ("matched", "matched_layers", "matched_variance", "plain")
        )
    ),
)
