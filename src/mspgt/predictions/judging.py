"""The verdict engine: from results and rules to a verdict on every prediction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import cache
from importlib.resources import files
from math import inf
from typing import Any

from mspgt.predictions.design import design_of
from mspgt.predictions.readings import Measurements, Reading, primary
from mspgt.predictions.registry import predictions
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import (
    SUPPORTED,
    Finding,
    PaperSays,
    Prediction,
    combined,
    decided_by,
    outcome,
    shown_unit,
)
from mspgt.results import PredictionResult, from_json
from mspgt.results.predictions import (
    NullRate,
    Outcome,
    PaperRule,
    Specification,
    SpecifiedReading,
    UnitResult,
)
from mspgt.stats.multiplicity import benjamini_hochberg, holm

# The paper's own protocol: its boundaries, its doses, its arithmetic.
AS_PUBLISHED = Reading(mode="paper", arithmetic="paper", dose="plain", per_layer=False, scales="any")
NOT_ASKED = Specification(readings=[], counts={}, agree=None, supported=None)
PValues = tuple[float | None, float | None]


def verdicts(
    results: Measurements, rules: Rules, *, specification: bool = True
) -> dict[str, PredictionResult]:
    """A verdict on every prediction.

    Error over the five headline predictions (P1.1 to P3.2) is controlled together by Holm's method, once for
    "supported" and once for "refuted", whichever of them a study could test; the theory checks stand at the
    level each.

    Args:
        specification: also judge under every other reading of the methods.
    """
    known = predictions()
    reading, note = primary(results, rules)
    findings = {name: one.judge(results, rules, reading) for name, one in known.items()}
    if note:
        findings = {
            name: replace(one, notes=(*one.notes, note)) if known[name].by_position else one
            for name, one in findings.items()
        }
    raw = {name: _p_values(known[name], finding) for name, finding in findings.items()}
    headline = [name for name, one in known.items() if one.headline]
    adjusted = dict(zip(headline, _holm([raw[name] for name in headline]), strict=True))
    return {
        name: _verdict(one, findings[name], raw[name], adjusted.get(name), results, rules, specification)
        for name, one in known.items()
    }


def verdict_alone(results: Measurements, rules: Rules, name: str, reading: Reading) -> Outcome:
    """What the rule of one prediction says of these results by itself, without Holm: for parts that quote it."""
    prediction = predictions()[name]
    finding = prediction.judge(results, rules, reading)
    return outcome(finding, *_p_values(prediction, finding), rules.level)


def _p_values(prediction: Prediction, finding: Finding) -> PValues:
    return combined(finding.units, prediction.quantifier) if finding.units else (None, None)


def _holm(raw: list[PValues]) -> list[PValues]:
    """Over all of them: one that a study could not test counts as one that nothing speaks for (p = 1)."""
    sides = [holm([1.0 if p is None else p for p in side]).tolist() for side in zip(*raw, strict=True)]
    return [(None, None) if one == (None, None) else (s, r) for one, s, r in zip(raw, *sides, strict=True)]


def _verdict(
    prediction: Prediction,
    finding: Finding,
    raw: PValues,
    adjusted: PValues | None,
    results: Measurements,
    rules: Rules,
    specification: bool,
) -> PredictionResult:
    used = adjusted if adjusted is not None else raw
    decided = outcome(finding, *used, rules.level)
    shown = shown_unit(finding.units, prediction.shown) if finding.units else None
    why = list(finding.notes)
    alone = outcome(finding, *raw, rules.level)
    if alone != decided:
        why.append(f"{alone} on its own, but not among the five headline predictions (Holm)")
    shipped = null_rates().get("rates", {}).get(prediction.id, {})
    rates = {world: from_json(NullRate, rate) for world, rate in shipped.items()}
    published = prediction.paper(results, rules, AS_PUBLISHED)
    return PredictionResult(
        verdict=decided,
        statistic=shown.statistic if shown else None,
        threshold=prediction.threshold(rules),
        ci=shown.ci if shown else None,
        rule=prediction.rule,
        paper_claim=prediction.claim,
        null_rate=_worst(rate.ours for rate in rates.values()),
        evidence=list(dict.fromkeys(unit.evidence for unit in finding.units)),
        missing=list(finding.missing),
        power=prediction.power(design_of(results), rules),
        id=prediction.id,
        title=prediction.title,
        tier=prediction.tier,
        headline=prediction.headline,
        statistic_name=prediction.statistic,
        p_support=raw[0],
        p_refute=raw[1],
        p_support_holm=adjusted[0] if adjusted else None,
        p_refute_holm=adjusted[1] if adjusted else None,
        why=why,
        excluded=prediction.excluded(rules),
        units=_units(finding),
        decided_by=decided_by(
            finding.units, prediction.quantifier, prediction.shown, rules.level, _weights(finding, raw, used)
        ),
        paper_rule=PaperRule(
            rule=prediction.paper_rule,
            says=_says(published),
            statistic=published.statistic,
            why=published.why,
            null_rate=_worst(rate.paper for rate in rates.values()),
        ),
        null_rates=rates,
        specification=specification_curve(prediction, results, rules) if specification else NOT_ASKED,
        positions=primary(results, rules)[0].positions,
    )


def _weights(finding: Finding, raw: PValues, used: PValues) -> tuple[float, float]:
    """What Holm's method multiplied the p-values for and against by; without end where nothing can be supported."""
    pairs = zip(raw, used, strict=True)
    support, refute = (after / before if before and after else 1.0 for before, after in pairs)
    return support if finding.whole else inf, refute


