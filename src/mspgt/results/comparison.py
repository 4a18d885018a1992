"""`compare.json`: several finished runs laid beside each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.boundaries import Boundaries
from mspgt.results.families import FamilyResult
from mspgt.results.files import SCHEMA
from mspgt.results.interventions import ScalesUsed
from mspgt.results.predictions import PredictionResult
from mspgt.results.record import ByBoundary, Interval, Numbers, Record
from mspgt.results.scales import FunctionalBoundary
from mspgt.results.study import Notice


@dataclass(frozen=True)
class ComparedRun(Record):
    """One of the runs."""

    name: str  # of its folder
    study: str  # name of its study
    hash: str  # of its plan
    mspgt: str  # version that wrote it
    started: str  # ISO 8601, UTC
    data: str  # the corpus as its user named it
    limits: list[str] = field(default_factory=list)  # where a limit cut what was read


@dataclass(frozen=True)
class ComparedScales(Record):
    """Where functional scales hand over in a model that is compared."""

    LI: FunctionalBoundary  # last layer of the Local scale
    IG: FunctionalBoundary  # last layer of the Intermediate scale

    def of(self, which: str) -> FunctionalBoundary:
        """LI or IG by its name."""
        return self.LI if which == "LI" else self.IG


@dataclass(frozen=True)
class ComparedInterventions(Record):
    """What a verdict on interventions is marked by."""

    samples: int | None  # texts an arm
    scales: ScalesUsed  # that were perturbed


@dataclass(frozen=True)
class ComparedCurves(Record):
    """Curves of one model: signals in calibrated mode at transitions 1..L−1, functional scales at layers 0..L."""

    layers: int  # L: blocks
    reasons: dict[str, str]  # curve → why it is null
    marks: list[str]  # what a reader must know of its run: cut short, interventions on thirds
    S1: Numbers | None = None  # −log CKA
    S2: Numbers | None = None  # relative change of probe scores
    S3: Numbers | None = None  # Jensen–Shannon divergence, bits
    L: Numbers | None = None  # share of its level that the Local scale has reached
    I: Numbers | None = None  # of the Intermediate scale
    G: Numbers | None = None  # of the Global scale

    def of(self, key: str) -> Numbers | None:
        """One curve by its name."""
        curves = {"S1": self.S1, "S2": self.S2, "S3": self.S3, "L": self.L, "I": self.I, "G": self.G}
        return curves[key]


@dataclass(frozen=True)
class ComparedModel(Record):
    """As much of a model as its place in a comparison rests on; keys as in results.json."""

    family: str  # as the study names it, else read from the configuration
    layers: int  # L: blocks
    width: int  # d: dimensions of the residual stream
    parameters: int  # all weights
    revision: str  # of the weights
    boundaries: Boundaries  # of both modes
    run: str | None = None  # the training run that this is a state of
    step: int | None = None  # of that run
    scales: ComparedScales | None = None  # null: not measured
    interventions_about: ComparedInterventions | None = None  # null: Experiment 2 was not run


@dataclass(frozen=True)
class SizedConfiguration(Record):
    """Models of one family and size, which are runs of one configuration; a position is their mean."""

    family: str  # as the study names it, else read from the configuration
    layers: int  # L: blocks
    width: int  # d: dimensions of the residual stream
    parameters: int  # all weights
    step: int | None  # of training; null: not a state along a run
    models: list[str]  # labels of its runs
    LI: float | None  # relative depth; null: no run has the boundary
    LI_models: int  # runs that have it
    IG: float | None  # relative depth; null: no run has the boundary
    IG_models: int  # runs that have it

    def of(self, which: str) -> float | None:
        """The position of LI or IG by its name."""
        return self.LI if which == "LI" else self.IG


@dataclass(frozen=True)
class SizeTrend(Record):
    """How a position changes for each doubling of one size, by least squares over configurations."""

    boundary: str  # LI | IG
    against: str  # layers | width | parameters | step
    n: int  # configurations with this boundary
    families: list[str]  # of them
    slope: float | None  # change of relative depth for each doubling
    ci: Interval | None  # 95 %, Student's t
    reason: str | None  # why there is no slope


@dataclass(frozen=True)
class Sizes(Record):
    """Positions against depth, width, parameters and training steps."""

    configurations: list[SizedConfiguration]  # the smallest first
    trends: list[SizeTrend]  # by boundary, then by what grows


@dataclass(frozen=True)
class Comparison(Record):
    """`compare.json`."""

    runs: list[ComparedRun]  # in the order in which they were named
    models: dict[str, ComparedModel]  # by label; weights that two runs measured count once
    families: dict[str, ByBoundary[FamilyResult]]  # family → LI, IG
    predictions: dict[str, PredictionResult]  # by id
    warnings: list[Notice]  # what the reader must know, of all runs together
    account: str = ""  # whose boundaries were judged
    curves: dict[str, ComparedCurves] = field(default_factory=dict)  # by model
    sizes: Sizes | None = None  # null: curves alone were laid over one another
    sketches: list[str] = field(default_factory=list)  # what makes it a sketch, not a result to report
    schema: str = SCHEMA  # of this contract, as of results.json
