"""The contract of `results.json`: every type a stage returns and every key, each with its meaning.

Others build on this file; changes are additive. Lists over transitions run over l = 1..L−1, where transition
l is the step from block l to block l+1 (position l−1 in the list). Layers are counted with the embedding as
layer 0, so that layer l is the raw residual stream after block l; `layer_zero_based` counts blocks from 0.
Where a study includes the embedding, its step to block 1 is transition 0: detection starts there, and
`signals_from_embedding` has the lists over 0..L−1. Boundaries keep their layers and relative depths.
A number that could not be measured is null and has an entry in `warnings`; it is never 0.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SCHEMA = "1"

Numbers = list[float | None]


@dataclass
class DataProvenance:
    """What was read, after limits."""

    name: str  # the corpus as the user named it
    sha256: str  # of the sentences actually used, in order
    documents: int
    sentences: int
    tokens: int | None = None  # real tokens of the first model; tokenizers differ
    treebank: dict[str, Any] | None = (
        None  # name, sha256, language, sentences per split, dropped, tasks off with reasons
    )
    language: str | None = None  # of the corpus, as the study file calls it
    scripts: dict[str, float] = field(default_factory=dict)  # share of the corpus's letters in each script


@dataclass
class Provenance:
    """All that would be needed to do the study again."""

    mspgt: str
    torch: str
    transformers: str
    python: str
    device: str
    dtype: dict[str, str]  # model → dtype it was computed in
    seeds: dict[str, int]
    data: DataProvenance
    started: str  # ISO 8601, UTC
    seconds: float  # wall time of the run that wrote this file; stages found finished cost nothing
    hardware: str = ""
    settings: dict[str, Any] = field(default_factory=dict)  # every knob that can change a result, resolved
    limits: list[str] = field(default_factory=list)  # where a limit cut what was read: such a run is a sketch


@dataclass
class PaperBoundary:
    """One boundary of the paper's protocol."""

    layer: int  # l: blocks 1..l lie before the boundary
    layer_zero_based: int  # the same block counted from 0
    relative: float  # ρ = l / L
    ci: list[float] | None  # 95 % percentile interval over document bootstrap draws, in layers
    width: float | None  # of ci, in layers


@dataclass
class PaperResult:
    """Experiment 1 to the letter (equations 3–6). Never a verdict by itself."""

    LI: PaperBoundary | None
    IG: PaperBoundary | None
    accepted: bool | None  # both widths < 5 and ≥ 95 % of draws with two peaks; null without a bootstrap
    successes: float | None  # share of draws with two peaks
    false_boundary_rate: dict[str, Any] | None  # found/accepted on featureless noise at this depth and se/τ
    other_normalisation: dict[str, Any]  # signals divided by their maximum only; whether it agrees
    edge_warning: str
    reasons: list[str] = field(default_factory=list)  # why there is no boundary, or no acceptance


@dataclass
class Claim:
    """One boundary of the calibrated detector."""

    kind: str  # spike | bump | step | kink; of phases: phase
    layer: int
    layer_zero_based: int
    relative: float
    set: list[int]  # 95 % confidence set of layers; may have gaps
    score: float  # fused statistic F
    critical: float  # its critical value at family-wise error 5 %
    support: int  # signals with a peak of their own within ±1; of phases: checks that claim it again
    robust: dict[str, bool | None] = field(
        default_factory=dict
    )  # without S1/S2/S3, with sinks, half the documents, other tokens, another metric of S1; of phases: its checks


@dataclass
class CalibratedResult:
    """The same question with known error rates."""

    spike: list[Claim]
    bump: list[Claim]
    step: list[Claim]
    kink: list[Claim]
    chosen: dict[str, Claim | None]  # LI, IG
    noise_ratio: dict[str, float | None]  # signal → se/τ: sentence noise over layer roughness
    power: dict[str, dict[str, Any]]  # kind → {size80, statement}: what could have been seen at this depth
    rivals: dict[str, Any] = field(default_factory=dict)  # K = 1 and K = 4 readings
    reasons: list[str] = field(default_factory=list)


@dataclass
class Boundaries:
    """Both modes, side by side."""

    paper: PaperResult
    calibrated: CalibratedResult


