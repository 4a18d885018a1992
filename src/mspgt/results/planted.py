"""Planted subjects: what was found in them, where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.record import Record


@dataclass
class PlantedPlace(Record):
    """One thing that was planted, and whether it was found."""

    always = ("layer", "low", "high", "found")

    # layer 7 (shocks, phases) | L–I, I–G (functional) | local, intermediate, global (interventions)
    name: str
    layer: int | None = None  # null: planted as a stretch, or of the text
    low: float | None = None  # a boundary found from here to `high` counts
    high: float | None = None  # to here
    found: bool = False  # whether a claim lies there


@dataclass
class PlantedTest(Record):
    """One thing that was claimed or asked in a planted subject."""

    always = ("layer", "score", "critical", "p", "metric", "set", "planted")

    # spike, bump, step, kink, phase, L–I or I–G | local, intermediate, global
    name: str
    layer: int | None = None  # null: of a scale
    score: float | None = None  # F, to reach `critical`
    critical: float | None = None  # of the score
    # Where p decides, at 5 %: of the order (max-T), of a scale and metric (Holm over all)
    p: float | None = None
    metric: str | None = None  # of the texts
    set: list[int] = field(default_factory=list)  # 95 % confidence set of layers
    planted: bool = False  # whether it was planted


@dataclass(frozen=True)
class PaperFound(Record):
    """What the published protocol finds."""

    LI: int | None  # layer
    IG: int | None  # layer
    accepted: bool | None  # null: without a bootstrap


@dataclass(frozen=True)
class PlantedControl(Record):
    """A subject whose truth is known, measured and judged as models are."""

    kind: str  # account that is tried: shocks | phases | functional | interventions
    says: str  # what was planted, in words
    seed: int  # fixed in the recipe
    layers: int | None  # null: texts
    size: float | None  # of each planted boundary, in `unit`
    unit: str  # of the size
    planted: list[PlantedPlace]  # empty: nothing, and nothing should be found
    found: list[PlantedTest]  # what was claimed
    # Strongest place of shocks, strongest candidate of phases, both orders, every scale and metric
    tests: list[PlantedTest]
    size80: float | None  # size that is found in 80 % of cases, in `unit`; null: not known
    paper: PaperFound | None  # of shocks, by the published protocol
    passed: bool  # all that was planted was found, and nothing else
    reasons: list[str] = field(default_factory=list)  # why the strongest candidate is no boundary
