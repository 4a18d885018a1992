"""The single values of a model's theory as small tables to read: a row a scale, its numbers side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from mspgt.report.markup import missing_html, table_html, tag
from mspgt.report.theory_table import LETTERS, PROFILES, interval_at
from mspgt.report.words import BOUNDARIES, MISSING, NO_REASON, interval, number
from mspgt.results.theory import (
    BetaResponse,
    Concentration,
    KinkTest,
    Markov,
    Measured,
    PlantedSlope,
    Reach,
    Theory,
    ValueByLayer,
    WidthLaw,
)


@dataclass(frozen=True)
class Values:
    """One table; without rows, `why` is told."""

    title: str
    about: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    why: str | None = None

    def html(self, model: str) -> Markup:
        if not self.rows:
            return tag("h4", self.title) + missing_html(self.why or NO_REASON)
        table = table_html(self.columns, self.rows, label=f"{self.title}, {model}", kind="numbers", head=True)
        return tag("h4", self.title) + table + tag("p", self.about, class_="caption")


def values_html(theory: Theory, model: str) -> Markup:
    """The verdicts, kinks, noise by scale, β̂ and H-VIB of a model, or why there are none."""
    return Markup("").join(make(theory).html(model) for make in PARTS)


def _kinks(theory: Theory) -> Values:
    both = [theory.kink.of(which) for which in BOUNDARIES]
    rows = []
    for profile in PROFILES:
        found: list[KinkTest | None] = [getattr(one, profile) for one in both]
        if any(one and one.p is not None for one in found):
            rows.append((profile, *map(_p_value, found)))
    about = f"Two-sided p of a kink at either end of the step from a boundary; {theory.kink.estimator}."
    why = "; ".join(dict.fromkeys(one.reason or "" for one in both))
    return Values("Kinks of the information", about, ("profile", *BOUNDARIES.values()), rows, why)


def _p_value(one: KinkTest | None) -> str:
    if one is None or one.p is None:
        return _absent(one)
    return f"p = {number(one.p)} at layer {one.layer}{', kink' if one.kinked else ''}"


def _noise(theory: Theory) -> Values:
    block = theory.fisher
    arms = block.arms if block.fisher is not None else {}
    ratios = block.equation30.scales if block.equation30 else {}
    rows = []
    for scale, arm in arms.items():
        ratio = ratios.get(scale)
        costs = ((arm.predicted, arm.predicted_ci), (arm.kl, arm.kl_ci), (arm.loss, arm.loss_ci))
        slopes = (_measured(ratio.kl), _measured(ratio.loss)) if ratio else (MISSING, MISSING)
        rows.append((scale, *(_spread(*cost) for cost in costs), *slopes))
    sigma = number(next(iter(arms.values())).sigma) if arms else MISSING
    columns = (
        "scale",
        "½ σ² tr F",
        "KL",
        "rise of the loss",
        "slope of KL over ½ tr F",
        "slope of the loss over ½ tr F",
    )
    about = (
        f"In nats a token, noise of σ = {sigma} in every layer of the scale; slopes as σ → 0 (equation 30)."
    )
    return Values("Noise in each scale", about, columns, rows, block.reason)


def _weights(theory: Theory) -> Values:
    block = theory.beta
    rows = []
    for scale, one in (block.activations or {}).items():
        told = (_spread(value, interval_at(one.ci, at)) for at, value in enumerate(one.value))
        rows.append((scale, *told, _measured(one.limit)))
    columns = ("scale", *(f"σ = {sigma:g}" for sigma in block.sigmas), "β̂/σ² as σ → 0")
    about = f"In {block.units}; {block.estimator}."
    return Values("Compression weights β̂ of the activations", about, columns, rows, block.reason)


UNKNOWN = BetaResponse("", "", [], None, "written by a version that did not measure it")


def _response(theory: Theory) -> Values:
    title = "Weights of the scales from noise in them, by rate"
    block = theory.beta.response or UNKNOWN
    rows = []
    for scale, one in (block.scales or {}).items():
        if one.value is None:
            continue
        sizes = pairwise(one.sigma or ())
        points = zip(one.value, sizes, one.between or (), one.predicted or (), strict=True)
        for at, (value, (small, large), rate, predicted) in enumerate(points):
            told = _spread(value, interval_at(one.ci, at))
            rows.append((scale, f"{number(small)} to {number(large)}", number(rate), told, number(predicted)))
    about = f"In {block.units}; {block.estimator}."
    return Values(title, about, ("scale", "σ", "rate", "β̂", "small-noise prediction"), rows, block.reason)


def _bottleneck(theory: Theory) -> Values:
    block = theory.hvib
    curve, rows = block.curve or [], []
    for point, weights, (lows, highs) in zip(curve, block.weights or (), block.weights_ci or (), strict=True):
        for at, scale in enumerate(LETTERS.values()):
            terms = (number(term[at]) for term in (point.kl, point.information, point.gap))
            rows.append((f"{scale}, β = {point.beta:g}", *terms, _spread(weights[at], (lows[at], highs[at]))))
    columns = ("scale", "KL", "information", "gap", "β̂")
    losses = ", ".join(f"{number(p.distortion)} at β = {p.beta:g}" for p in curve)
    about = f"In {block.units}. Distortion: {losses}; blind: {number(block.blind)}. {block.estimator}."
    return Values("Hierarchical bottleneck", about, columns, rows, block.reason)


LEFT_OUT = "left out"


def _by_layer(theory: Theory) -> Values:
    """How far attention reaches, and the switches of the value of layers; runs of old have neither."""
    reach = theory.reach or Reach(None, None, reason=LEFT_OUT)
    values = theory.values or ValueByLayer(None, reason=LEFT_OUT)
    rows = []
    if reach.mean:
        rows.append(("effective attention length, tokens", _measured(reach.mean), MISSING))
    for one in values.switches:
        what = f"V(l) jumps at layer {one.layer}, nats a token"
        rows.append((what, _spread(one.jump, one.ci), interval(one.bounds).strip()))
    about = ". ".join(part.estimator or part.reason or "" for part in (reach, values))
    columns = ("by layer", "value", "bounds at the optimum")
    return Values("Attention length, and the value of layers", about, columns, rows, about)


def _verdicts(theory: Theory) -> Values:
    markov, beta, law = theory.markov, theory.beta.equation23, theory.concentration
    mean = _absent(markov) if markov.mean is None else _spread(markov.mean, markov.ci)
    largest = max((value for value in markov.excess or () if value is not None), default=None)
    planted = "equation 23: log–log slope over planted sources (not of this model)"
    rows = [
        ("A2: near-Markov ratio beyond surrogates, mean over layers", mean, MISSING),
        ("A2: near-Markov ratio beyond surrogates, largest over layers", number(largest), markov.verdict),
        (planted, _slope(beta), beta.verdict),
    ]
    if found := theory.fisher.equation30:
        for key, what, verdict in (("loss", "loss", found.verdict_loss), ("kl", "KL", found.verdict_kl)):
            slopes = sorted(getattr(scale, key).value for scale in found.scales.values())
            value = f"{number(slopes[0])} to {number(slopes[-1])} over scales" if slopes else MISSING
            rows.append((f"equation 30: slope of the {what} over ½ tr F", value, verdict))
    laws = ((law.by_draws, "draws", law.verdict), (law.by_documents, "documents", MISSING))
    for curve, what, verdict in laws:
        rows.append((f"equation 34: log–log slope in {what}", _slope(curve or law), verdict))
    return Values("Verdicts on this model", "95\u202f% intervals.", ("claim", "value", "verdict"), rows)


def _slope(one: PlantedSlope | WidthLaw | Concentration) -> str:
    """A slope with its interval; where there is none, why."""
    if isinstance(one, Concentration) or one.slope is None:
        return _absent(one)
    return _spread(one.slope, one.ci)


def _absent(one: KinkTest | Markov | PlantedSlope | WidthLaw | Concentration | None) -> str:
    return f"{MISSING} {(one and one.reason) or ''}".strip()


def _measured(one: Measured | None) -> str:
    return _spread(one.value, one.ci) if one else MISSING


def _spread(value: float | None, ends: Sequence[float | None] | None) -> str:
    return number(value) + interval(ends)


PARTS: tuple[Callable[[Theory], Values], ...] = (
    _verdicts,
    _kinks,
    _noise,
    _weights,
    _response,
    _bottleneck,
    _by_layer,
)
