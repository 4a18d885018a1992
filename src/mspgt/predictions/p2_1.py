"""P2.1: noise on the Intermediate scale disturbs structure more than noise on the other two."""

from __future__ import annotations

from itertools import product
from math import sqrt
from typing import Any

from scipy import stats

from mspgt.predictions.design import Design
from mspgt.predictions.effects import SCALES, SE_PERCENT_AT_1000, STRUCTURE, perturbed
from mspgt.predictions.readings import Reading, finished, named
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, Json, PaperSays, Prediction, Unit

DOSES = {"matched": ("matched_layers", "matched_variance")}
EFFECTS = {"both": ("signed", "absolute")}


def judge(results: Json, rules: Rules, reading: Reading) -> Finding:
    """One unit a model: Δ(I) − max(Δ(L), Δ(G)), at every dose and sign of the reading."""
    missing: list[str] = []
    units = []
    metric = reading.metric or STRUCTURE
    doses = DOSES.get(reading.dose, (reading.dose,))
    wanted = list(product(doses, EFFECTS.get(reading.effect, (reading.effect,))))
    for name, model in perturbed(named(finished(results)), reading, missing):
        path = f"models.{name}.interventions_about.contrasts.{metric}"
        contrasts = (model["interventions_about"].get("contrasts") or {}).get(metric) or {}
        tests = {}
        for dose, effect in wanted:
            record = (contrasts.get(dose) or {}).get(effect)
            if not record:
                why = (contrasts.get(dose) or {}).get("reason") or "not measured"
                missing.append(f"{path}.{dose}.{effect}: {why}")
            else:
                tests[dose, effect] = record
        if len(tests) == len(wanted):
            units.append(_unit(name, path, tests))
    return Finding(tuple(units), tuple(missing))


def _unit(name: str, path: str, tests: dict[tuple[str, str], dict[str, Any]]) -> Unit:
    """All contrasts must be above 0, and all below to refute: what holds at one dose only is not settled."""
    support, refute = zip(*(_p_values(record) for record in tests.values()), strict=True)
    weakest = max(tests, key=lambda key: _p_values(tests[key])[0])
    record = tests[weakest]
    return Unit(
        name,
        record["estimate"],
        (record["ci"][0], record["ci"][1]),
        max(support),
        max(refute),
        path,
        f"weakest of {len(tests)} contrasts: {weakest[0].replace('_', ' ')}, {weakest[1]}",
    )


def _p_values(record: dict[str, Any]) -> tuple[float, float]:
    """One-sided p-values for a contrast with a maximum, and against it.

    The first comes with the contrast: the larger p of the comparisons with either rival. The second takes the
    normal law of its 95 % interval, doubled because either rival may be the larger.
    """
    low, high = record["ci"]
    se = (high - low) / (2 * stats.norm.ppf(0.975))
    below = 2 * float(stats.norm.cdf(record["estimate"] / se)) if se else float(record["estimate"] >= 0)
    return float(record["p"]), min(1.0, below)


def paper(results: Json, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's rule: in some model the bare change is largest under noise on the Intermediate scale."""
    told, leads = [], []
    for name, model in sorted(results["models"].items()):
        arms = model.get("interventions") or {}
        changes: list[Any] = [
            ((arms.get(arm) or {}).get(reading.metric or STRUCTURE) or {}).get("percent") for arm in SCALES
        ]
        if any(change is None for change in changes):
            continue
        lead = changes[1] - max(changes[0], changes[2])
        leads.append(lead)
        told.append(f"{name} {'/'.join(f'{change:+.1f}' for change in changes)} %")
    if not leads:
        return PaperSays(None, None, "Experiment 2 was not run")
    return PaperSays(max(leads) > 0, max(leads), "; ".join(told))


def power(design: Design, rules: Rules) -> str:
    """The lead of the Intermediate scale that would be seen."""
    if design.samples is None:
        return "needs Experiment 2 (interventions)"
    n, held = len(design.members), len(design.members) // 2 + 1
    se = SE_PERCENT_AT_1000 * sqrt(1000 / design.samples)
    # In each model that must show it, at the level that its partial conjunction leaves.
    least = (stats.norm.isf(rules.level / (n - held + 1)) + stats.norm.ppf(0.8)) * se
    return (
        f"at {design.samples} texts an arm the Intermediate scale must lead by about {least:.0f} % of the baseline "
        f"for 80 % power in a model, in {held} of {n} models; 10,000 texts "
        f"would see {least * sqrt(design.samples / 1e4):.0f} %"
    )


PREDICTION = Prediction(
    id="P2.1",
    title="The Intermediate scale governs structure",
    tier="2",
    quantifier="most",
    statistic="Δ(I) − max(Δ(L), Δ(G)) on sentence-length variance, weakest contrast",
    threshold=lambda rules: 0.0,
    rule=(
        "In each model Δ(I) − max(Δ(L), Δ(G)) on sentence-length variance is tested four ways: with doses matched "
        "by perturbed layers and by injected variance, signed and as the absolute log ratio. Supported: all four "
        "lie above 0 in more than half of the models (partial conjunction). Refuted: all four lie below 0 in at "
        "least half of them. Only noise on scales of the calibrated detector counts."
    ),
    paper_rule=(
        "In some model the percent change, doses unmatched, is larger on the Intermediate scale than on both others."
    ),
    claim=Claim(
        "Δ_structure(I) > max(Δ(L), Δ(G)): +30.3 % against −7.4 and −11.4 %; “precisely validating Prediction 2.1”",
        "Table 2, section 4.2.2",
        "supported",
        "At 1,000 texts the A/A range of sentence-length variance is ±25–34 %: Table 2's −7.4 and −11.4 are noise. "
        "18 layers were perturbed on the Intermediate scale against 2 and 8. Table 2 conflicts with itself: its "
        "caption says Qwen1.5, the text gives the same numbers to Qwen2.5, Figure 7 shows +184 %.",
    ),
    judge=judge,
    paper=paper,
    power=power,
    true_in=("as predicted",),
    readings=tuple(
        Reading(dose=dose, effect=effect, metric=metric, scales=scales, arithmetic=arithmetic)
        for arithmetic, scales, dose, effect, metric in (
            *(
                ("primary", *rest)
                for rest in product(
                    ("calibrated", "any"),
                    ("matched", "matched_layers", "matched_variance", "plain"),
                    ("both", "signed", "absolute"),
                    ("", "length_variance_text"),
                )
            ),
            *(("paper", "any", "plain", "signed", metric) for metric in ("", "length_variance_text")),
        )
    ),
)