@dataclass
class PhasesResult:
    """Lasting changes of what blocks write, in the similarity of every pair of updates (docs/phases.md)."""

    boundaries: list[Claim]  # kind "phase", by depth: over the threshold, and standing in every check
    candidate: Claim | None  # the strongest place that is no boundary
    why: list[str]  # why the candidate is none: below the threshold, "one word", "metric-dependent", ...
    score: float | None  # F of the strongest place
    threshold: float | None  # that F must reach at family-wise error 5 % at this depth
    # J80: lasting change (-log CKA, beyond the median transition) that is found in 80 % of cases; null: cannot be
    size80: float | None
    statement: str  # the same in words
    step: Numbers  # lasting change at transitions 1..L-1, -log CKA
    step_error: Numbers  # its SD
    evidence: Numbers  # the step in units of its noise and of the declared tolerance
    alone: Numbers  # what block 1..L writes that no other does, -log CKA
    inflation: float | None  # factor on the error where residuals of neighbouring pairs are alike
    similarity: list[Numbers]  # (L, L): CKA of the updates of blocks, over pairs of different documents
    # without_top_word, limit_2, standardised, odd_documents, even_documents → {score, layer, boundaries} | {reason}
    checks: dict[str, dict[str, Any]]
    random_init: list[dict[str, Any]]  # of each random twin {score, layer, boundaries}
    documents: int
    tokens: dict[str, int]  # main, and by check
    reasons: list[str] = field(default_factory=list)  # why nothing could be found


@dataclass
class ProbeResult:
    """One probing task of S2, per layer 0..L (layer 0 is the embedding)."""

    f1: Numbers  # test score in [0, 1], mean over seeds: micro F1, which is what `score` says
    f1_ci: list[list[float] | None] | None  # 95 % over documents of the treebank
    selectivity: list[float] | None  # accuracy (ner: of words) less control accuracy (Hewitt & Liang 2019)
    codelength: list[float] | None  # online codelength in bits a label (Voita & Titov 2020)
    floor: float | None  # score of the most frequent label of each word type (dep, srl: pair of word types)
    ceiling: float | None = None  # Bayes F1 where it is known (planted languages)
    labels: str = "gold"  # gold | silver
    examples: dict[str, int] = field(default_factory=dict)  # split → examples
    f1_bands: dict[str, list[list[float] | None]] | None = (
        None  # "80", "50" → [lo, hi] per layer, inside f1_ci
    )
    score: str = "F1"  # accuracy (of given words, heads and spans: pos, dep, srl) | entity F1 (ner)


@dataclass
class Located:
    """A number with its interval; null where it could not be measured."""

    value: float | None
    ci: list[float] | None  # 95 % over documents and readers


@dataclass
class FunctionalTask:
    """One kind of label: how many bits of it each layer adds to what is known without context."""

    scale: str  # L | I | G decide boundaries; S and "" are reported only
    says: str  # what is asked, in words
    beyond: str  # what the gain is beyond: word | bag (the word and the bag of its context) | nothing
    classes: int
    words: int  # labelled words that were read
    entropy: float  # of the labels, in bits
    baseline: float  # bits a word that the baseline saves
    gain: Numbers  # bits a word at layer 0..L
    gain_ci: list[list[float] | None]  # same places
    level: Located  # bits: mean of the top fifth of the layers
    defined: bool
    # Why not: flat | small | not beyond the twin | non-monotone | unresolved, in words; empty if defined
    reason: str
    d50: Located  # depth of half the level, in layers
    d90: Located
    centre: Located  # mean depth of the quantiles .2 to .8 of the rise
    decline: Located  # depth where the curve falls below .9 of its level; null where it does not


@dataclass
class FunctionalScale:
    """The tasks of one scale together."""

    tasks: list[str]  # those that are defined
    defined: bool
    reason: str
    rise: Numbers | None  # F_s, mean share of their levels reached at layer 0..L
    d50: Located
    d90: Located
    centre: Located


@dataclass
class FunctionalOrder:
    """Whether one scale is built before the next: the gap of their centres."""

    gap: Located  # in layers
    margin: float  # .05 L: the gap must exceed it
    p: float | None  # H0: gap <= margin, both gaps judged together (max-T); the primary test
    p_without_margin: float | None
    p_reversed: float | None  # H0: gap >= -margin
    supported: bool | None
    reversed: bool | None
    reason: str  # why there is no test


@dataclass
class FunctionalBoundary:
    """Where one scale hands over to the next; null unless both are defined and their order is supported."""

    layer: int | None  # last layer of the earlier scale: where its rise leads the later one's most
    layer_zero_based: int | None  # the same block counted from 0
    relative: float | None  # layer / L
    set: list[int]  # 95 % set of layers
    soft: Located  # centroid of the largest lead, in layers
    ahead: Located  # KS+: the largest lead of the earlier scale over the later, share of rise
    behind: Located  # KS-: of the later over the earlier; curves that cross have both
    reason: str  # why it is undefined; empty if defined


