"""`compare.json`: several finished runs laid beside each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.boundaries import Boundaries
from mspgt.results.families import FamilyResult
from mspgt.results.predictions import PredictionResult
from mspgt.results.record import ByBoundary, Record
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


@dataclass(frozen=True)
class Comparison(Record):
    """`compare.json`, as far as others read it: positions across sizes stand beside under `sizes`."""

    runs: list[ComparedRun]
    models: dict[str, ComparedModel]
    families: dict[str, ByBoundary[FamilyResult]]
    predictions: dict[str, PredictionResult]
    warnings: list[Notice]
    account: str = ""  # whose boundaries were judged
    sketches: list[str] = field(default_factory=list)  # what makes it a sketch, not a result to report
