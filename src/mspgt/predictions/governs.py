"""One scale governs one metric: noise on it changes the metric more than noise on the other two, and than chance.

The form of P2.1, in which two more sentences of the paper stand. In each model the lead of the scale over both others
is tested at both matched doses, and the scale must also do more than random layer sets of equal size: a hump of
sensitivity somewhere in the depth would else support whatever lies under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from scipy import stats

from mspgt.predictions.effects import SCALES, beyond_random_sets, log_ratio, perturbed, sum_of
from mspgt.predictions.ratios import Effect, p_both, tail
from mspgt.predictions.readings import Reading, finished, named
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Finding, Json, PaperSays, Unit

DOSES = {"matched": ("matched_layers", "matched_variance")}
RANDOM_DOSE = "matched_layers"  # that of the random layer sets


@dataclass(frozen=True)
class Governs:
    """`scale` governs `metric`. sign: which way its noise moves the metric; effects: `signed`, `absolute` or both."""

    scale: str
    metric: str
    sign: float
    effects: tuple[str, ...]

    def judge(self, results: Json, rules: Rules, reading: Reading) -> Finding:
        """One unit a model: the lead of the scale, at every dose and sign of the reading."""
        missing: list[str] = []
        units = []
        doses = DOSES.get(reading.dose, (reading.dose,))
        effects = self.effects if reading.effect == "both" else (reading.effect,)
        for name, model in perturbed(named(finished(results)), reading, missing):
            found = self._unit(name, model, list(product(doses, effects)), rules, reading, missing)
            if found:
                units.append(found)
        return Finding(tuple(units), tuple(missing))

    def _unit(
        self, name: str, model: Json, wanted: list[tuple[str, str]], rules: Rules, reading: Reading,
        missing: list[str],
    ) -> Unit | None:  # fmt: skip
        metric = reading.metric or self.metric
        tests = {}
        for dose, effect in wanted:
            record = self._lead(model, metric, dose, effect)
            if isinstance(record, str):
                missing.append(f"models.{name}.interventions: {metric}, {dose}, {effect}: {record}")
            else:
                tests[dose, effect] = record
        if len(tests) < len(wanted):
            return None
        chance, notes = 0.0, []
        for effect in dict.fromkeys(effect for _, effect in wanted):
            p, note = beyond_random_sets(
                model,
                self.scale,
                f"{self.scale}_{RANDOM_DOSE}",
                metric,
                sign=self.sign,
                absolute=effect == "absolute",
            )
            if p != p:  # NaN: it could not be said
                missing.append(f"models.{name}.interventions: {note}")
                return None
            chance = max(chance, p)
            notes.append(note)
        weakest = max(tests, key=lambda key: _p_values(tests[key])[0])
        record = tests[weakest]
        support, refute = zip(*(_p_values(one) for one in tests.values()), strict=True)
        return Unit(
            name,
            record["estimate"],
            (record["ci"][0], record["ci"][1]),
            # A gate, not a second test among the five: what is no more than chance cannot be supported here.
            max(support) if chance <= rules.level else 1.0,
            max(refute),
            f"models.{name}.interventions_about.contrasts.{metric}",
            f"weakest of {len(tests)} contrasts: {weakest[0].replace('_', ' ')}, {weakest[1]}; "
            f"log ratio {'; '.join(notes)} (p = {chance:.2g})",
        )

    def _lead(self, model: Json, metric: str, dose: str, effect: str) -> dict[str, Any] | str:
        """Lead over the stronger rival, {estimate, ci, p}, or why there is none."""
        if self.scale == "intermediate":
            # Experiment 2 itself has this contrast, with paired bootstrap draws.
            found = ((model["interventions_about"].get("contrasts") or {}).get(metric) or {}).get(dose) or {}
            return dict(found[effect]) if found.get(effect) else found.get("reason") or "not measured"
        suffix = "" if dose == "plain" else f"_{dose}"
        arms = {
            scale: log_ratio(model["interventions"].get(scale + suffix), metric, self.sign)
            for scale in SCALES
        }
        own = arms.pop(self.scale)
        rivals = [one for one in arms.values() if one]
        if own is None or len(rivals) < len(arms):
            return "an arm has no log ratio with an interval"
        return _lead_of(own, rivals, absolute=effect == "absolute")

    def paper(self, results: Json, reading: Reading) -> PaperSays:
        """The paper's rule: in some model the bare change is largest under noise on that scale."""
        told, leads = [], []
        for name, model in sorted(results["models"].items()):
            arms = model.get("interventions") or {}
            changes: dict[str, Any] = {
                arm: ((arms.get(arm) or {}).get(reading.metric or self.metric) or {}).get("percent")
                for arm in SCALES
            }
            if any(change is None for change in changes.values()):
                continue
            told.append(f"{name} {'/'.join(f'{change:+.1f}' for change in changes.values())} %")
            one = {arm: self.sign * change for arm, change in changes.items()}
            leads.append(one.pop(self.scale) - max(one.values()))
        if not leads:
            return PaperSays(None, None, "Experiment 2 was not run")
        return PaperSays(max(leads) > 0, max(leads), "; ".join(told))


def _lead_of(own: Effect, rivals: list[Effect], *, absolute: bool) -> dict[str, Any]:
    """Lead of log ratios that share a baseline: errors of differences and sums are bounded, not independent."""
    size = abs if absolute else float
    strongest = max(rivals, key=lambda one: size(one.value))
    estimate = size(own.value) - size(strongest.value)
    margin = float(stats.norm.ppf(0.975)) * (own.se + strongest.se)
    if absolute:
        p = max(p_both(*(sum_of(own, rival, sign) for sign in (-1.0, 1.0))) for rival in rivals)
    else:
        p = max(tail(sum_of(own, rival, -1.0)) for rival in rivals)
    return {"estimate": estimate, "ci": (estimate - margin, estimate + margin), "p": p}


def _p_values(record: dict[str, Any]) -> tuple[float, float]:
    """One-sided p-values for a contrast with a maximum, and against it.

    The first comes with the contrast: the larger p of the comparisons with either rival. The second takes the
    normal law of its 95 % interval, doubled because either rival may be the larger.
    """
    low, high = record["ci"]
    se = (high - low) / (2 * stats.norm.ppf(0.975))
    below = 2 * float(stats.norm.cdf(record["estimate"] / se)) if se else float(record["estimate"] >= 0)
    return float(record["p"]), min(1.0, below)
