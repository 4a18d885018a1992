"""Experiment 1: where boundaries lie, by the paper's protocol and by the calibrated detector, and the controls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mspgt.results.record import ByBoundary, ByKind, ByMode, BySignal, Interval, Numbers, Record


@dataclass(frozen=True)
class PaperBoundary(Record):
    """One boundary of the paper's protocol."""

    layer: int  # l: blocks 1..l lie before the boundary
    layer_zero_based: int  # the same block counted from 0
    relative: float  # ρ = l / L
    ci: Interval | None  # 95 % percentile interval over document bootstrap draws, in layers
    width: float | None  # of ci, in layers


@dataclass(frozen=True)
class OtherNormalisation(Record):
    """The paper's protocol on signals that are divided by their maximum only."""

    LI: int | None  # layer
    IG: int | None  # layer
    agrees: bool  # with the reading above
    reasons: list[str] = field(default_factory=list)  # why there is no boundary


@dataclass(frozen=True)
class Rate(Record):
    """Share of featureless profiles, by how like real noise they are."""

    min: float  # of the kind of noise that is taken for boundaries least often
    median: float  # over kinds of noise
    mean: float | None = field(default=None, kw_only=True)  # over kinds of noise; null in runs of old
    max: float  # of the kind that is taken for boundaries most often


@dataclass(frozen=True)
class FalseBoundaryRate(Record):
    """What the paper's protocol finds where nothing is there, at this depth and about this noise."""

    found: Rate  # profiles with two peaks
    accepted: Rate  # profiles whose two peaks the protocol accepts
    transitions: int | None = None  # where the table was read
    noise_ratio: float | None = None  # se/τ, where the table was read
    range: str = ""  # what the table covers, in words


@dataclass(frozen=True)
class PaperResult(Record):
    """Experiment 1 to the letter (equations 3–6). Never a verdict by itself."""

    LI: PaperBoundary | None  # last layer of the Local scale; null: no such peak
    IG: PaperBoundary | None  # last layer of the Intermediate scale; null: no such peak
    accepted: bool | None  # both widths < 5 and ≥ 95 % of draws with two peaks; null without a bootstrap
    successes: float | None  # share of draws with two peaks
    false_boundary_rate: FalseBoundaryRate | None  # null: no table of this depth
    other_normalisation: OtherNormalisation  # signals divided by their maximum only
    edge_warning: str  # which layers the protocol cannot reach, in words; empty: none
    reasons: list[str] = field(default_factory=list)  # why there is no boundary, or no acceptance

    def of(self, which: str) -> PaperBoundary | None:
        """LI or IG by its name."""
        return self.LI if which == "LI" else self.IG


@dataclass(frozen=True)
class Claim(Record):
    """One boundary of the calibrated detector."""

    kind: str  # spike | bump | step | kink; of phases: phase
    layer: int  # l: blocks 1..l lie before the boundary
    layer_zero_based: int  # the same block counted from 0
    relative: float  # ρ = l / L
    set: list[int]  # 95 % confidence set of layers; may have gaps
    score: float  # fused statistic F
    critical: float  # its critical value at family-wise error 5 %
    support: int  # signals with a peak of their own within ±1; of phases: checks that claim it again
    # without S1/S2/S3, with sinks, half the documents, other tokens, another metric of S1; of phases: its checks
    robust: dict[str, bool | None] = field(default_factory=dict)

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.set:
            yield "set", "expected one layer or more, found none"
        if self.critical <= 0:
            yield "critical", f"expected a number above 0, found {self.critical}"


@dataclass(frozen=True)
class PowerStatement(Record):
    """What could have been seen of one kind of boundary."""

    size80: float | None  # SDs of roughness that are found in 80 % of cases; null: no size could be seen
    found: float | None = field(default=None, kw_only=True)  # share found at a size that was asked for
    statement: str  # the same in words