@dataclass
class FunctionalScales:
    """Functional scales of one model: where each kind of context is usable (docs/scales.md)."""

    unit: str  # what was resampled: document | sentence
    documents: int
    seeds: int  # deals of the documents to readers
    draws: int
    declared: list[dict[str, str]]  # the task list, frozen in the plan's hash
    tasks: dict[str, FunctionalTask]
    scales: dict[str, FunctionalScale]  # L, I, S, G
    order: dict[str, FunctionalOrder]  # LI, IG
    verdict: str  # of both order tests, in words
    LI: FunctionalBoundary
    IG: FunctionalBoundary
    block_share: Located  # Q: share of each rise in its own block; 1/3 no blocks, 1 perfect
    without: dict[str, dict[str, float | None]]  # task left out → LI, IG (soft), centres of its scale
    twin: dict[str, Any] | None  # comparison by task; scales that are defined in the twin
    off: dict[str, str]  # task → why it could not be asked
    about: dict[str, Any]  # words read, sinks, start token, …
    notes: list[str]  # what a reader must be told


@dataclass
class MetricResult:
    """S1 by what is compared: raw, rms (primary), as_read, standardised; raw_limit_10: sinks above 10 medians."""

    S1: Numbers | None  # −log CKA across documents, of calibrated tokens, over transitions 1..L−1
    # Of the variance, per layer 0..L: participation ratio (Σλ)²/Σλ², and the share of its largest dimension
    participation: Numbers | None = None
    largest_share: Numbers | None = None
    flagged: list[int] = field(default_factory=list)  # layers where one dimension holds more than half of it


@dataclass
class TokenSetResult:
    """Calibrated S1 over other tokens: another sink limit, frequent words or first words left out."""

    S1: Numbers | None  # −log CKA over transitions 1..L−1
    tokens: int  # how many


@dataclass
class ModelResult:
    """Everything about one model."""

    family: str
    layers: int
    width: int
    parameters: int
    revision: str
    signals: dict[
        str, dict[str, Numbers | None]
    ]  # S1, S2, S3, evidence → {paper, calibrated} over transitions
    signals_ci: dict[
        str, dict[str, list[list[float] | None] | None]
    ]  # same keys → 95 % [lo, hi] per transition
    embedding_step: dict[str, dict[str, float | None]]  # S1, S2 → the step from layer 0 to layer 1
    boundaries: Boundaries
    controls: dict[str, Any]  # random_init, floors (noise of each signal), with_sinks, concordance_p
    probes: dict[str, ProbeResult]
    checks: list[dict[str, Any]]  # mspgt check, as of this run
    tokens: dict[str, int]  # real, word_final, sinks, sentences cut to the context
    seconds: dict[str, float] = field(default_factory=dict)  # stage → wall seconds when it was computed
    interventions: dict[str, Any] | None = None  # arm → metric → effect (Experiment 2)
    interventions_about: dict[str, Any] | None = None  # scales, noise, arms, contrasts, response, texts
    # Definition (dimension, nonsink, all, own) → what noise of `sigma` is and costs, lists over blocks 1..L:
    # `sigma` (residual units), `relative` (over the SD of the median dimension), `variance` (over that of the
    # activations), `kl` and `nats` (extra loss) a token with noise after that block alone, each with `_se`;
    # `ends` {layers, kl, nats, …}: noise after blocks 1..k; `scales`: the same costs of each whole scale
    doses: dict[str, Any] | None = None
    # sigma; sink_layer (the first whose SD a sink more than doubles, or null); equal_kl {target, sizes, kl, reason};
    # passages, documents and tokens read
    doses_about: dict[str, Any] | None = None
    theory: dict[str, Any] | None = None
    # With boundaries.include_embedding: as `signals`, over transitions 0..L−1 (S3 is null at 0); else null
    signals_from_embedding: dict[str, dict[str, Numbers | None]] | None = None
    run: str | None = None  # the training run that this is a state of, where several states were measured
    step: int | None = None  # of that run
    signals_bands: dict[str, dict[str, dict[str, list[list[float] | None]] | None]] = field(
        default_factory=dict
    )  # S1, S2, S3 → mode → "80", "50" → [lo, hi] per transition, inside the 95 % of signals_ci
    scales: FunctionalScales | None = None  # functional scales; null: not measured
    phases: PhasesResult | None = None  # null: not measured, with an entry in warnings
    # With measure.context both: "sentence" → S1, S2, S3 of calibrated mode over transitions, read one by one
    contexts: dict[str, dict[str, Numbers | None]] = field(default_factory=dict)
    metrics: dict[str, MetricResult] = field(default_factory=dict)  # what is compared → S1, and its spread
    # main, limit_10, all_tokens, without_top_word, without_top3_words, without_first_words → S1 over those tokens
    token_sets: dict[str, TokenSetResult] = field(default_factory=dict)
    frequent_words: list[str] = field(
        default_factory=list
    )  # the word forms of those sets, most frequent first
    # Claims with one metric of S1 and with no other: {kind, layer, metric}
    metric_dependent: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class ReplicatedResult:
    """Training runs of one configuration, judged on the mean of their profiles."""

    runs: list[str]  # labels of the models
    family: str
    layers: int
    signals: dict[
        str, Numbers | None
    ]  # S1, S2, S3 → mean of asinh(S / 2 floor) over transitions; null: not in all
    # signal → roughness of the mean over that of one run: 1/√R where runs share nothing, 1 where they share all
    roughness_ratio: dict[str, float | None]
    calibrated: CalibratedResult  # its power is in SDs of the mean's own roughness
    size80: dict[str, float | None]  # kind → size in SDs of ONE run's roughness, common to all, found in 80 %
    statement: str  # the same in words


