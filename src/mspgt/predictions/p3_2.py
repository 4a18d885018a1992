"""P3.2: the Intermediate–Global boundary drifts between training runs of one architecture."""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy import stats

from mspgt.predictions.design import Design
from mspgt.predictions.drift_split import split_drift, told
from mspgt.predictions.places import Place, drifts, match, p_drifting
from mspgt.predictions.readings import (
    FAR_ALPHA,
    Measurements,
    Reading,
    boundaries_of,
    boundary_readings,
    by_architecture,
    by_family,
    named,
    relative_positions,
)
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, PaperSays, Prediction, Unit

BOUNDARY = "IG"
SHOWN_PAIRS = 10
HALF = (
    "runs of one recipe differ in what training left them with, not in what they are: this tests the Θ half of "
    "equation 2 (different parameters), not its architecture half"
)


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit an architecture that was trained several times, if its boundaries match between the runs."""
    units, missing = [], []
    for (family, layers, width, _), models in by_architecture(results):
        name = f"{family}, {layers} layers, width {width}"
        if len(models) < rules.runs:
            missing.append(f"{name}: {len(models)} training runs; needed are {rules.runs}")
            continue
        found = {label: boundaries_of(model, reading) for label, model in models.items()}
        lacking = {label: why for label, why in found.items() if isinstance(why, str)}
        if lacking:
            missing += [f"{name}: {label}: {why}" for label, why in lacking.items()]
            continue
        matched = match({run: one for run, one in found.items() if not isinstance(one, str)}, 1)
        if isinstance(matched, str):
            missing.append(f"{name}: {matched}")
            continue
        units.append(_unit(name, family, matched.places, rules))
    if not units:
        missing += _not_one_architecture(results)
    splits = [
        f"{family}: {told(split)}"
        for family, models in sorted(by_family(results).items())
        if (split := split_drift(models, BOUNDARY, reading))
    ]
    return Finding(tuple(units), tuple(missing), (HALF, *splits) if units else ())


def _unit(name: str, family: str, places: dict[str, Place], rules: Rules) -> Unit:
    values = np.array([place.relative for place in places.values()])
    n = len(values)
    # Equal positions have no spread, but no certainty either.
    sd = max(float(values.std(ddof=1)), max(place.coarseness for place in places.values()) / sqrt(3))
    p_refute = float(stats.chi2.cdf((n - 1) * (sd / _largest_sd(rules)) ** 2, n - 1))
    pairs = drifts(places)
    by_pair = "; ".join(
        f"{one.first} and {one.second} {one.drift:.2f} [{one.ci[0]:.2f}, {one.ci[1]:.2f}]"
        for one in pairs[:SHOWN_PAIRS]
    )
    rest = f" and {len(pairs) - SHOWN_PAIRS} nearer pairs" if len(pairs) > SHOWN_PAIRS else ""
    return Unit(
        name,
        pairs[0].drift,
        pairs[0].ci,
        p_drifting(list(places.values()), rules.drift),
        p_refute,
        f"families.{family}.{BOUNDARY}",
        f"{n} training runs; drift by pair: {by_pair}{rest}",
    )


def _largest_sd(rules: Rules) -> float:
    """SD of normal positions of which the given share of pairs lies farther apart than the threshold."""
    return float(rules.drift / (sqrt(2) * stats.norm.isf(rules.drifting_pairs / 2)))


def paper(results: Measurements, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's rule: two members of some family, whatever their architectures, lie farther apart."""
    widest, where = None, ""
    for family, models in sorted(by_family(results).items()):
        places = relative_positions(models.values(), BOUNDARY, reading)
        if len(places) > 1 and (widest is None or np.ptp(places) > widest):
            widest, where = float(np.ptp(places)), family
    if widest is None:
        return PaperSays(None, None, "no family has two models with an I–G boundary")
    return PaperSays(widest > rules.drift, widest, f"largest distance, in {where}")


def power(design: Design, rules: Rules) -> str:
    """By architecture: how many runs must lie apart, and the SD that would refute."""
    parts = []
    for (family, layers, *_), members in sorted(design.architectures().items()):
        n, name = len(members), f"{family}, {layers} layers"
        if n < rules.runs:
            parts.append(f"{name}: {n} of the {rules.runs} training runs needed")
            continue
        # Among five headline predictions, and of two levels of sets.
        level = rules.level / 10
        apart = next(m for m in range(1, n + 1) if m == n or stats.binom.sf(m - 1, n, FAR_ALPHA) <= level)
        reach = stats.chi2.ppf(rules.level / 5, n - 1) / stats.chi2.ppf(0.8, n - 1)
        parts.append(
            f"{name}: supported if the boundaries of all {n} runs match and the sets of {apart} of them lie apart "
            "from "
            f"the others by more than {rules.drift:g}; refuted in 80 % of cases if runs scatter by an SD of "
            f"{_largest_sd(rules) * sqrt(reach):.3f} at most"
        )
    return "; ".join(parts)


def _not_one_architecture(results: Measurements) -> list[str]:
    """Families of several members that are not runs of one architecture, and how they differ."""
    told = []
    for family, models in sorted(by_family(results).items()):
        shapes = {
            f"{name} ({m.layers} layers, width {m.width}, {m.parameters:,} parameters)": m.shape
            for name, m in named(models)
        }
        if len(set(shapes.values())) > 1:
            told.append(f"{family}: not training runs of one architecture: {'; '.join(shapes)}")
    return told


PREDICTION = Prediction(
    id="P3.2",
    title="The I–G boundary drifts between training runs of one architecture",
    tier="3",
    quantifier="some",
    statistic="largest |ρ_IG(run 1) − ρ_IG(run 2)| of one architecture",
    threshold=lambda rules: rules.drift,
    rule=(
        "Runs are of one architecture if family, layers, width and parameters agree; states along one run "
        "count once. Boundaries are matched between runs first: all runs must show equally many, an optimal "
        "assignment on their confidence sets must pair them in order, and I–G is the same one in each; else it is "
        "not testable. Supported: in some architecture, more sets of the I–G position lie outside every window of "
        "the threshold's width than would miss their boundary by chance (binomial, at each level of the sets). "
        "Refuted: in every architecture, the scatter of the positions is so small that fewer than the stated "
        "share of pairs can drift that far (one-sided test of the SD of normal positions)."
    ),
    paper_rule="Two members of some family lie more than 0.3 apart, whatever their architectures.",
    claim=Claim(
        "Qwen1.5 → Qwen2.5: 25.0 % to 71.4 %, 46.4 points: “perfectly validates Prediction 3.2”",
        "section 4.3.1, Table 3",
        "supported",
        "Qwen1.5-7B has 32 layers and full attention heads, Qwen2.5-7B 28 layers and grouped queries: two "
        "architectures, one run each. The comparison does not test the prediction.",
    ),
    judge=judge,
    paper=paper,
    power=power,
    readings=boundary_readings(),
    by_position=True,
    excluded=lambda rules: (
        f"a drift above {rules.drift:g} in {rules.drifting_pairs:.0%} or more of the pairs of training runs of one "
        "recipe"
    ),
    false_in=("featureless", "three alike", "four alike"),
    true_in=("as predicted",),
    shown="largest",
)
