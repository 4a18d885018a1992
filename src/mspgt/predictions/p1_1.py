"""P1.1: the Local–Intermediate boundary lies at one relative depth within a family."""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy import stats

from mspgt.families import compare_families, cv_interval, cv_p_values
from mspgt.predictions.design import Design
from mspgt.predictions.places import Place, match
from mspgt.predictions.readings import (
    Measurements,
    Reading,
    boundaries_of,
    boundary_readings,
    by_family,
    named,
    position,
    with_runs,
)
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, PaperSays, Prediction, Unit
from mspgt.results import ModelResult

BOUNDARY = "LI"


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit a family: the CV of ρ_LI against the threshold, one-sided both ways.

    A family whose runs lack the boundary, or show boundaries that cannot be matched, is a unit that nothing supports,
    so that no family is consistent by what is missing. Without a position in any family there is no statistic.
    """
    units: list[Unit] = []
    missing: list[str] = []
    for family, models in with_runs(results, rules.members, missing):
        found = {name: boundaries_of(model, reading) for name, model in named(models)}
        places = _matched(found, models)
        if isinstance(places, str) or len(places) < rules.members:
            why = (
                places
                if isinstance(places, str)
                else f"{len(places)} of {len(models)} runs have the boundary"
            )
            missing.append(f"{family}: {why}; needed are {rules.members} with the same boundary")
            units.append(Unit(family, None, None, 1.0, 1.0, f"families.{family}.{BOUNDARY}", why))
            continue
        units.append(_unit(family, models, places, rules))
    if all(unit.statistic is None for unit in units):
        units = []
    return Finding(tuple(units), tuple(missing))


def _matched(
    found: dict[str, tuple[Place, ...] | str], models: dict[str, ModelResult]
) -> dict[str, Place] | str:
    """Run → its L–I boundary; runs that show fewer than two boundaries, or leave it undefined, are not in it."""
    able = {
        name: one
        for name, one in found.items()
        if not isinstance(one, str)
        and (len(one) > 1 or one[0].named)
        and (not one[0].named or any(place.label == BOUNDARY for place in one))
    }
    if len(able) < 2:
        return {name: one[0] for name, one in able.items()}
    matched = match(able, 0)
    return matched if isinstance(matched, str) else matched.places


def _unit(family: str, models: dict[str, ModelResult], places: dict[str, Place], rules: Rules) -> Unit:
    """CV of the runs that have the boundary; support asks that it be small wherever those without it have theirs."""
    present = [place.relative for place in places.values()]
    shown = compare_families({"f": {name: {BOUNDARY: p.relative} for name, p in places.items()}})
    found = shown.families["f"][BOUNDARY]
    assert found.mean is not None
    n, absent = len(present), len(models) - len(present)
    rounding = max(place.coarseness for place in places.values()) / found.mean
    below, above = cv_p_values(found.cv or 0.0, n, rules.cv, rounding)
    for early in range(absent + 1) if absent else ():
        values = np.array([*present, *[0.0] * early, *[1.0] * (absent - early)])
        worst = float(values.std(ddof=1) / values.mean())
        below = max(below, cv_p_values(worst, len(values), rules.cv, rounding)[0])
    note = f"{n} of {len(models)} training runs have the boundary"
    if absent:
        note += "; those without it may have theirs anywhere"
    interval = cv_interval(found.cv or 0.0, n, rounding=rounding)
    return Unit(family, found.cv, interval, below, above, f"families.{family}.{BOUNDARY}", note)


def paper(results: Measurements, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's rule: the CV of a family of two or more is below the threshold, as a bare number.

    It counts each family as a validation of its own, so that one is enough.
    """
    cvs = {}
    for family, models in sorted(by_family(results).items()):
        places = {name: {BOUNDARY: position(model, BOUNDARY, reading)} for name, model in named(models)}
        cv = compare_families({"family": places}).families["family"][BOUNDARY].cv_paper
        if cv is not None:
            cvs[family] = cv
    if not cvs:
        return PaperSays(None, None, "no family has two models with an L–I boundary")
    least = min(cvs.values())
    return PaperSays(least < rules.cv, least, ", ".join(f"{name} {cv:.2f}" for name, cv in cvs.items()))


def power(design: Design, rules: Rules) -> str:
    """The largest true CV that would be called small in 80 % of studies, by family."""
    parts = []
    for family, members in sorted(design.families().items()):
        n = len(members)
        if n < rules.members:
            parts.append(f"{family}: {n} of the {rules.members} runs needed")
        else:
            parts.append(
                f"{family} ({n} runs): supported in 80 % of cases if the true CV is {_size80(n, rules):.3f}"
            )
    ten = _size80(10, rules)
    return (
        "; ".join(parts) + f". Ten runs would do at a true CV of {ten:.2f}; every run must show the boundary"
    )


def _size80(n: int, rules: Rules) -> float:
    """True CV at which the upper end of the interval stays below the threshold in 80 % of samples."""
    u = stats.chi2.ppf(rules.level, n - 1)
    largest = sqrt(u / (n - 1) / (1 / rules.cv**2 + 1 - 2 / n - u / n))
    return float(largest * sqrt((n - 1) / stats.chi2.ppf(0.8, n - 1)))


PREDICTION = Prediction(
    id="P1.1",
    title="The L–I boundary lies at one relative depth within a family",
    tier="1",
    quantifier="every",
    statistic="CV of ρ_LI within a family (n − 1), the largest family",
    threshold=lambda rules: rules.cv,
    rule=(
        "Supported: in every family with enough training runs, an equivalence test puts the coefficient of "
        "variation of the L–I position below the threshold (upper end of its one-sided interval, half a layer of "
        "rounding included), wherever runs without the boundary would have theirs. Refuted: in some family the lower "
        "end lies above it, among the runs that have it. Boundaries are matched between the runs of a family first "
        "(as in P3.2); a family that lacks them, or in which they do not match, speaks for nothing but counts as one."
    ),
    paper_rule="In some family of two or more, the CV (dividing by n, of rounded percentages) is below 0.2.",
    claim=Claim(
        "CV(ρ_LI) < 0.2 within a family; Llama 0.00, Qwen 0.06: “strongly supporting Prediction 1.1”",
        "section 3.3.2, Table 3",
        "supported",
        "Families of two: a true CV of 0.30 passes “< 0.2” in 64 % of cases at n = 2. The 95 % interval of "
        "Qwen's CV from two models reaches from 0.04 to 3.0: not testable.",
    ),
    judge=judge,
    paper=paper,
    power=power,
    readings=boundary_readings(),
    by_position=True,
    excluded=lambda rules: f"that the CV of ρ_LI is {rules.cv:g} or less in every family",
    false_in=("featureless", "scattered"),
    true_in=("as predicted",),
    shown="largest",
)
