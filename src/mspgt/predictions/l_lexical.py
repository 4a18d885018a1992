"""The Local scale governs lexical richness: what the paper says in words, in the form of P2.1."""

from __future__ import annotations

from mspgt.predictions.governs import FORM, Governs
from mspgt.predictions.verdict import Claim

PREDICTION = Governs("local", "ttr", 1.0, ("absolute",)).predicts(
    id="L-lexical",
    title="The Local scale governs lexical richness",
    tier="assumption",
    statistic="lead of Local over the other two in the size of the change of TTR, log ratio, weakest contrast",
    rule=(
        "As P2.1: the lead of the Local scale over both other scales in the size of the change of lexical "
        "richness, with doses matched by perturbed layers and by relative variance, as the absolute log ratio. "
        f"{FORM}"
    ),
    paper_rule="In some model the percent change, doses unmatched, is largest on the Local scale.",
    claim=Claim(
        "The Local scale is “lexical”: noise on it should change lexical richness most",
        "sections 3.1 and 4.2",
        "implied",
        "The paper's own Table 2 has −0.4 % on the Local scale against +21.8 and +30.9 % on the other two.",
    ),
    excluded=lambda rules: (
        "that the Local scale leads in the size of the change of lexical richness at every matched dose, on "
        "average over models like these"
    ),
)
