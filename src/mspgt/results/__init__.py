"""The contract of `results.json`: every key with its type and its meaning, one file a part; `read` and `write`.

Others build on this room; changes are additive. Lists over transitions run over l = 1..L−1, where transition
l is the step from block l to block l+1 (position l−1 in the list). Layers are counted with the embedding as
layer 0, so that layer l is the raw residual stream after block l; `layer_zero_based` counts blocks from 0.
Where a study includes the embedding, its step to block 1 is transition 0: detection starts there, and
`signals_from_embedding` has the lists over 0..L−1. Boundaries keep their layers and relative depths.
A number that could not be measured is null and has an entry in `warnings`; it is never 0.
"""

from mspgt.results.boundaries import (
    Boundaries,
    CalibratedResult,
    Claim,
    Controls,
    PaperBoundary,
    PaperResult,
    RandomInit,
    ReplicatedResult,
)
from mspgt.results.files import SCHEMA, Results, dumped, parse, read, write
from mspgt.results.model import Check, ModelResult
from mspgt.results.phases import PhasesResult
from mspgt.results.planted import PlantedControl, PlantedPlace, PlantedTest
from mspgt.results.precision import PrecisionResult, SignalPrecision
from mspgt.results.predictions import PaperClaim, PredictionResult
from mspgt.results.record import Numbers, from_json, numbers, to_jsonable
from mspgt.results.scales import (
    FunctionalBoundary,
    FunctionalOrder,
    FunctionalRepeat,
    FunctionalScale,
    FunctionalScales,
    FunctionalTask,
    Located,
)
from mspgt.results.signals import MetricResult, ProbeResult, TokenSetResult
from mspgt.results.study import DataProvenance, Notice, Provenance, StageCost, StudyName
from mspgt.results.unmeasured import unmeasured_boundaries, unmeasured_model

__all__ = [
    "SCHEMA",
    "Boundaries",
    "CalibratedResult",
    "Check",
    "Claim",
    "Controls",
    "DataProvenance",
    "FunctionalBoundary",
    "FunctionalOrder",
    "FunctionalRepeat",
    "FunctionalScale",
    "FunctionalScales",
    "FunctionalTask",
    "Located",
    "MetricResult",
    "ModelResult",
    "Notice",
    "Numbers",
    "PaperBoundary",
    "PaperClaim",
    "PaperResult",
    "PhasesResult",
    "PlantedControl",
    "PlantedPlace",
    "PlantedTest",
    "PrecisionResult",
    "PredictionResult",
    "ProbeResult",
    "Provenance",
    "RandomInit",
    "ReplicatedResult",
    "Results",
    "SignalPrecision",
    "StageCost",
    "StudyName",
    "TokenSetResult",
    "dumped",
    "from_json",
    "numbers",
    "parse",
    "read",
    "to_jsonable",
    "unmeasured_boundaries",
    "unmeasured_model",
    "write",
]
