"""Records of what was not measured: whole, so that whoever reads one meets no shape that a run does not have."""

from __future__ import annotations

from mspgt.results.boundaries import (
    Boundaries,
    CalibratedResult,
    Controls,
    OtherNormalisation,
    PaperResult,
    PowerStatement,
    RandomInit,
)
from mspgt.results.model import ModelResult
from mspgt.vocabulary import BOUNDARIES, KINDS, MODES, SIGNALS


def unmeasured_model(family: str, layers: int, width: int, parameters: int, why: str) -> ModelResult:
    """A model of which nothing is known but its shape; `why` is the reason that its parts give."""
    return ModelResult(
        family=family,
        layers=layers,
        width=width,
        parameters=parameters,
        revision="",
        signals={signal: dict.fromkeys(MODES) for signal in SIGNALS},
        boundaries=unmeasured_boundaries(why),
        controls=Controls(RandomInit(0)),
        tokens={},
    )


def unmeasured_boundaries(why: str) -> Boundaries:
    """No boundary in either mode, and no power to see one."""
    paper = PaperResult(
        LI=None,
        IG=None,
        accepted=None,
        successes=None,
        false_boundary_rate=None,
        other_normalisation=OtherNormalisation(None, None, agrees=True),
        edge_warning="",
        reasons=[why],
    )
    calibrated = CalibratedResult(
        spike=[],
        bump=[],
        step=[],
        kink=[],
        chosen=dict.fromkeys(BOUNDARIES),
        noise_ratio=dict.fromkeys(SIGNALS),
        power={kind: PowerStatement(size80=None, statement=why) for kind in KINDS},
        reasons=[why],
    )
    return Boundaries(paper, calibrated)
