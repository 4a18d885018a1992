"""Section 3 and appendix A of the paper, over layers 1..L unless told otherwise; null with a `reason`."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.record import Interval, Numbers, Record, Rows


@dataclass(frozen=True, kw_only=True)
class Estimated(Record):
    """Numbers that say what they are."""

    units: str = ""  # of its numbers, in words
    estimator: str = ""  # how they are computed, in words


@dataclass(frozen=True, kw_only=True)
class Reasoned(Record):
    """What may not have been measured."""

    reason: str | None = None  # why there are none


@dataclass(frozen=True)
class UsableInformation(Reasoned):
    """Cross-fitted V-information of one kind of label, over layers 0..L."""

    bits: list[float] | None  # a label
    ci: Rows | None = None  # 95 % over documents, at every layer
    entropy: float | None = None  # bits a label under the frequencies of the other half: the most to be saved
    label: str = ""  # what was asked
    classes: int | None = None  # labels that can be told
    examples: int | None = None  # labelled places that were read, each held out once


@dataclass(frozen=True)
class GaussianInformation(Reasoned):
    """Gaussian information between principal components of layer 0 and layer l."""

    nats: list[float] | None  # over layers 1..L
    se: Numbers | None = None  # jackknife over documents
    variance_explained: list[float] | None = None  # by the components, over layers 0..L
    k: int | None = None  # components
    bias_left: float | None = None  # nats that are left with layer L when the rows of layer 0 are shuffled
    canonical_gaussian: float | None = None  # of the first canonical pair of layers 1 and L, nats
    canonical_neighbours: float | None = None  # the same by nearest neighbours


@dataclass(frozen=True)
class Information(Estimated):
    """Information that layers hold on topics, syntax and words."""

    topical: UsableInformation  # which document, or topic, a place is of
    syntactic: UsableInformation  # relation of a word to its head; part of speech where there are no trees
    lexical: UsableInformation  # which of the most frequent words
    gaussian: GaussianInformation  # without labels, between components
    documents: int  # behind the intervals
    refused: str = ""  # what is not estimated, and why
    tokens: int | None = None  # that components were computed on
    sinks_left_out: int | None = None  # tokens


@dataclass(frozen=True)
class NoiseLaw(Record):
    """The law of the statistic at a kink: `scale` × statistic is a noncentral t."""

    freedom: float  # degrees of freedom of the noncentral t
    scale: float  # factor that makes the statistic a noncentral t
    unit: float  # noncentrality of a kink of one SD of the other layers' bends


@dataclass(frozen=True)
class KinkTest(Reasoned):
    """Whether one profile bends at a boundary more than elsewhere."""

    p: float | None  # two-sided, for the better of the two ends of the transition; null: no test
    layer: int | None = None  # the end where the bend is strongest
    bend: float | None = None  # second difference there
    expected: float | None = None  # second difference of the smooth curve there
    statistic: float | None = None  # Student t of the bend beyond the smooth curve, before the caution
    freedom: float | None = None  # its degrees of freedom
    caution: float | None = None  # what the statistic is divided by, for the worst of the null family
    rank: float | None = None  # share of the other layers that bend at least as far from a smooth curve
    kinked: bool | None = None  # whether p is below the level
    laws: dict[str, NoiseLaw] | None = None  # by where noise is taken from: bends, profile


@dataclass(frozen=True)
class BoundaryKinks(Reasoned):
    """The tests at one boundary, by profile; `all` decides."""

    p: float | None = None  # of `all`
    kinked: bool | None = None  # of `all`
    boundary: int | None = None  # its layer: chosen on the other half of the documents, functional, or given
    layer: int | None = None  # always null: the end where the bend is strongest is that of a test
    all: KinkTest | None = None  # of the mean share of the three labels' entropies
    topical: KinkTest | None = None  # of topical information
    syntactic: KinkTest | None = None  # of syntactic information
    lexical: KinkTest | None = None  # of lexical information
    gaussian: KinkTest | None = None  # of Gaussian information, straightened


@dataclass(frozen=True)
class Kink(Estimated):
    """Kinks of information at the boundaries (prediction P1.2)."""

    LI: BoundaryKinks  # at the end of the Local scale
    IG: BoundaryKinks  # at the end of the Intermediate scale
    primary: str = ""  # the profile that decides
    source: str = ""  # of the boundaries
    profiles: dict[str, list[float]] = field(default_factory=dict)  # name → what is tested, over layers 1..L

    def of(self, which: str) -> BoundaryKinks:
        """LI or IG by its name."""
        return self.LI if which == "LI" else self.IG


@dataclass(frozen=True)
class Markov(Estimated, Reasoned):
    """How far a layer knows what the layer between forgot (assumption A2), over layers 1..L−2."""

    caveat: str = ""  # what the ratio cannot say, in words
    ratio: Numbers | None = None  # conditional over total information
    surrogate: Numbers | None = None  # the same of Markov surrogates
    excess: Numbers | None = None  # ratio less surrogate
    se: Numbers | None = None  # of the excess, jackknife over documents
    conditional: Numbers | None = None  # nats
    total: Numbers | None = None  # nats
    p_null: Numbers | None = None  # H0: the conditional information is 0; by permutation
    mean: float | None = None  # of the excess
    ci: Interval | None = None  # 95 %, of the mean
    k: int | None = None  # components
    groups: int | None = None  # of documents
    permutations: int | None = None  # behind each p
    verdict: str = ""  # what it says of A2


@dataclass(frozen=True)
class Curve(Reasoned):
    """A value a layer, with its 95 % interval over documents; null without a second document."""

    value: list[float] | None  # over layers
    ci: Rows | None = None  # 95 % over documents, at every layer
    by_sigma: list[list[float]] | None = None  # of slopes: at every size of noise, before extrapolation


@dataclass(frozen=True)
class Measured(Record):
    """A number with its 95 % interval over documents."""

    value: float  # the number
    ci: Interval | None  # null below six documents


@dataclass(frozen=True)
class FisherArm(Record):
    """Noise in a whole scale: what tr F predicts, and what it does."""

    layers: list[int]  # blocks after which noise was added
    sigma: float  # in units of the activations' SD
    predicted: float  # nats a token
    predicted_ci: Interval | None  # 95 %, over documents
    kl: float  # measured, nats a token
    kl_ci: Interval | None  # 95 %, over documents
    loss: float  # measured rise, nats a token
    loss_ci: Interval | None  # 95 %, over documents


@dataclass(frozen=True)
class ScaleSlopes(Record):
    """Slope over ½ Σ tr F of one scale, as σ → 0: 1 where equation 30 holds."""

    loss: Measured  # slope of the rise of the loss
    kl: Measured  # slope of the KL


@dataclass(frozen=True)
class Equation30(Record):
    """Loss against Fisher information, scale by scale."""

    scales: dict[str, ScaleSlopes]  # by scale
    verdict: str = ""  # on equation 30 as the paper writes it
    verdict_loss: str = ""  # on the slope of the loss
    verdict_kl: str = ""  # on the slope of the KL


@dataclass(frozen=True)
class Fisher(Estimated, Reasoned):
    """Traces of Fisher information, std² tr F, nats a token for noise of one standard deviation."""

    fisher: Curve | None  # std² tr F, of labels drawn from the model
    equation30: Equation30 | None  # null: traces were not measured
    texts: int | None = None  # that were read
    documents: int | None = None  # behind the intervals
    sigmas: list[float] | None = None  # sizes of noise that slopes are extrapolated from
    std: list[float] | None = None  # of activations
    empirical: Curve | None = None  # with the labels of the text
    hessian: Curve | None = None  # of the loss on the text's own labels
    kl_slope: Curve | None = None  # 2 KL / σ² as σ → 0
    loss_slope: Curve | None = None  # 2 Δloss / σ² as σ → 0
    arms: dict[str, FisherArm] = field(default_factory=dict)  # by scale


@dataclass(frozen=True)
class BetaOfScale(Record):
    """β̂ of one scale at every relative noise of `sigmas`."""

    value: list[float]  # at each of `sigmas`
    ci: Rows | None  # 95 % over documents, at each of them
    limit: Measured  # of β̂ / σ² as σ → 0
    finite_noise_bias: list[float] = field(default_factory=list)  # share of the limit, by `fisher.sigmas`


@dataclass(frozen=True)
class PlantedSlope(Reasoned):
    """Slope of log multiplier on log entropy over planted languages."""

    slope: float | None  # null: too few distinct entropies
    ci: Interval | None  # 95 %
    count: int | None = None  # languages
    scales: list[str] = field(default_factory=list)  # whose points it is of


@dataclass(frozen=True)
class PlantedLanguage(Record):
    """Entropy and multiplier of each scale of one planted language."""

    language: str  # its name
    entropy_nats: list[float]  # of G, I, L
    multiplier: list[float]  # −dD/dR of G, I, L


@dataclass(frozen=True)
class Equation23(PlantedSlope):
    """Multipliers −dD/dR of planted sources at one rate."""

    claim: float | None = None  # the paper's slope
    by_scale: dict[str, PlantedSlope] = field(default_factory=dict)  # G, I, L, all
    languages: int = 0  # how many
    points: list[PlantedLanguage] = field(default_factory=list)  # the languages one by one
    common_rate_nats: list[float] = field(default_factory=list)  # of G, I, L: where multipliers are read
    estimator: str = ""  # how they are computed, in words
    verdict: str = ""  # on equation 23


@dataclass(frozen=True)
class BetaAtRate(Record):
    """Between two measured rates, by their logarithm."""

    value: float  # nats of loss for each nat of rate
    ci: Interval | None = None  # 95 %, over documents


@dataclass(frozen=True)
class BetaOfResponse(Reasoned):
    """β̂ of one scale from Experiment 2; lists over neighbouring doses, from the smallest noise on."""

    value: Numbers | None  # nats of loss for each nat of rate
    sigma: list[float] | None = None  # doses, one more than pairs of neighbours
    rate: list[float] | None = None  # of each dose, nats a token
    between: list[float] | None = None  # the rate in the middle of two doses
    ci: Rows | None = None  # 95 % over documents, of each value
    predicted: Numbers | None = None  # what small noise predicts
    at: list[BetaAtRate | None] | None = None  # at each of `rates`; null outside of what was measured


@dataclass(frozen=True)
class BetaResponse(Reasoned):
    """β̂ of the scales over the rate that noise of Experiment 2 lets through."""

    units: str  # of its numbers, in words
    estimator: str  # how they are computed, in words
    rates: list[float]  # at which models are compared, nats a token
    scales: dict[str, BetaOfResponse] | None  # by scale; null: not measured


@dataclass(frozen=True)
class Beta(Estimated, Reasoned):
    """Lagrange multipliers of the scales: nats of loss for each nat of rate."""

    equation23: Equation23  # on planted sources, whatever the model
    activations: dict[str, BetaOfScale] | None = None  # by scale
    response: BetaResponse | None = None  # from noise of Experiment 2; null in runs of old
    sigmas: list[float] = field(default_factory=list)  # relative noise


@dataclass(frozen=True)
class BottleneckPoint(Record):
    """One point of the curve; lists over G, I, L. Nats a token."""

    beta: float  # weight of every rate
    distortion: float  # loss of the next token
    kl: list[float]  # rate of each latent
    information: list[float]  # what of the rate is about the input
    gap: list[float]  # information and gap sum to the KL
    bounded: list[bool]  # information stands at the bound of its estimator


@dataclass(frozen=True)
class Bottleneck(Estimated, Reasoned):
    """The hierarchical variational bottleneck (section 3.4)."""

    curve: list[BottleneckPoint] | None = None  # from the smallest β on; null: not computed
    blind: float | None = None  # loss without any latent
    elbo: float | None = None  # at β = 1
    elbo_ci: Interval | None = None  # 95 %, over documents
    elbo_reason: str = ""  # why there is no interval, or no ELBO
    layers: dict[str, int] | None = None  # the last of each scale
    weights: list[Numbers] | None = None  # β̂ of G, I, L at every point; null for a collapsed scale
    weights_ci: list[tuple[Numbers, Numbers]] | None = None  # lows, highs


@dataclass(frozen=True)
class WidthLaw(Record):
    """Width of the interval of argmax E against how much there is."""

    counts: list[int]  # draws, or documents; one count has several intervals
    widths: Numbers  # of each interval, in layers; null where more than 5 % of the draws have no peak
    slope: float | None  # of log width on log count
    ci: Interval | None  # 95 %, of the slope
    reason: str = ""  # why there is no slope


@dataclass(frozen=True)
class Concentration(Estimated, Reasoned):
    """Equation 34."""

    claim: str = ""  # the paper's slope, in words
    by_draws: WidthLaw | None = None  # in draws of the bootstrap
    by_documents: WidthLaw | None = None  # in documents
    verdict: str = ""  # on equation 34


@dataclass(frozen=True)
class Reach(Estimated, Reasoned):
    """Effective attention length: how many tokens back a layer's words come from."""

    layers: Curve | None  # over layers 1..L, tokens
    mean: Measured | None  # over layers
    window: int | None = None  # tokens read at a time
    windows: int | None = None  # that were read
    documents: int | None = None  # behind the interval


