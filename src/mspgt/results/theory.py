"""Section 3 and appendix A of the paper. Lists run over layers 1..L unless they say otherwise.

A block that could not be measured has null in place of its numbers, and a `reason`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.record import Interval, Numbers, Record, Rows


@dataclass(frozen=True)
class UsableInformation(Record):
    """Cross-fitted V-information of one kind of label, over layers 0..L."""

    bits: list[float] | None  # a label
    ci: Rows | None = None
    entropy: float | None = None  # of the label, in bits
    label: str = ""  # what was asked
    classes: int | None = None
    examples: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class GaussianInformation(Record):
    """Gaussian information between principal components of layer 0 and layer l."""

    nats: list[float] | None
    se: Numbers | None = None  # jackknife over documents
    variance_explained: list[float] | None = None  # by the components, over layers 0..L
    k: int | None = None  # components
    bias_left: float | None = None  # nats that independent data show
    canonical_gaussian: float | None = None  # of the first canonical pair, nats
    canonical_neighbours: float | None = None  # the same by nearest neighbours
    reason: str | None = None


@dataclass(frozen=True)
class Information(Record):
    """Information that layers hold on topics, syntax and words."""

    topical: UsableInformation
    syntactic: UsableInformation
    lexical: UsableInformation
    gaussian: GaussianInformation
    documents: int
    units: str = ""
    estimator: str = ""
    refused: str = ""  # what is not estimated, and why
    tokens: int | None = None
    sinks_left_out: int | None = None


@dataclass(frozen=True)
class NoiseLaw(Record):
    """The law of the statistic without a kink."""

    freedom: float
    scale: float
    unit: float  # of the statistic, in SDs


@dataclass(frozen=True)
class KinkTest(Record):
    """Whether one profile bends at a boundary more than elsewhere."""

    p: float | None
    layer: int | None = None
    bend: float | None = None  # second difference there
    expected: float | None = None
    statistic: float | None = None
    freedom: float | None = None
    caution: float | None = None  # factor on the scale, for bends that are not normal
    rank: float | None = None  # share of layers that bend less
    kinked: bool | None = None
    laws: dict[str, NoiseLaw] | None = None  # by where noise is taken from: bends, profile
    reason: str | None = None


@dataclass(frozen=True)
class BoundaryKinks(Record):
    """The tests at one boundary, by profile; `all` decides."""

    p: float | None = None
    kinked: bool | None = None
    boundary: int | None = None  # where it was chosen, on the other half of the documents
    layer: int | None = None
    all: KinkTest | None = None
    topical: KinkTest | None = None
    syntactic: KinkTest | None = None
    lexical: KinkTest | None = None
    gaussian: KinkTest | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Kink(Record):
    """Kinks of information at the boundaries (prediction P1.2)."""

    LI: BoundaryKinks
    IG: BoundaryKinks
    units: str = ""
    estimator: str = ""
    primary: str = ""  # the profile that decides
    source: str = ""  # of the boundaries
    profiles: dict[str, list[float]] = field(default_factory=dict)

    def of(self, which: str) -> BoundaryKinks:
        """LI or IG by its name."""
        return self.LI if which == "LI" else self.IG


@dataclass(frozen=True)
class Markov(Record):
    """How far a layer knows what the layer between forgot (assumption A2), over layers 1..L−2."""

    units: str = ""
    estimator: str = ""
    caveat: str = ""
    ratio: Numbers | None = None  # conditional over total information
    surrogate: Numbers | None = None  # the same of Markov surrogates
    excess: Numbers | None = None  # ratio less surrogate
    se: Numbers | None = None
    conditional: Numbers | None = None  # nats
    total: Numbers | None = None  # nats
    p_null: Numbers | None = None
    mean: float | None = None  # of the excess
    ci: Interval | None = None
    k: int | None = None  # components
    groups: int | None = None  # of documents
    permutations: int | None = None
    verdict: str = ""
    reason: str | None = None


@dataclass(frozen=True)
class Curve(Record):
    """A value a layer, with its 95 % interval over documents; null without a second document."""

    value: list[float] | None
    ci: Rows | None = None
    by_sigma: list[list[float]] | None = None  # of slopes: at every size of noise, before extrapolation
    reason: str | None = None


@dataclass(frozen=True)
class Measured(Record):
    """A number with its 95 % interval over documents."""

    value: float
    ci: Interval | None


@dataclass(frozen=True)
class FisherArm(Record):
    """Noise in a whole scale: what tr F predicts, and what it does."""

    layers: list[int]
    sigma: float
    predicted: float  # nats a token
    predicted_ci: Interval | None
    kl: float
    kl_ci: Interval | None
    loss: float
    loss_ci: Interval | None


@dataclass(frozen=True)
class ScaleSlopes(Record):
    """Slope over ½ Σ tr F of one scale, as σ → 0: 1 where equation 30 holds."""

    loss: Measured
    kl: Measured


@dataclass(frozen=True)
class Equation30(Record):
    """Loss against Fisher information, scale by scale."""

    scales: dict[str, ScaleSlopes]
    verdict: str = ""
    verdict_loss: str = ""
    verdict_kl: str = ""


@dataclass(frozen=True)
class Fisher(Record):
    """Traces of Fisher information, std² tr F, nats a token for noise of one standard deviation."""

    fisher: Curve | None
    equation30: Equation30 | None
    units: str = ""
    estimator: str = ""
    texts: int | None = None
    documents: int | None = None
    sigmas: list[float] | None = None
    std: list[float] | None = None  # of activations
    empirical: Curve | None = None  # with the labels of the text
    hessian: Curve | None = None
    kl_slope: Curve | None = None  # 2 KL / σ² as σ → 0
    loss_slope: Curve | None = None  # 2 Δloss / σ² as σ → 0
    arms: dict[str, FisherArm] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True)
class BetaOfScale(Record):
    """β̂ of one scale at every relative noise of `sigmas`."""

    value: list[float]
    ci: Rows | None
    limit: Measured  # of β̂ / σ² as σ → 0
    # by size of noise, that extrapolation removes
    finite_noise_bias: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class PlantedSlope(Record):
    """Slope of log multiplier on log entropy over planted languages."""

    slope: float | None
    ci: Interval | None
    count: int | None = None  # languages
    scales: list[str] = field(default_factory=list)
    reason: str | None = None


@dataclass(frozen=True)
class PlantedLanguage(Record):
    """Entropy and multiplier of each scale of one planted language."""

    language: str
    entropy_nats: list[float]
    multiplier: list[float]


@dataclass(frozen=True)
class Equation23(PlantedSlope):
    """Multipliers −dD/dR of planted sources at one rate."""

    claim: float | None = None  # the paper's slope
    by_scale: dict[str, PlantedSlope] = field(default_factory=dict)
    languages: int | list[PlantedLanguage] = 0  # how many; runs of old list them here
    points: list[PlantedLanguage] = field(default_factory=list)
    common_rate_nats: list[float] = field(default_factory=list)
    estimator: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class BetaAtRate(Record):
    """Between two measured rates, by their logarithm."""

    value: float
    ci: Interval | None = None


@dataclass(frozen=True)
class BetaOfResponse(Record):
    """β̂ of one scale from Experiment 2; lists over neighbouring doses, from the smallest noise on."""

    value: Numbers | None  # nats of loss for each nat of rate
    reason: str | None = None
    sigma: list[float] | None = None  # doses, one more than pairs of neighbours
    rate: list[float] | None = None  # of each dose, nats a token
    between: list[float] | None = None  # the rate in the middle of two doses
    ci: Rows | None = None
    predicted: Numbers | None = None  # what small noise predicts
    at: list[BetaAtRate | None] | None = None  # at each of `rates`; null outside of what was measured


@dataclass(frozen=True)
class BetaResponse(Record):
    """β̂ of the scales over the rate that noise of Experiment 2 lets through."""

    units: str
    estimator: str
    rates: list[float]  # at which models are compared, nats a token
    scales: dict[str, BetaOfResponse] | None
    reason: str | None = None


@dataclass(frozen=True)
class Beta(Record):
    """Lagrange multipliers of the scales: nats of loss for each nat of rate."""

    equation23: Equation23
    activations: dict[str, BetaOfScale] | None = None  # by scale
    response: BetaResponse | None = None
    units: str = ""
    estimator: str = ""
    sigmas: list[float] = field(default_factory=list)  # relative noise
    reason: str | None = None


@dataclass(frozen=True)
class BottleneckPoint(Record):
    """One point of the curve; lists over G, I, L. Nats a token."""

    beta: float
    distortion: float
    kl: list[float]
    information: list[float]
    gap: list[float]  # information and gap sum to the KL
    bounded: list[bool]  # information stands at the bound of its estimator


@dataclass(frozen=True)
class Bottleneck(Record):
    """The hierarchical variational bottleneck (section 3.4)."""

    curve: list[BottleneckPoint] | None = None
    units: str = ""
    estimator: str = ""
    blind: float | None = None  # loss without any latent
    elbo: float | None = None  # at β = 1
    elbo_ci: Interval | None = None
    elbo_reason: str = ""
    layers: dict[str, int] | None = None  # the last of each scale
    weights: list[Numbers] | None = None  # β of G, I, L at every point but the first
    weights_ci: list[tuple[Numbers, Numbers]] | None = None  # lows, highs
    reason: str | None = None


@dataclass(frozen=True)
class WidthLaw(Record):
    """Width of the interval of argmax E against how much there is."""

    counts: list[int]
    widths: Numbers
    slope: float | None  # of log width on log count
    ci: Interval | None
    reason: str = ""


@dataclass(frozen=True)
class Concentration(Record):
    """Equation 34."""

    units: str = ""
    estimator: str = ""
    claim: str = ""
    by_draws: WidthLaw | None = None
    by_documents: WidthLaw | None = None
    verdict: str = ""
    reason: str | None = None


@dataclass(frozen=True)
class Reach(Record):
    """Effective attention length: how many tokens back a layer's words come from."""

    layers: Curve | None
    mean: Measured | None  # over layers
    units: str = ""
    estimator: str = ""
    window: int | None = None  # tokens read at a time
    windows: int | None = None
    documents: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ValueSwitch(Record):
    """Where the weights of the scales switch, and how the value jumps there."""

    layer: int  # the first under the new weights
    jump: float
    ci: Interval
    bounds: Interval  # between which it lies at perfect optima: less the rates before, and after, times the change


@dataclass(frozen=True)
class ValueByLayer(Record):
    """V of equation 26, layer by layer."""

    value: list[float] | None
    units: str = ""
    estimator: str = ""
    source: str = ""  # of the boundaries at which weights switch
    ci: Rows | None = None
    kl: list[list[float]] | None = None  # of G, I, L
    weights: list[list[float]] | None = None  # of G, I, L
    switches: list[ValueSwitch] = field(default_factory=list)
    reason: str | None = None


@dataclass(frozen=True)
class Theory(Record):
    """All of it for one model."""

    information: Information
    kink: Kink
    markov: Markov
    fisher: Fisher
    beta: Beta
    hvib: Bottleneck
    concentration: Concentration
    reach: Reach | None = None  # null: left out
    values: ValueByLayer | None = None  # null: not asked for
