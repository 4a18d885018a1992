"""Detection with the embedding as layer 0: what a detector numbered from 1, counted one lower.

A detector numbers the transitions it is given from 1. With `include_embedding` the first is the step from the
embedding to block 1, transition 0, so every layer it names is one too high. Both modes need a neighbour on either
side: transition 0 itself can never be a boundary, while transition 1, an edge otherwise, can. The step from the
embedding is a spike in every model, random ones too, and lowers what else is found near it.
"""

from __future__ import annotations

from dataclasses import replace

from mspgt.results import CalibratedResult, Claim, PaperBoundary, PaperResult


def paper_from_embedding(found: PaperResult, layers: int) -> PaperResult:
    """The paper's result with layers counted from the embedding, layer 0, of a model of `layers` blocks."""

    def lower(one: PaperBoundary | None) -> PaperBoundary | None:
        if one is None:
            return None
        ci = None if one.ci is None else (one.ci[0] - 1, one.ci[1] - 1)
        return PaperBoundary(one.layer - 1, one.layer - 2, (one.layer - 1) / layers, ci, one.width)

    other = found.other_normalisation
    li, ig = (None if layer is None else layer - 1 for layer in (other.LI, other.IG))
    edges = (
        "A peak needs a lower neighbour on either side: the step from the embedding (layer 0) and the last "
        f"transition, layer L−1 = {layers - 1}, can never be boundaries, however strong they are."
    )
    return replace(
        found,
        LI=lower(found.LI),
        IG=lower(found.IG),
        other_normalisation=replace(other, LI=li, IG=ig),
        edge_warning=edges,
    )


def calibrated_from_embedding(found: CalibratedResult, layers: int) -> CalibratedResult:
    """The calibrated result in the same count."""

    def lower(claim: Claim) -> Claim:
        layer = claim.layer - 1
        places = [place - 1 for place in claim.set]
        return replace(claim, layer=layer, layer_zero_based=layer - 1, relative=layer / layers, set=places)

    chosen = {name: None if one is None else lower(one) for name, one in found.chosen.items()}
    rivals = {
        count: [replace(one, layer=one.layer - 1) for one in places] for count, places in found.rivals.items()
    }
    return replace(
        found,
        spike=[lower(claim) for claim in found.spike],
        bump=[lower(claim) for claim in found.bump],
        step=[lower(claim) for claim in found.step],
        kink=[lower(claim) for claim in found.kink],
        chosen=chosen,
        rivals=rivals,
    )
