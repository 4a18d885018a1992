"""Experiment 2: what noise in one scale costs (doses), and what it does to texts (effects)."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.record import ByScale, Interval, Numbers, Record


@dataclass(frozen=True)
class EffectResult(Record):
    """One metric of one arm against baseline, on the texts that it could be computed on in both.

    Intervals are 95 % intervals of the bootstrap over documents, with expanded percentiles (Hesterberg 2015).
    """

    baseline: float | None = None  # mean of the metric over the texts without noise
    value: float | None = None  # the same of the arm
    percent: float | None = None  # 100 (value − baseline) / |baseline|, as in Table 2
    percent_ci: Interval | None = None  # of percent
    percent_se: float | None = None  # over documents, the baseline's own wobble included
    difference: float | None = None  # value − baseline
    se: float | None = None  # of the difference, over documents
    ci: Interval | None = None  # of the difference
    log_ratio: float | None = None  # ln(value / baseline); null where either is not above 0
    log_ratio_ci: Interval | None = None  # of log_ratio
    p_permutation: float | None = None  # baseline and arm change labels document by document
    p_t: float | None = None  # paired t over texts, as in the paper; takes texts for independent
    p_adjusted: float | None = None  # p_permutation, Benjamini–Hochberg over arms × metrics of the model
    hedges_g: float | None = None  # over the mean of both arms' variances between texts
    equivalent: bool | None = None  # TOST at 5 %: |difference| < margin
    margin: float | None = None  # in the metric's unit: 0.2 standard deviations of a text
    aa_range: Interval | None = None  # percent: where no change would lie if labels were swapped
    n: int = 0  # pairs of texts
    rate: float | None = None  # share of the arm's texts that the metric could be computed on
    reason: str | None = None  # why numbers are null
    documents: int | None = None  # behind the intervals


@dataclass(frozen=True)
class ScalesUsed(Record):
    """What was perturbed."""

    LI: int  # last layer of the local scale
    IG: int  # last layer of the intermediate scale
    source: str  # calibrated | functional | phases | paper | given | thirds


@dataclass(frozen=True)
class Failure(Record):
    """Noise broke the model."""

    reason: str  # what was not finite, and where it began
    layer: int | None = None  # the first whose activations were not finite
    samples: int | None = None  # texts that it broke


@dataclass(frozen=True)
class ArmResult(Record):
    """One way of adding noise."""

    layers: list[int] = field(default_factory=list)  # blocks after which noise was added
    sigma: float | None = None  # the largest of its layers, in units of the dose
    dose: str = ""  # what sigma counts in: dimension | nonsink | all | own
    variance: float | None = None  # added, summed over its layers, in units of the activations' own
    failed: Failure | None = None  # null: it did not break


@dataclass(frozen=True)
class Contrast(Record):
    """Δ(I) − max(Δ(L), Δ(G))."""

    estimate: float  # of log ratios of the arms to their baseline
    ci: Interval | None = None  # 95 %, over documents
    p: float | None = None  # one-sided: the intermediate scale does not exceed both others


@dataclass(frozen=True)
class ContrastPair(Record):
    """Of the changes as they are, and of their sizes."""

    sparse = ("reason",)

    signed: Contrast | None = None  # of the changes with their signs
    absolute: Contrast | None = None  # of their sizes alone
    reason: str | None = None  # why they are null


@dataclass(frozen=True)
class Change(Record):
    """An effect in percent; all null for an arm that broke."""

    value: float | None  # 100 (value − baseline) / |baseline|
    ci: Interval | None  # 95 %, over documents
    n: int  # pairs of texts


@dataclass(frozen=True)
class LossStep(Record):
    """What the next larger noise adds to the loss; lists over neighbouring sizes."""

    value: Numbers  # nats a token
    se: Numbers | None  # over documents; null of a single one
    documents: int  # behind the errors


@dataclass(frozen=True)
class ResponseCurve(Record):
    """Noise of growing size in one scale; lists over `sigma`."""

    sigma: list[float]  # in units of the dose
    divergence: Numbers  # KL(clean ‖ noisy), nats a token
    divergence_se: Numbers  # over documents
    linear_up_to: float | None  # largest sigma up to which divergence grows like sigma squared, within 20 %
    percent: dict[str, list[Change]]  # metric → effect
    loss: Numbers | None = None  # extra loss on the baseline's own texts, nats a token
    loss_step: LossStep | None = None  # null in runs of old


@dataclass(frozen=True)
class ShownText(Record):
    """One sample under every arm."""

    sample: int  # its number
    prompt: str  # that all arms go on from
    arms: dict[str, str]  # arm → text


@dataclass(frozen=True)
class InterventionsAbout(Record):
    """How texts were made, and what is said of all arms together."""

    scales: ScalesUsed  # where the arms end
    sigma: float | None = None  # of every arm whose dose is not matched
    dose: str = ""  # what sigma counts in
    scope: str = ""  # all | prompt | text: which positions take noise
    samples: int | None = None  # texts an arm
    documents: int | None = None  # behind them
    prompt_tokens: int | None = None  # asked for
    new_tokens: int | None = None  # most that a text has after its prompt
    temperature: float | None = None  # of sampling
    top_p: float | None = None  # of sampling: share of probability that is drawn from
    mattr_window: int | None = None  # words
    margin: float | None = None  # "no effect" is smaller than so many SDs of a text
    coherence_samples: int | None = None  # texts that were encoded for coherence; null: all
    seconds: float | None = None  # wall time of writing
    short_prompts: int | None = None  # shorter than asked for, because their document is
    ended: dict[str, float] = field(default_factory=dict)  # arm → share of texts that ended by themselves
    arms: dict[str, ArmResult] = field(default_factory=dict)  # by name
    contrasts: dict[str, dict[str, ContrastPair]] = field(default_factory=dict)  # metric → dose
    response: dict[str, ResponseCurve] | None = None  # scale → curve
    texts: list[ShownText] = field(default_factory=list)  # some samples to read
    missing: dict[str, str] = field(default_factory=dict)  # metric → why it was not measured
    versions: dict[str, str] = field(default_factory=dict)  # metric → program that measured it


@dataclass(frozen=True)
class Cost(Record):
    """What noise in a whole scale costs a token."""

    kl: float | None  # nats
    kl_se: float | None  # over documents
    nats: float | None  # extra loss
    nats_se: float | None  # over documents


@dataclass(frozen=True)
class EndCosts(Record):
    """Noise after blocks 1..k, lists over `layers` (k)."""

    layers: list[int]  # k
    kl: Numbers  # nats a token
    kl_se: Numbers  # over documents
    nats: Numbers  # extra loss, nats a token
    nats_se: Numbers  # over documents


@dataclass(frozen=True)
class Dose(Record):
    """What noise after one block is and costs under one definition of dose; lists over blocks 1..L."""

    sigma: list[float]  # residual units
    relative: list[float]  # over the SD of the median dimension
    variance: list[float]  # over that of the activations
    kl: Numbers  # nats a token
    kl_se: Numbers  # over documents
    nats: Numbers  # extra loss, nats a token
    nats_se: Numbers  # over documents
    ends: EndCosts  # by the last layer that noise reaches
    scales: ByScale[Cost]  # noise in a whole scale


@dataclass(frozen=True)
class EqualKL(Record):
    """The sizes at which noise in each scale moves predictions as far."""

    target: float | None  # nats a token
    sizes: ByScale[float] | None  # sigma of each scale; null: none were found
    kl: ByScale[float] | None  # reached
    reason: str | None  # why there are none


@dataclass(frozen=True)
class DosesAbout(Record):
    """What the audit of doses read."""

    sigma: float  # in units of each definition
    equal_kl: EqualKL  # doses that move predictions alike
    passages: int  # of held text that were read
    documents: int  # behind them
    tokens: int  # in them
    sink_layer: int | None = None  # the first whose SD a sink more than doubles
