"""The theory of all models as one table in long form: every number that its charts and figures show."""

from __future__ import annotations

from collections.abc import Iterator

from mspgt.report.tables import Cell, Table, columns_of
from mspgt.report.theory import KINDS, margin, usable
from mspgt.report.words import BOUNDARIES
from mspgt.results.record import Rows
from mspgt.results.theory import (
    Beta,
    BetaResponse,
    Bottleneck,
    Equation30,
    Fisher,
    Information,
    Markov,
    Theory,
)

Row = tuple[Cell, ...]
Ends = tuple[float | None, float | None] | None
PROFILES = ("all", *KINDS, "gaussian")

LETTERS = {"G": "Global", "I": "Intermediate", "L": "Local"}


def theory_table(name: str, theory: Theory) -> Table:
    """Every value of the theory of a model in long form: one row a block, quantity and place."""
    columns = columns_of(
        "model:string block:string quantity:string place:string value:double low:double",
        "high:double verdict:string",
    )
    return Table("theory", "The theory, computed", columns, [(name, *row) for row in _rows(theory)])


def _rows(theory: Theory) -> Iterator[Row]:
    yield from _information_rows(theory.information)
    for which, label in BOUNDARIES.items():
        kinks = theory.kink.of(which)
        for profile in PROFILES:
            if (found := getattr(kinks, profile)) and found.p is not None:
                verdict = "kink" if found.kinked else "no kink"
                yield _row("kink", f"p, {profile}", f"{label} {found.layer}", found.p, told=verdict)
    yield from _markov_rows(theory.markov)
    yield from _fisher_rows(theory.fisher)
    yield from _beta_rows(theory.beta)
    yield from _bottleneck_rows(theory.hvib)
    law = theory.concentration
    for curve, label, told in (
        (law.by_draws, "slope in draws B", law.verdict),
        (law.by_documents, "slope in documents N", None),
    ):
        if curve:
            yield _row("concentration", label, "log–log", curve.slope, curve.ci, told)


def _row(
    block: str, quantity: str, place: str, value: float | None, ends: Ends = None, told: str | None = None
) -> Row:
    return block, quantity, place, value, *(ends or (None, None)), told


def _information_rows(information: Information) -> Iterator[Row]:
    for kind, block in usable(information).items():
        for layer, value in enumerate(block.bits or ()):
            yield _row("information", f"{kind} bits", f"layer {layer}", value, interval_at(block.ci, layer))
    for layer, value in enumerate(information.gaussian.nats or (), start=1):
        yield _row("information", "gaussian nats", f"layer {layer}", value)


def _markov_rows(markov: Markov) -> Iterator[Row]:
    for layer, value in enumerate(markov.ratio or (), start=1):
        yield _row("markov", "ratio", f"layer {layer}", value)
    for layer, (value, se) in enumerate(zip(markov.excess or (), markov.se or (), strict=True), start=1):
        yield _row("markov", "excess over surrogates", f"layer {layer}", value, margin(value, se))
    yield _row("markov", "A2", "all layers", markov.mean, markov.ci, markov.verdict)


def _beta_rows(beta: Beta) -> Iterator[Row]:
    for scale, one in (beta.activations or {}).items():
        for at, sigma in enumerate(beta.sigmas):
            yield _row("beta", f"β̂ at σ = {sigma:g}", scale, one.value[at], interval_at(one.ci, at))
        yield _row("beta", "β̂/σ² as σ → 0", scale, one.limit.value, one.limit.ci)
    if beta.response:
        yield from _response_rows(beta.response)
    eq23 = beta.equation23
    yield _row("beta", "equation 23: log–log slope", "planted languages", eq23.slope, eq23.ci, eq23.verdict)


def _bottleneck_rows(block: Bottleneck) -> Iterator[Row]:
    curve, weights, ends = block.curve or (), block.weights or (), block.weights_ci or ()
    for point in curve:
        for at, letter in enumerate(LETTERS):
            terms = (("kl", point.kl), ("information", point.information), ("gap", point.gap))
            for key, values in terms:
                yield _row("hvib", f"{key} at β = {point.beta:g}", LETTERS[letter], values[at])
        yield _row("hvib", f"distortion at β = {point.beta:g}", "next token", point.distortion)
    for point, weight, (lows, highs) in zip(curve, weights, ends, strict=True):
        for at, letter in enumerate(LETTERS):
            told = f"β̂ at β = {point.beta:g}"
            yield _row("hvib", told, LETTERS[letter], weight[at], (lows[at], highs[at]))


def _response_rows(block: BetaResponse) -> Iterator[Row]:
    """Weights from Experiment 2, at declared rates, where models compare (equation 22), and between doses."""
    for scale, one in (block.scales or {}).items():
        for rate, at in zip(block.rates, one.at or (), strict=False):
            if at is not None:
                yield _row("beta", f"β̂ at {rate:g} nats a token", scale, at.value, at.ci)
        points = zip(one.value or (), one.between or (), one.predicted or (), strict=True)
        for at_, (value, rate, predicted) in enumerate(points):
            place = f"{scale}, {rate:.4g} nats a token"
            yield _row("beta", "β̂ between doses", place, value, interval_at(one.ci, at_))
            yield _row("beta", "β̂ between doses, predicted", place, predicted)


def _fisher_rows(block: Fisher) -> Iterator[Row]:
    if block.fisher is None:
        return
    for key in ("fisher", "empirical", "hessian", "kl_slope", "loss_slope"):
        curve = getattr(block, key)
        for layer, value in enumerate(curve.value or (), start=1):
            yield _row("fisher", key, f"layer {layer}", value, interval_at(curve.ci, layer - 1))
    for scale, arm in block.arms.items():
        for key in ("predicted", "kl", "loss"):
            told = f"{key} at σ = {arm.sigma:g}"
            yield _row("fisher", told, scale, getattr(arm, key), getattr(arm, f"{key}_ci"))
    equation = block.equation30 or Equation30({})
    for scale, one in equation.scales.items():
        for key, found in (("loss", one.loss), ("kl", one.kl)):
            yield _row("fisher", f"{key} slope over ½ tr F", scale, found.value, found.ci)
    for key, verdict in (("loss", equation.verdict_loss), ("kl", equation.verdict_kl)):
        yield _row("fisher", f"equation 30, {key}", "all scales", None, told=verdict)


def interval_at(intervals: Rows | None, at: int) -> Ends:
    """The interval of one place; None where there are none."""
    return intervals[at] if intervals else None
