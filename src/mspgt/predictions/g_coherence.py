"""The Global scale governs coherence: a sentence of the paper, no numbered prediction, in the form of P2.1."""

from __future__ import annotations

from mspgt.predictions.governs import FORM, Governs
from mspgt.predictions.verdict import Claim

PREDICTION = Governs("global", "coherence", -1.0, ("signed", "absolute")).predicts(
    id="G-coherence",
    title="The Global scale governs coherence",
    tier="assumption",
    statistic="lead of Global over the other two in the fall of coherence, log ratio, weakest contrast",
    rule=(
        "As P2.1: the lead of the Global scale over both other scales in the fall of coherence, with doses "
        f"matched by perturbed layers and by relative variance, signed and as the absolute log ratio. {FORM}"
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
    excluded=lambda rules: (
        "that the Global scale leads in the fall of coherence at every matched dose, on average over models like "
        "these"
    ),
)
