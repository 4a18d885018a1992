"""β_G against effective attention length: models whose attention reaches farther compress Global less."""

from __future__ import annotations

from collections.abc import Mapping

from mspgt.predictions.association import Pair, associated, power_with
from mspgt.predictions.effects import perturbed
from mspgt.predictions.readings import Measurements, Reading, finished, named
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import blocks
from mspgt.predictions.verdict import Claim, Finding, Prediction, untested
from mspgt.results.theory import BetaResponse, Reach

Curve = tuple[list[float], list[float | None]]  # rates, and the weight at each


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit: the rank correlation of β_G, at one rate for all, with how far attention reaches back."""
    missing: list[str] = []
    reaches = {name: block for name, block in blocks(results, lambda theory: theory.reach, missing) if block}
    lengths = {name: length for name in reaches if (length := _length(name, reaches[name], missing))}
    # Windows of other sizes reach farther by themselves.
    windows = sorted({str(reaches[name].window) for name in lengths})
    if len(windows) > 1:
        missing.append(f"lengths in windows of one size; found {', '.join(windows)}")
        return Finding((), tuple(missing))
    spoken = {one.name for one in perturbed(named(finished(results)), reading, missing)}
    curves: dict[str, Curve] = {}
    for name, beta in blocks(results, lambda theory: theory.beta, missing):
        curve = _curve(beta.response)
        if isinstance(curve, str):
            missing.append(f"models.{name}.theory.beta.response.scales.global: {curve}")
        elif name in spoken:
            curves[name] = curve
    rate, weights = _at_one_rate(curves)
    pairs = {name: Pair(lengths[name], weights[name]) for name in lengths if name in weights}
    evidence = "models.*.theory.reach.mean, models.*.theory.beta.response"
    return associated(results, {f"β_G at {rate:g} nats": pairs}, -1.0, lambda _: evidence, rules, missing)


def _length(name: str, reach: Reach, missing: list[str]) -> float | None:
    if reach.mean is None:
        missing.append(f"models.{name}.theory.reach: {reach.reason or 'not measured'}")
        return None
    return reach.mean.value


def _curve(response: BetaResponse | None) -> Curve | str:
    if response is None or response.scales is None:
        return (response and response.reason) or "no curve over rates"
    found = response.scales.get("global")
    if found is None or found.at is None:
        return (found and found.reason) or "no curve over rates"
    return response.rates, [None if one is None else one.value for one in found.at]


def _at_one_rate(curves: Mapping[str, Curve]) -> tuple[float, dict[str, float]]:
    """The rate at which most models were measured (the lowest of several), and β_G of each there."""
    best: tuple[float, dict[str, float]] = (0.0, {})
    for rate in sorted({rate for rates, _ in curves.values() for rate in rates}):
        there = {
            name: value
            for name, (rates, values) in curves.items()
            if rate in rates and (value := values[rates.index(rate)]) is not None
        }
        if len(there) > len(best[1]):
            best = rate, there
    return best


PREDICTION = Prediction(
    id="beta-reach",
    title="Models whose attention reaches farther compress the Global scale less",
    tier="theory",
    quantifier="every",
    statistic="rank correlation over architectures of −β_G with effective attention length",
    threshold=lambda rules: rules.association,
    rule=(
        "An observation over architectures, whose training runs are averaged: β_G of Experiment 2's response curves, "
        "at the one rate at which most models were measured, against the mean distance in tokens that attention "
        "reaches back in windows of one size. Supported: β_G falls with it (permutation test of the rank "
        "correlation). Refuted: a rank correlation of the threshold or more is excluded. Too few architectures "
        "test nothing."
    ),
    paper_rule="None: said in words.",
    claim=Claim(
        "“architectures with more efficient long-range mechanisms entail lower β_G”",
        "section 3.2",
        "said",
        "Neither β_G nor the reach of attention is measured in the paper.",
    ),
    judge=judge,
    paper=untested("said, not tested"),
    power=power_with("the theory part (attention length) and Experiment 2 with noise–response curves"),
    excluded=lambda rules: (
        f"a rank correlation of {rules.association:g} or more between reach and −β_G over architectures like these"
    ),
    false_in=("no relation",),
    true_in=("as derived",),
    readings=(Reading(), Reading(scales="any")),
)
