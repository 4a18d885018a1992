"""Everything about one model."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.boundaries import Boundaries, Controls, MetricDependent
from mspgt.results.interventions import Dose, DosesAbout, EffectResult, InterventionsAbout
from mspgt.results.phases import PhasesResult
from mspgt.results.precision import PrecisionResult
from mspgt.results.record import ByMode, BySignal, Numbers, Record, Rows
from mspgt.results.scales import FunctionalScales
from mspgt.results.signals import MetricResult, ProbeResult, TokenSetResult
from mspgt.results.theory import Theory


@dataclass(frozen=True)
class Check(Record):
    """One line of `mspgt check`, as of this run."""

    name: str  # what was asked of the model
    ok: bool | None  # null: does not apply
    reason: str  # what was found, or what to do


@dataclass(kw_only=True)
class ModelResult(Record):
    """Everything about one model."""

    family: str  # as the study names it, else read from the configuration
    layers: int  # L: blocks
    width: int  # d: dimensions of the residual stream
    parameters: int  # all weights
    revision: str  # of the weights; empty: a folder without one
    signals: BySignal[ByMode[Numbers | None]]  # and `evidence`, over transitions
    signals_ci: dict[str, ByMode[Rows | None]] = field(default_factory=dict)  # 95 % [lo, hi] of each
    # S1, S2 → mode → the step from layer 0 to layer 1
    embedding_step: dict[str, dict[str, float | None]] = field(default_factory=dict)
    boundaries: Boundaries  # Experiment 1, in both modes
    controls: Controls  # what its claims stand beside
    probes: dict[str, ProbeResult] = field(default_factory=dict)  # by task
    checks: list[Check] = field(default_factory=list)  # whether it can be measured, and how
    tokens: dict[str, int]  # real, word_final, sinks, sentences cut to the context
    seconds: dict[str, float] = field(default_factory=dict)  # stage → wall seconds when it was computed
    interventions: dict[str, dict[str, EffectResult]] | None = None  # arm → metric (Experiment 2)
    interventions_about: InterventionsAbout | None = None  # null: Experiment 2 was not run
    doses: dict[str, Dose] | None = None  # definition: dimension, nonsink, all, own
    doses_about: DosesAbout | None = None  # null: doses were not audited
    theory: Theory | None = None  # section 3 and appendix A; null: not computed
    # With boundaries.include_embedding: as `signals`, over transitions 0..L−1 (S3 is null at 0); else null
    signals_from_embedding: BySignal[ByMode[Numbers | None]] | None = None
    run: str | None = None  # the training run that this is a state of, where several states were measured
    step: int | None = None  # of that run
    # Its seed, data and optimiser, as the study declares them
    trained: dict[str, str] = field(default_factory=dict)
    # mode → "80", "50" → [lo, hi] per transition, inside the 95 % of signals_ci
    signals_bands: dict[str, dict[str, dict[str, Rows] | None]] = field(default_factory=dict)
    scales: FunctionalScales | None = None  # functional scales; null: not measured
    phases: PhasesResult | None = None  # null: not measured, with an entry in warnings
    # With measure.context both: "sentence" → S1, S2, S3 of calibrated mode over transitions, read one by one
    contexts: dict[str, BySignal[Numbers | None]] = field(default_factory=dict)
    metrics: dict[str, MetricResult] = field(default_factory=dict)  # what is compared → S1, and its spread
    # main, limit_10, all_tokens, without_top_word, without_top3_words, without_first_words → S1 over those tokens
    token_sets: dict[str, TokenSetResult] = field(default_factory=dict)
    frequent_words: list[str] = field(default_factory=list)  # of those sets, most frequent first
    # claims that one metric of S1 shows alone
    metric_dependent: list[MetricDependent] = field(default_factory=list)
    precision: PrecisionResult | None = None  # null: it computes in float32 or more, or nothing was compared

    @property
    def shape(self) -> tuple[int, int, int]:
        """Layers, width and parameters: what training runs of one architecture in a family share."""
        return self.layers, self.width, self.parameters