@dataclass
class PlantedPlace:
    """One thing that was planted, and whether it was found."""

    name: (
        str  # layer 7 (shocks, phases) | L–I, I–G (functional) | local, intermediate, global (interventions)
    )
    layer: int | None = None  # null: planted as a stretch, or of the text
    low: float | None = None  # a boundary found from here to `high` counts
    high: float | None = None
    found: bool = False


@dataclass
class PlantedTest:
    """One thing that was claimed or asked in a planted subject."""

    # spike, bump, step, kink, phase, L–I or I–G | local, intermediate, global
    name: str
    layer: int | None = None
    score: float | None = None  # F, to reach `critical`
    critical: float | None = None
    p: float | None = (
        None  # where p decides, at 5 %: of the order (max-T), of a scale and metric (Holm over all)
    )
    metric: str | None = None  # of the texts
    set: list[int] = field(default_factory=list)  # 95 % confidence set of layers
    planted: bool = False  # whether it was planted


@dataclass
class PlantedControl:
    """A subject whose truth is known, measured and judged as models are."""

    kind: str  # account that is tried: shocks | phases | functional | interventions
    says: str  # what was planted, in words
    seed: int  # fixed in the recipe
    layers: int | None  # null: texts
    size: float | None  # of each planted boundary, in `unit`
    unit: str
    planted: list[PlantedPlace]  # empty: nothing, and nothing should be found
    found: list[PlantedTest]  # what was claimed
    # Strongest place of shocks, strongest candidate of phases, both orders, every scale and metric
    tests: list[PlantedTest]
    size80: float | None  # size that is found in 80 % of cases, in `unit`; null: not known
    paper: dict[str, Any] | None  # of shocks: LI, IG (layers or null) and accepted, by the published protocol
    passed: bool  # all that was planted was found, and nothing else
    reasons: list[str] = field(default_factory=list)  # why the strongest candidate is no boundary


@dataclass
class Notice:
    """Something the reader must know before believing a number."""

    where: str  # dotted path into results.json
    what: str
    consequence: str


@dataclass
class Results:
    """`results.json`."""

    study: dict[str, str]  # name, hash, mode_default
    provenance: Provenance
    models: dict[str, ModelResult]
    families: dict[str, dict[str, Any]]
    predictions: dict[str, Any]
    warnings: list[Notice]
    replicated: dict[str, ReplicatedResult] = field(
        default_factory=dict
    )  # group of runs → what their mean says
    schema: str = SCHEMA
    planted: dict[str, PlantedControl] = field(default_factory=dict)  # planted subject → what was found in it


def to_jsonable(value: Any) -> Any:
    """Turn dataclasses, arrays and paths into plain JSON values; non-finite numbers become null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_jsonable(item) for item in value]
    if isinstance(value, np.ndarray):
        return to_jsonable(value.tolist())
    if isinstance(value, np.generic):
        return to_jsonable(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value