def _units(finding: Finding) -> list[UnitResult]:
    """Every unit, its p-values also as adjusted within this family of tests (Benjamini–Hochberg)."""
    support = benjamini_hochberg([unit.p_support for unit in finding.units])
    refute = benjamini_hochberg([unit.p_refute for unit in finding.units])
    return [
        UnitResult(**asdict(unit), p_support_bh=float(s), p_refute_bh=float(r))
        for unit, s, r in zip(finding.units, support, refute, strict=True)
    ]


def _says(published: PaperSays) -> str:
    return {None: "nothing", True: "supported", False: "not supported"}[published.supported]


def specification_curve(prediction: Prediction, results: Measurements, rules: Rules) -> Specification:
    """The verdict, before Holm, under every reading of the methods that these results allow."""
    rows = []
    first_reading, _ = primary(results, rules)
    readings = (first_reading, *(one for one in prediction.readings if one != first_reading))
    for reading in readings:
        if reading.arithmetic == "paper":
            published = prediction.paper(results, rules, reading)
            verdict, statistic = _says(published), published.statistic
            testable = published.supported is not None
        else:
            finding = prediction.judge(results, rules, reading)
            verdict = outcome(finding, *_p_values(prediction, finding), rules.level)
            unit = shown_unit(finding.units, prediction.shown) if finding.units else None
            statistic, testable = (unit.statistic if unit else None), bool(finding.units)
        rows.append(SpecifiedReading(reading.words(first_reading), verdict, statistic, testable))
    # What the primary reading could not test, no other can agree with.
    first, others = rows[0], [row for row in rows[1:] if row.testable]
    return Specification(
        readings=rows,
        counts=dict(Counter(row.verdict for row in rows)),
        agree=sum(row.verdict == first.verdict for row in others) / len(others)
        if others and first.testable
        else None,
        supported=sum(row.verdict == SUPPORTED for row in others) / len(others) if others else None,
    )


def _worst(rates: Iterable[dict[str, float] | None]) -> float | None:
    return max((rate[SUPPORTED] for rate in rates if rate), default=None)


@cache
def null_rates() -> dict[str, Any]:
    """The shipped rates of every verdict in worlds without structure, with the recipe that made them."""
    path = files("mspgt.predictions") / "data" / "null_rates.json"
    rates: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return rates
