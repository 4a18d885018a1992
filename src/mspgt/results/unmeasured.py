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
from mspgt.results.theory import (
    Beta,
    Bottleneck,
    BoundaryKinks,
    Concentration,
    Equation23,
    Fisher,
    GaussianInformation,
    Information,
    Kink,
    Markov,
    Theory,
    UsableInformation,
)
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


def unmeasured_theory(why: str) -> Theory:
    """Every block of section 3 and appendix A, null."""
    usable = UsableInformation(bits=None, reason=why)
    nowhere = BoundaryKinks(reason=why)
    return Theory(
        information=Information(
            usable, usable, usable, GaussianInformation(nats=None, reason=why), documents=0
        ),
        kink=Kink(nowhere, nowhere),
        markov=Markov(reason=why),
        fisher=Fisher(fisher=None, equation30=None, reason=why),
        beta=Beta(Equation23(slope=None, ci=None, reason=why), reason=why),
        hvib=Bottleneck(reason=why),
        concentration=Concentration(reason=why),
    )
