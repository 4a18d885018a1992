"""The single values of a model's theory as small tables to read: a row a scale, its numbers side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from mspgt.report.markup import missing_html, table_html, tag
from mspgt.report.tables import Table
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

Records = Iterable[dict[str, str]]


@dataclass(frozen=True)
class Values:
    """One table; without rows, `why` is told."""

    title: str
    about: str
    records: Records
    why: str | None = None

    def html(self, model: str) -> Markup:
        table = Table.told(f"{self.title}, {model}", self.records)
        if not table.rows:
            return tag("h4", self.title) + missing_html(self.why or NO_REASON)
        shown = table_html(table, kind="numbers", head=True)
        return tag("h4", self.title) + shown + tag("p", self.about, class_="caption")


def values_html(theory: Theory, model: str) -> Markup:
    """The verdicts, kinks, noise by scale, β̂ and H-VIB of a model, or why there are none."""
    return Markup("").join(make(theory).html(model) for make in PARTS)


def _kinks(theory: Theory) -> Values:
    both = {label: theory.kink.of(which) for which, label in BOUNDARIES.items()}
    tests = {profile: {label: getattr(one, profile) for label, one in both.items()} for profile in PROFILES}
    records = (
        {"profile": profile} | {label: _p_value(one) for label, one in own.items()}
        for profile, own in tests.items()
        if any(one and one.p is not None for one in own.values())
    )
    about = f"Two-sided p of a kink at either end of the step from a boundary; {theory.kink.estimator}."
    why = "; ".join(dict.fromkeys(one.reason or "" for one in both.values()))
    return Values("Kinks of the information", about, records, why)


def _p_value(one: KinkTest | None) -> str:
    if one is None or one.p is None:
        return _absent(one)
    return f"p = {number(one.p)} at layer {one.layer}{', kink' if one.kinked else ''}"


def _noise(theory: Theory) -> Values:
    block = theory.fisher
    arms = block.arms if block.fisher is not None else {}
    ratios = block.equation30.scales if block.equation30 else {}
    records = (
        {
            "scale": scale,
            "½ σ² tr F": _spread(arm.predicted, arm.predicted_ci),
            "KL": _spread(arm.kl, arm.kl_ci),
            "rise of the loss": _spread(arm.loss, arm.loss_ci),
            "slope of KL over ½ tr F": _measured(ratio.kl if (ratio := ratios.get(scale)) else None),
            "slope of the loss over ½ tr F": _measured(ratio.loss if ratio else None),
        }
        for scale, arm in arms.items()
    )
    sigma = number(next(iter(arms.values())).sigma) if arms else MISSING
    about = (
        f"In nats a token, noise of σ = {sigma} in every layer of the scale; slopes as σ → 0 (equation 30)."
    )
    return Values("Noise in each scale", about, records, block.reason)


def _weights(theory: Theory) -> Values:
    block = theory.beta
    records = (
        {"scale": scale}
        | {
            f"σ = {sigma:g}": _spread(one.value[at], interval_at(one.ci, at))
            for at, sigma in enumerate(block.sigmas)
        }
        | {"β̂/σ² as σ → 0": _measured(one.limit)}
        for scale, one in (block.activations or {}).items()
    )
    about = f"In {block.units}; {block.estimator}."
    return Values("Compression weights β̂ of the activations", about, records, block.reason)


UNKNOWN = BetaResponse("", "", [], None, reason="written by a version that did not measure it")


def _response(theory: Theory) -> Values:
    block = theory.beta.response or UNKNOWN
    about = f"In {block.units}; {block.estimator}."
    return Values("Weights of the scales from noise in them, by rate", about, _between(block), block.reason)


def _between(block: BetaResponse) -> Records:
    """A row a scale and two doses."""
    for scale, one in (block.scales or {}).items():
        if one.value is None:
            continue
        sizes, between = pairwise(one.sigma or ()), one.between or ()
        points = zip(one.value, sizes, between, one.predicted or (), strict=True)
        for at, (value, (small, large), rate, predicted) in enumerate(points):
            yield {
                "scale": scale,
                "σ": f"{number(small)} to {number(large)}",
                "rate": number(rate),
                "β̂": _spread(value, interval_at(one.ci, at)),
                "small-noise prediction": number(predicted),
            }


def _bottleneck(theory: Theory) -> Values:
    block = theory.hvib
    curve = block.curve or []
    points = zip(curve, block.weights or (), block.weights_ci or (), strict=True)
    records = (
        {"scale": f"{scale}, β = {point.beta:g}", "KL": number(point.kl[at])}
        | {"information": number(point.information[at]), "gap": number(point.gap[at])}
        | {"β̂": _spread(weights[at], (lows[at], highs[at]))}
        for point, weights, (lows, highs) in points
        for at, scale in enumerate(LETTERS.values())
    )
    losses = ", ".join(f"{number(p.distortion)} at β = {p.beta:g}" for p in curve)
    about = f"In {block.units}. Distortion: {losses}; blind: {number(block.blind)}. {block.estimator}."
    return Values("Hierarchical bottleneck", about, records, block.reason)


LEFT_OUT = "left out"


def _by_layer(theory: Theory) -> Values:
    """How far attention reaches, and the switches of the value of layers; runs of old have neither."""
    reach = theory.reach or Reach(None, None, reason=LEFT_OUT)
    values = theory.values or ValueByLayer(None, reason=LEFT_OUT)

    def row(what: str, value: str, bounds: str) -> dict[str, str]:
        return {"by layer": what, "value": value, "bounds at the optimum": bounds}

    records = [
        row(
            f"V(l) jumps at layer {one.layer}, nats a token",
            _spread(one.jump, one.ci),
            interval(one.bounds).strip(),
        )
        for one in values.switches
    ]
    if reach.mean:
        records.insert(0, row("effective attention length, tokens", _measured(reach.mean), MISSING))
    about = ". ".join(part.estimator or part.reason or "" for part in (reach, values))
    return Values("Attention length, and the value of layers", about, records, about)


def _verdicts(theory: Theory) -> Values:
    records = ({"claim": claim, "value": value, "verdict": told} for claim, value, told in _claims(theory))
    return Values("Verdicts on this model", "95\u202f% intervals.", records)


def _claims(theory: Theory) -> Iterator[tuple[str, str, str]]:
    markov, beta, law = theory.markov, theory.beta.equation23, theory.concentration
    mean = _absent(markov) if markov.mean is None else _spread(markov.mean, markov.ci)
    largest = max((value for value in markov.excess or () if value is not None), default=None)
    yield "A2: near-Markov ratio beyond surrogates, mean over layers", mean, MISSING
    yield "A2: near-Markov ratio beyond surrogates, largest over layers", number(largest), markov.verdict
    planted = "equation 23: log–log slope over planted sources (not of this model)"
    yield planted, _slope(beta), beta.verdict
    if found := theory.fisher.equation30:
        for key, what, verdict in (("loss", "loss", found.verdict_loss), ("kl", "KL", found.verdict_kl)):
            slopes = sorted(getattr(scale, key).value for scale in found.scales.values())
            value = f"{number(slopes[0])} to {number(slopes[-1])} over scales" if slopes else MISSING
            yield f"equation 30: slope of the {what} over ½ tr F", value, verdict
    for curve, what, verdict in (
        (law.by_draws, "draws", law.verdict),
        (law.by_documents, "documents", MISSING),
    ):
        yield f"equation 34: log–log slope in {what}", _slope(curve or law), verdict


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