@dataclass(frozen=True)
class Rival(Record):
    """A place that was looked at, passed or not."""

    kind: str  # spike | bump | step | kink
    layer: int  # l: blocks 1..l lie before it
    score: float  # fused statistic F
    critical: float  # its critical value at family-wise error 5 %


@dataclass(frozen=True)
class CalibratedResult(Record):
    """The same question with known error rates."""

    spike: list[Claim]  # one transition stands out
    bump: list[Claim]  # a few neighbouring transitions stand out
    step: list[Claim]  # the level changes for good
    kink: list[Claim]  # the slope changes
    chosen: ByBoundary[Claim | None]  # which claims are L–I and I–G; null: none, or not known which
    noise_ratio: BySignal[float | None]  # se/τ: sentence noise over layer roughness
    power: ByKind[PowerStatement]  # what could have been seen at this depth
    rivals: dict[str, list[Rival]] = field(default_factory=dict)  # K = 1 and K = 4 readings
    reasons: list[str] = field(default_factory=list)  # why there is no boundary, or no name for it


@dataclass(frozen=True)
class Boundaries(Record):
    """Both modes, side by side."""

    paper: PaperResult  # the protocol to the letter
    calibrated: CalibratedResult  # shocks: the three signals at a known error rate


@dataclass(frozen=True)
class ReplicatedResult(Record):
    """Training runs of one configuration, judged on the mean of their profiles."""

    runs: list[str]  # labels of the models
    family: str  # of the runs
    layers: int  # L, of each run
    # mean of asinh(S / 2 floor) over transitions; null: not in all
    signals: BySignal[Numbers | None]
    # signal → roughness of the mean over that of one run: 1/√R where runs share nothing, 1 where they share all
    roughness_ratio: dict[str, float | None]
    calibrated: CalibratedResult  # its power is in SDs of the mean's own roughness
    size80: dict[str, float | None]  # kind → size in SDs of ONE run's roughness, common to all, found in 80 %
    statement: str  # the same in words


@dataclass(frozen=True)
class MetricDependent(Record):
    """A claim with one metric of S1 and with no other."""

    kind: str  # spike | bump | step | kink
    layer: int  # l: blocks 1..l lie before it
    metric: str  # what S1 compares where the claim shows: raw, as_read, standardised


@dataclass(frozen=True)
class TwinClaim(Record):
    """A boundary in a random-initialised twin."""

    kind: str  # spike | bump | step | kink
    layer: int  # l: blocks 1..l lie before it


@dataclass(frozen=True)
class RandomInit(Record):
    """What random-initialised twins show; a list has an entry for each of them."""

    sparse = ("levels", "signals", "paper_found", "calibrated_claims")

    seeds: int  # how many twins were measured; 0: none
    levels: BySignal[float | None] | None = None  # median size of each signal
    signals: ByMode[dict[str, list[Numbers]]] | None = None  # signal → twins → transitions
    paper_found: list[tuple[int, int] | None] | None = None  # LI and IG
    calibrated_claims: list[list[TwinClaim]] | None = None  # what the calibrated detector finds in each twin


@dataclass(frozen=True)
class Concordance(Record):
    """Whether signals rise and fall together beyond their background."""

    agreement: float | None  # mean correlation of residuals over pairs of signals, in [−1/2, 1] for three
    p: float | None  # one-sided, by permutation
    residuals: int  # independent ones that the background leaves in each signal
    reasons: list[str] = field(default_factory=list)  # why the test cannot be made


@dataclass(frozen=True)
class Controls(Record):
    """What a claim stands beside."""

    sparse = ("concordance",)

    random_init: RandomInit  # networks of the same shape with random weights
    floors: BySignal[float | None] | None = None  # noise of each signal
    with_sinks: BySignal[Numbers | None] | None = None  # calibrated signals with sinks left in
    concordance_p: float | None = None  # the p of `concordance`
    concordance: Concordance | None = None  # null: not tested
