"""P3.2: the Intermediate–Global boundary drifts between training runs of one architecture."""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy import stats

from mspgt.predictions.design import Design
from mspgt.predictions.readings import (
    Reading,
    boundary_readings,
    by_family,
    finished,
    layer_set,
    named,
    position,
)
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, Json, PaperSays, Prediction, Unit

BOUNDARY = "IG"
MISS = 0.05  # how often a 95 % confidence set misses its boundary
Span = tuple[float, float]


def judge(results: Json, rules: Rules, reading: Reading) -> Finding:
    """One unit an architecture that was trained several times."""
    units, missing = [], []
    groups = _architectures(results)
    for (family, layers, width, _), models in groups:
        name = f"{family}, {layers} layers, width {width}"
        spans = {label: _span(model, reading) for label, model in models.items()}
        known = {label: span for label, span in spans.items() if span is not None}
        if len(known) < rules.runs:
            missing.append(
                f"{name}: {len(known)} of {len(models)} training runs have an I–G boundary; needed are {rules.runs}"
            )
            continue
        places = {label: _place(models[label], reading) for label in known}
        units.append(_unit(name, family, places, known, models, rules))
    if not units:
        missing += _not_one_architecture(results)
    return Finding(tuple(units), tuple(missing))


def _unit(
    name: str,
    family: str,
    places: dict[str, float],
    spans: dict[str, Span],
    models: dict[str, Json],
    rules: Rules,
) -> Unit:
    values = np.array(list(places.values()))
    outside = discordant(list(spans.values()), rules.drift)
    n = len(values)
    # If no two runs differed by more, every set left out must have missed its boundary.
    p_support = float(stats.binom.sf(outside - 1, n, MISS))
    rounding = 0.5 / min(model["layers"] for model in models.values())
    sd = max(float(values.std(ddof=1)), rounding / sqrt(3))
    p_refute = float(stats.chi2.cdf((n - 1) * (sd / _largest_sd(rules)) ** 2, n - 1))
    note = f"{n} training runs; {outside} of their sets lie outside any window of {rules.drift:g}"
    return Unit(
        name,
        float(np.ptp(values)),
        _drift_interval(list(spans.values())),
        p_support,
        p_refute,
        f"families.{family}.{BOUNDARY}",
        note,
    )


def discordant(spans: list[Span], window: float) -> int:
    """Least number of spans to leave out so that one window of that width meets all the others."""
    starts = [high for _, high in spans]
    met = max(sum(low <= start + window and high >= start for low, high in spans) for start in starts)
    return len(spans) - met


def _drift_interval(spans: list[Span]) -> Span:
    """Least and largest distance between the two farthest runs that their sets allow."""
    least = max(low for low, _ in spans) - min(high for _, high in spans)
    return max(least, 0.0), max(high for _, high in spans) - min(low for low, _ in spans)


def _largest_sd(rules: Rules) -> float:
    """SD of normal positions of which the given share of pairs lies farther apart than the threshold."""
    return float(rules.drift / (sqrt(2) * stats.norm.isf(rules.drifting_pairs / 2)))


def paper(results: Json, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's rule: two members of some family, whatever their architectures, lie farther apart."""
    widest, where = None, ""
    for family, models in sorted(by_family(results).items()):
        places = [_place(model, reading) for _, model in named(models) if position(model, BOUNDARY, reading)]
        if len(places) > 1 and (widest is None or np.ptp(places) > widest):
            widest, where = float(np.ptp(places)), family
    if widest is None:
        return PaperSays(None, None, "no family has two models with an I–G boundary")
    return PaperSays(widest > rules.drift, widest, f"largest distance, in {where}")


def power(design: Design, rules: Rules) -> str:
    """By architecture: the least p that its number of runs can reach, and the SD that would refute."""
    parts = []
    for (family, layers, *_), members in sorted(design.architectures().items()):
        n, name = len(members), f"{family}, {layers} layers"
        if n < rules.runs:
            parts.append(f"{name}: {n} of the {rules.runs} training runs needed")
            continue
        apart = next(m for m in range(1, n + 1) if m == n or stats.binom.sf(m - 1, n, MISS) <= rules.level)
        reach = stats.chi2.ppf(rules.level, n - 1) / stats.chi2.ppf(0.8, n - 1)
        parts.append(
            f"{name}: supported if the sets of {apart} of {n} runs lie apart from the others by more than "
            f"{rules.drift:g}; refuted in 80 % of cases if runs scatter by an SD of "
            f"{_largest_sd(rules) * sqrt(reach):.3f} at most"
        )
    return "; ".join(parts)


def _architectures(results: Json) -> list[tuple[tuple[str, int, int, int], dict[str, Json]]]:
    groups: dict[tuple[str, int, int, int], dict[str, Json]] = {}
    for name, model in named(finished(results)):
        key = (model["family"], model["layers"], model["width"], model["parameters"])
        groups.setdefault(key, {})[name] = model
    return sorted(groups.items())


def _not_one_architecture(results: Json) -> list[str]:
    """Families of several members that are not runs of one architecture, and how they differ."""
    told = []
    for family, models in sorted(by_family(results).items()):
        shapes = {
            f"{name} ({m['layers']} layers, width {m['width']}, {m['parameters']:,} parameters)": (
                m["layers"],
                m["width"],
                m["parameters"],
            )
            for name, m in named(models)
        }
        if len(set(shapes.values())) > 1:
            told.append(f"{family}: not training runs of one architecture: {'; '.join(shapes)}")
    return told


def _place(model: Json, reading: Reading) -> float:
    found = position(model, BOUNDARY, reading)
    assert found is not None
    return found[0] / found[1]


def _span(model: Json, reading: Reading) -> Span | None:
    found = position(model, BOUNDARY, reading)
    if found is None:
        return None
    layers, extra = found[1], found[1] - model["layers"]
    within = [layer + extra for layer in layer_set(model, BOUNDARY, reading)]
    return min(*within, found[0]) / layers, max(*within, found[0]) / layers


PREDICTION = Prediction(
    id="P3.2",
    title="The I–G boundary drifts between training runs of one architecture",
    tier="3",
    quantifier="some",
    statistic="largest |ρ_IG(run 1) − ρ_IG(run 2)| of one architecture",
    threshold=lambda rules: rules.drift,
    rule=(
        "Runs are of one architecture if family, layers, width and parameters agree; states along one run "
        "count once. Supported: in some architecture, more 95 % sets of the calibrated I–G position lie outside "
        "every window of the threshold's width than would miss their boundary by chance (binomial, 5 % each). "
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
    false_in=("featureless", "equal layers"),
    true_in=("as predicted",),
    shown="largest",
)
