"""Phases of one model as `results.json` carries them, with what could have been seen in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.phase_checks import CHECKS, ModelPhases, Standing, model_phases
from mspgt.boundaries.phases import Phase, Phases, find_phases
from mspgt.results import Claim, Numbers, PhasesResult
from mspgt.results.phases import PhaseCheck
from mspgt.signals.profiles import Signals
from mspgt.signals.similarity import MAIN, UpdateSimilarity
from mspgt.stats.bootstrap import document_weights

DRAWS, SEED = 200, 0  # of the bootstrap that bounds a step's error from below
DIGITS = 4  # of the similarity matrix, which is drawn and can be searched again
BELOW = "below the threshold"


def phases_or_reason(signals: Signals, twins: Sequence[Signals] = ()) -> tuple[PhasesResult | None, str]:
    """Phases of measured signals, or why there are none."""
    seen = signals.geometry.similarity
    if seen is None:
        return None, "similarity of updates is measured of tokens; here the unit is the sentence"
    if not np.isfinite(seen.matrices[MAIN]).all():
        return (
            None,
            "the similarity of some pair of blocks is not known: one document, or a block that writes nothing",
        )
    others = [twin.geometry.similarity for twin in twins]
    known = [other for other in others if other is not None and np.isfinite(other.matrices[MAIN]).all()]
    return phases_of(seen, known), ""


def phases_of(seen: UpdateSimilarity, twins: Sequence[UpdateSimilarity] = ()) -> PhasesResult:
    """Phases of a model, with those of its random twins beside them.

    Raises:
        InputError: a block whose update is the same for every token.
    """
    documents = len(seen.sizes)
    weights = document_weights(documents, DRAWS, SEED) if documents > 1 else None
    found = model_phases(seen, weights=weights)
    twin_phases = [find_phases(twin.matrices[MAIN]) for twin in twins]
    main = found.main
    boundaries = [_claim(one.phase, main, one.robust) for one in found.boundaries]
    candidate, why = _candidate(found)
    return PhasesResult(
        boundaries=boundaries,
        candidate=candidate,
        why=why,
        score=main.score,
        threshold=main.threshold,
        size80=main.size80,
        statement=_statement(main, found, candidate, why),
        step=_numbers(main.step),
        step_error=_numbers(main.error),
        evidence=_numbers(main.evidence),
        alone=_numbers(main.alone),
        inflation=main.inflation,
        similarity=[_numbers(row) for row in np.round(seen.matrices[MAIN], DIGITS)],
        checks={
            name: PhaseCheck(reason=found.unmade[name])
            if name in found.unmade
            else _brief(found.checks[name])
            for name in CHECKS
        },
        random_init=[_brief(one) for one in twin_phases],
        documents=documents,
        tokens=dict(seen.tokens),
        reasons=list(main.reasons),
    )


def _candidate(found: ModelPhases) -> tuple[Claim | None, list[str]]:
    """The strongest place that is no boundary, and why it is none."""
    main = found.main
    if found.candidates:
        strongest: Standing = max(found.candidates, key=lambda one: one.phase.score)
        return _claim(strongest.phase, main, strongest.robust), strongest.reasons
    if main.candidate is None or main.boundaries:
        return None, []
    # Beyond the calibrated depths a place over the threshold is a candidate too.
    assert main.score is not None
    assert main.threshold is not None
    why = [BELOW] if main.score < main.threshold else list(main.reasons)
    return _claim(main.candidate, main, {}), why


def _claim(phase: Phase, main: Phases, robust: dict[str, bool | None]) -> Claim:
    assert main.threshold is not None
    return Claim(
        kind="phase",
        layer=phase.layer,
        layer_zero_based=phase.layer - 1,
        relative=phase.layer / main.layers,
        set=list(phase.set),
        score=phase.score,
        critical=main.threshold,
        support=sum(stands is True for stands in robust.values()),
        robust=robust,
    )


def _brief(found: Phases) -> PhaseCheck:
    return PhaseCheck(
        score=found.score,
        layer=None if found.candidate is None else found.candidate.layer,
        boundaries=[one.layer for one in found.boundaries],
    )


def _statement(main: Phases, found: ModelPhases, candidate: Claim | None, why: Sequence[str]) -> str:
    if main.score is None or main.threshold is None:
        return main.reasons[0]
    words = []
    if found.boundaries:
        places = ", ".join(str(one.phase.layer) for one in found.boundaries)
        words.append(f"what blocks write changes for good at layer {places}")
    else:
        words.append("no boundary of phases")
    if candidate is not None:
        words.append(
            f"strongest candidate: layer {candidate.layer}, F = {candidate.score:.2f} of the {main.threshold:.2f} "
            f"needed ({'; '.join(why)})"
        )
    if main.size80 is not None:
        words.append(
            f"a lasting change of {main.size80:.2f} (−log CKA) at one transition would be found in 80 % of cases"
        )
    return "; ".join(words)


def _numbers(row: NDArray[np.float64]) -> Numbers:
    return [float(value) if np.isfinite(value) else None for value in row]
