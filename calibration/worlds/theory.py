"""The theory part of a model of which nothing was measured: what a world plants is set in it."""

from __future__ import annotations

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
