"""P2.1: noise on the Intermediate scale disturbs structure more than noise on the other two."""

from __future__ import annotations

from itertools import product

from mspgt.predictions.effects import STRUCTURE
from mspgt.predictions.governs import FORM, HEADLINE, Governs
from mspgt.predictions.readings import Reading
from mspgt.predictions.verdict import Claim

PREDICTION = Governs("intermediate", STRUCTURE, 1.0, ("signed", "absolute"), HEADLINE).predicts(
    id="P2.1",
    title="The Intermediate scale governs structure",
    tier="2",
    statistic="Δ(I) − max(Δ(L), Δ(G)) on sentence-length variance, weakest contrast",
    rule=(
        "Δ(I) − max(Δ(L), Δ(G)) on sentence-length variance is tested four ways: with doses matched by perturbed "
        f"layers and by relative variance, signed and as the absolute log ratio. {FORM}"
    ),
    paper_rule=(
        "In some model the percent change, doses unmatched, is larger on the Intermediate scale than on both others."
    ),
    claim=Claim(
        "Δ_structure(I) > max(Δ(L), Δ(G)): +30.3 % against −7.4 and −11.4 %; “precisely validating Prediction 2.1”",
        "Table 2, section 4.2.2",
        "supported",
        "At 1,000 texts the A/A range of sentence-length variance is ±25–34 %: Table 2's −7.4 and −11.4 are noise. "
        "18 layers were perturbed on the Intermediate scale against 2 and 8. Table 2 conflicts with itself: its "
        "caption says Qwen1.5, the text gives the same numbers to Qwen2.5, Figure 7 shows +184 %.",
    ),
    excluded=lambda rules: (
        "that the Intermediate scale leads at every matched dose, on average over models like these"
    ),
    readings=tuple(
        Reading(dose=dose, effect=effect, metric=metric, scales=scales, arithmetic=arithmetic)
        for arithmetic, scales, dose, effect, metric in (
            *(
                ("primary", *rest)
                for rest in product(
                    ("calibrated", "any"),
                    ("matched", "matched_layers", "matched_variance", "plain"),
                    ("both", "signed", "absolute"),
                    ("", "length_variance_text"),
                )
            ),
            *(("paper", "any", "plain", "signed", metric) for metric in ("", "length_variance_text")),
        )
    ),
)
