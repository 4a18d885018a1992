"""The single values of a model's theory as small tables to read: a row a scale, its numbers side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeVar

from markupsafe import Markup

from mspgt.report.markup import missing_html, table_html, tag
from mspgt.report.tables import Cell, Columns, Table
from mspgt.report.theory_table import LETTERS, PROFILES, Ends, interval_at
from mspgt.report.words import BOUNDARIES, MISSING, NO_REASON, interval, number
from mspgt.results.theory import (
    BetaOfScale,
    BetaResponse,
    BottleneckPoint,
    BoundaryKinks,
    Concentration,
    FisherArm,
    KinkTest,
    Markov,
    Measured,
    PlantedSlope,
    Reach,
    Theory,
    ValueByLayer,
    WidthLaw,
)

Scale = TypeVar("Scale")
Named = tuple[str, Scale]  # a scale, with what was measured of it


@dataclass(frozen=True)
class Values:
    """One table; without rows, `why` is told."""

    table: Table
    about: str
    why: str | None = None

    def html(self, model: str) -> Markup:
        title = self.table.title
        if not self.table.rows:
            return tag("h4", title) + missing_html(self.why or NO_REASON)
        shown = table_html(self.table, label=f"{title}, {model}", kind="numbers", head=True)
        return tag("h4", title) + shown + tag("p", self.about, class_="caption")


def values_html(theory: Theory, model: str) -> Markup:
    """The verdicts, kinks, noise by scale, β̂ and H-VIB of a model, or why there are none."""
    return Markup("").join(make(theory).html(model) for make in PARTS)


def _kinks(theory: Theory) -> Values:
    both = {label: theory.kink.of(which) for which, label in BOUNDARIES.items()}
    columns: dict[str, Callable[[str], Cell]] = {"profile": str}
    for label, kinks in both.items():
        columns[label] = partial(_p_value, kinks)
    tests = {profile: [getattr(kinks, profile) for kinks in both.values()] for profile in PROFILES}
    tested = [profile for profile, own in tests.items() if any(one and one.p is not None for one in own)]
    about = f"Two-sided p of a kink at either end of the step from a boundary; {theory.kink.estimator}."
    why = "; ".join(dict.fromkeys(kinks.reason or "" for kinks in both.values()))
    return Values(Table.told("Kinks of the information", columns, tested), about, why)


def _p_value(kinks: BoundaryKinks, profile: str) -> str:
    one: KinkTest | None = getattr(kinks, profile)
    if one is None or one.p is None:
        return _absent(one)
    return f"p = {number(one.p)} at layer {one.layer}{', kink' if one.kinked else ''}"


def _noise(theory: Theory) -> Values:
    block = theory.fisher
    arms = block.arms if block.fisher is not None else {}
    ratios = block.equation30.scales if block.equation30 else {}
    columns: Columns[Named[FisherArm]] = {
        "scale": lambda one: one[0],
        "½ σ² tr F": lambda one: _spread(one[1].predicted, one[1].predicted_ci),
        "KL": lambda one: _spread(one[1].kl, one[1].kl_ci),
        "rise of the loss": lambda one: _spread(one[1].loss, one[1].loss_ci),
        "slope of KL over ½ tr F": lambda one: _measured(found.kl if (found := ratios.get(one[0])) else None),
        "slope of the loss over ½ tr F": lambda one: _measured(
            found.loss if (found := ratios.get(one[0])) else None
        ),
    }
    sigma = number(next(iter(arms.values())).sigma) if arms else MISSING
    about = (
        f"In nats a token, noise of σ = {sigma} in every layer of the scale; slopes as σ → 0 (equation 30)."
    )
    return Values(Table.told("Noise in each scale", columns, arms.items()), about, block.reason)


def _weights(theory: Theory) -> Values:
    block = theory.beta
    columns: dict[str, Callable[[Named[BetaOfScale]], Cell]] = {"scale": lambda one: one[0]}
    for at, sigma in enumerate(block.sigmas):
        columns[f"σ = {sigma:g}"] = partial(_weight, at)
    columns["β̂/σ² as σ → 0"] = lambda one: _measured(one[1].limit)
    title = "Compression weights β̂ of the activations"
    table = Table.told(title, columns, (block.activations or {}).items())
    return Values(table, f"In {block.units}; {block.estimator}.", block.reason)


def _weight(at: int, one: Named[BetaOfScale]) -> str:
    return _spread(one[1].value[at], interval_at(one[1].ci, at))


class Between(NamedTuple):
    """The weight of a scale between two doses."""

    scale: str
    sigmas: tuple[float, float]
    rate: float | None
    value: float | None
    ends: Ends
    predicted: float | None


RESPONSE: Columns[Between] = {
    "scale": lambda one: one.scale,
    "σ": lambda one: f"{number(one.sigmas[0])} to {number(one.sigmas[1])}",
    "rate": lambda one: number(one.rate),
    "β̂": lambda one: _spread(one.value, one.ends),
    "small-noise prediction": lambda one: number(one.predicted),
}
UNKNOWN = BetaResponse("", "", [], None, "written by a version that did not measure it")


def _response(theory: Theory) -> Values:
    block = theory.beta.response or UNKNOWN
    table = Table.told("Weights of the scales from noise in them, by rate", RESPONSE, _between(block))
    return Values(table, f"In {block.units}; {block.estimator}.", block.reason)


def _between(block: BetaResponse) -> Iterator[Between]:
    for scale, one in (block.scales or {}).items():
        if one.value is None:
            continue
        sizes, rates, predicted = pairwise(one.sigma or ()), one.between or (), one.predicted or ()
        for at, (pair, rate, value, small) in enumerate(zip(sizes, rates, one.value, predicted, strict=True)):
            yield Between(scale, pair, rate, value, interval_at(one.ci, at), small)


class Latent(NamedTuple):
    """One scale of the bottleneck at one β."""

    at: int
    scale: str
    point: BottleneckPoint
    weight: float | None
    ends: Ends


BOTTLENECK: Columns[Latent] = {
    "scale": lambda one: f"{one.scale}, β = {one.point.beta:g}",
    "KL": lambda one: number(one.point.kl[one.at]),
    "information": lambda one: number(one.point.information[one.at]),
    "gap": lambda one: number(one.point.gap[one.at]),
    "β̂": lambda one: _spread(one.weight, one.ends),
}


def _bottleneck(theory: Theory) -> Values:
    block = theory.hvib
    curve = block.curve or []
    rows = (
        Latent(at, scale, point, weights[at], (lows[at], highs[at]))
        for point, weights, (lows, highs) in zip(
            curve, block.weights or (), block.weights_ci or (), strict=True
        )
        for at, scale in enumerate(LETTERS.values())
    )
    losses = ", ".join(f"{number(p.distortion)} at β = {p.beta:g}" for p in curve)
    about = f"In {block.units}. Distortion: {losses}; blind: {number(block.blind)}. {block.estimator}."
    return Values(Table.told("Hierarchical bottleneck", BOTTLENECK, rows), about, block.reason)


LEFT_OUT = "left out"


class Line(NamedTuple):
    """One value under its name, and what is said of it."""

    name: str
    value: str
    said: str = MISSING


BY_LAYER: Columns[Line] = {
    "by layer": lambda one: one.name,
    "value": lambda one: one.value,
    "bounds at the optimum": lambda one: one.said,
}
VERDICTS: Columns[Line] = {
    "claim": lambda one: one.name,
    "value": lambda one: one.value,
    "verdict": lambda one: one.said,
}


def _by_layer(theory: Theory) -> Values:
    """How far attention reaches, and the switches of the value of layers; runs of old have neither."""
    reach = theory.reach or Reach(None, None, reason=LEFT_OUT)
    values = theory.values or ValueByLayer(None, reason=LEFT_OUT)
    lines = [Line("effective attention length, tokens", _measured(reach.mean))] if reach.mean else []
    for one in values.switches:
        what = f"V(l) jumps at layer {one.layer}, nats a token"
        lines.append(Line(what, _spread(one.jump, one.ci), interval(one.bounds).strip()))
    about = ". ".join(part.estimator or part.reason or "" for part in (reach, values))
    return Values(Table.told("Attention length, and the value of layers", BY_LAYER, lines), about, about)


def _verdicts(theory: Theory) -> Values:
    markov, beta, law = theory.markov, theory.beta.equation23, theory.concentration
    mean = _absent(markov) if markov.mean is None else _spread(markov.mean, markov.ci)
    largest = max((value for value in markov.excess or () if value is not None), default=None)
    planted = "equation 23: log–log slope over planted sources (not of this model)"
    lines = [
        Line("A2: near-Markov ratio beyond surrogates, mean over layers", mean),
        Line("A2: near-Markov ratio beyond surrogates, largest over layers", number(largest), markov.verdict),
        Line(planted, _slope(beta), beta.verdict),
    ]
    if found := theory.fisher.equation30:
        for key, what, verdict in (("loss", "loss", found.verdict_loss), ("kl", "KL", found.verdict_kl)):
            slopes = sorted(getattr(scale, key).value for scale in found.scales.values())
            value = f"{number(slopes[0])} to {number(slopes[-1])} over scales" if slopes else MISSING
            lines.append(Line(f"equation 30: slope of the {what} over ½ tr F", value, verdict))
    laws = ((law.by_draws, "draws", law.verdict), (law.by_documents, "documents", MISSING))
    for curve, what, verdict in laws:
        lines.append(Line(f"equation 34: log–log slope in {what}", _slope(curve or law), verdict))
    return Values(Table.told("Verdicts on this model", VERDICTS, lines), "95\u202f% intervals.")


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
