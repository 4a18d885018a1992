"""β_G against effective attention length: models whose attention reaches farther compress Global less."""

from __future__ import annotations

from mspgt.predictions.association import Pair, by_architecture, rank_unit, told_power
from mspgt.predictions.design import Design
from mspgt.predictions.readings import FOUND, Reading, not_calibrated
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import blocks
from mspgt.predictions.verdict import Claim, Finding, Json, PaperSays, Prediction, Unit


def judge(results: Json, rules: Rules, reading: Reading) -> Finding:
    """One unit: the rank correlation of β_G, at one rate for all, with how far attention reaches back."""
    missing: list[str] = []
    reach = dict(blocks(results, "reach", missing))
    curves: dict[str, tuple[list[float], list[float | None]]] = {}
    for name, beta in blocks(results, "beta", missing):
        response = beta.get("response") or {}
        curve = ((response.get("scales") or {}).get("global") or {}).get("at")
        about = results["models"][name].get("interventions_about") or {}
        source = (about.get("scales") or {}).get("source")
        if not curve:
            why = response.get("reason") or "no curve over rates"
            missing.append(f"models.{name}.theory.beta.response.scales.global: {why}")
        elif reading.scales != "any" and source not in FOUND:
            missing.append(not_calibrated(name, source))
        else:
            curves[name] = response["rates"], [None if one is None else one["value"] for one in curve]
    lengths = {name: _length(block, missing, name) for name, block in reach.items()}
    rate, weights = _at_one_rate(curves)
    # Windows of other sizes reach farther by themselves.
    windows = {block.get("window") for block in reach.values()}
    if len(windows) > 1:
        missing.append(
            f"lengths in windows of one size; found {', '.join(map(str, sorted(windows, key=str)))}"
        )
        return Finding((), tuple(missing))
    pairs = {
        name: Pair(length, weights[name])
        for name, length in lengths.items()
        if length is not None and name in weights
    }
    evidence = "models.*.theory.reach.mean, models.*.theory.beta.response"
    found = rank_unit(f"β_G at {rate:g} nats", by_architecture(results, pairs), -1.0, evidence, rules)
    if isinstance(found, Unit):
        return Finding((found,), tuple(missing))
    return Finding((), (*missing, found))


def _length(block: Json, missing: list[str], name: str) -> float | None:
    mean = block.get("mean")
    if not mean:
        missing.append(f"models.{name}.theory.reach: {block.get('reason') or 'not measured'}")
        return None
    return float(mean["value"])


def _at_one_rate(curves: dict[str, tuple[list[float], list[float | None]]]) -> tuple[float, dict[str, float]]:
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


def paper(results: Json, rules: Rules, reading: Reading) -> PaperSays:
    """The paper measures neither."""
    return PaperSays(None, None, "said, not tested")


def power(design: Design, rules: Rules) -> str:
    """How many architectures there are, and what they would show."""
    if not design.theory or design.samples is None:
        return "needs the theory part (attention length) and Experiment 2 with noise–response curves"
    return told_power(list(design.architectures()), rules)


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
    paper=paper,
    power=power,
    excluded=lambda rules: (
        f"a rank correlation of {rules.association:g} or more between reach and −β_G over architectures like these"
    ),
    readings=(Reading(), Reading(scales="any")),
)
