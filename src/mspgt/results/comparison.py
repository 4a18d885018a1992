"""`compare.json`: several finished runs laid beside each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.boundaries import Boundaries
from mspgt.results.families import FamilyResult
from mspgt.results.predictions import PredictionResult
from mspgt.results.record import ByBoundary, Numbers, Record
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

    LI: FunctionalBoundary
    IG: FunctionalBoundary

    def of(self, which: str) -> FunctionalBoundary:
        """LI or IG by its name."""
        return self.LI if which == "LI" else self.IG


@dataclass(frozen=True)
class ComparedSource(Record):
    """Whose boundaries part the layers of a model that is compared."""

    source: str  # as in results.json


@dataclass(frozen=True)
class ComparedInterventions(Record):
    """What a verdict on interventions is marked by."""

    samples: int | None  # texts an arm
    scales: ComparedSource


@dataclass(frozen=True)
class ComparedCurves(Record):
    """Curves of one model: signals in calibrated mode at transitions 1..L−1, functional scales at layers 0..L."""

    layers: int
    reasons: dict[str, str]  # curve → why it is null
    marks: list[str]  # what a reader must know of its run: cut short, interventions on thirds
    S1: Numbers | None = None
    S2: Numbers | None = None
    S3: Numbers | None = None
    L: Numbers | None = None  # share of its level that the Local scale has reached
    I: Numbers | None = None
    G: Numbers | None = None

    def of(self, key: str) -> Numbers | None:
        """One curve by its name."""
        curves = {"S1": self.S1, "S2": self.S2, "S3": self.S3, "L": self.L, "I": self.I, "G": self.G}
        return curves[key]


@dataclass(frozen=True)
class ComparedModel(Record):
    """As much of a model as its place in a comparison rests on; keys as in results.json."""

    family: str
    layers: int
    width: int
    parameters: int
    revision: str
    boundaries: Boundaries
    run: str | None = None
    step: int | None = None
    scales: ComparedScales | None = None
    interventions_about: ComparedInterventions | None = None


@dataclass(frozen=True)
class Comparison(Record):
    """`compare.json`, as far as others read it: positions across sizes stand beside under `sizes`."""

    runs: list[ComparedRun]
    models: dict[str, ComparedModel]
    families: dict[str, ByBoundary[FamilyResult]]
    predictions: dict[str, PredictionResult]
    warnings: list[Notice]
    account: str = ""  # whose boundaries were judged
    curves: dict[str, ComparedCurves] = field(default_factory=dict)
    sketches: list[str] = field(default_factory=list)  # what makes it a sketch, not a result to report