@dataclass(frozen=True)
class ValueSwitch(Record):
    """Where the weights of the scales switch, and how the value jumps there."""

    layer: int  # the first under the new weights
    jump: float  # of V, nats a token
    ci: Interval | None  # 95 %, over documents; null below six that were held out
    bounds: Interval  # between which it lies at perfect optima: less the rates before, and after, times the change


@dataclass(frozen=True)
class ValueByLayer(Estimated, Reasoned):
    """V of equation 26, layer by layer."""

    value: list[float] | None  # V(l) at layers 1..L, nats a token
    source: str = ""  # of the boundaries at which weights switch
    ci: Rows | None = None  # 95 % over documents, at every layer
    kl: list[list[float]] | None = None  # of G, I, L at every layer, nats a token
    weights: list[list[float]] | None = None  # of G, I, L at every layer
    switches: list[ValueSwitch] = field(default_factory=list)  # where the weights change


@dataclass(frozen=True)
class Theory(Record):
    """All of it for one model."""

    information: Information  # by layer
    kink: Kink  # whether it bends at boundaries
    markov: Markov  # assumption A2
    fisher: Fisher  # sensitivity to noise
    beta: Beta  # multipliers of the scales
    hvib: Bottleneck  # the hierarchical bottleneck
    concentration: Concentration  # equation 34
    reach: Reach | None = None  # null: left out
    values: ValueByLayer | None = None  # null: not asked for
