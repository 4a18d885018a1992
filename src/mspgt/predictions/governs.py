"""One scale governs one metric: noise on it changes the metric more than noise on the other two, and than chance.

The form of P2.1, in which two more sentences of the paper stand. The lead of the scale over both others is tested
at both matched doses, and the scale must also lie beyond random layer sets of equal size: a hump of sensitivity
somewhere in the depth would else support whatever lies under it. Models are the random unit, so that more of them
tell more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import hypot, sqrt
from typing import Any

from scipy import stats

from mspgt.predictions.design import Design
from mspgt.predictions.effects import Perturbed, experiments, perturbed, pooled, se_percent, sum_of
from mspgt.predictions.random_sets import BEYOND, LEAST, Excess, excess, log_ratio, models_needed
from mspgt.predictions.ratios import Effect, flipped, p_both, se_of, tail
from mspgt.predictions.readings import Measurements, Reading, finished, named
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Finding, PaperSays, Prediction, Unit
from mspgt.results.interventions import Contrast
from mspgt.vocabulary import SCALES

DOSES = {"matched": ("matched_layers", "matched_variance")}
# The doses by themselves, and on scales that nobody found.
READINGS = tuple(
    Reading(dose=dose, scales=scales)
    for scales, dose in product(("calibrated", "any"), (*DOSES, *DOSES["matched"], "plain"))
)
RANDOM_DOSE = "matched_layers"  # that of the random layer sets
HEADLINE = 0.2  # share of the level that the smallest of five p-values has (Holm)
Key = tuple[str, str]  # dose and effect
ALONE = "with fewer than {} models each is judged by itself, and the verdict is of these models alone"
# The rule that all statements of this form share, in words.
FORM = (
    f"Models are the random unit: the leads of {Rules.members} or more must be above 0 on average at every contrast "
    "(t test), and so must what noise on the scale does beyond random layer sets of equal size, their mean and "
    f"{BEYOND:g} of their standard deviations (t test at the level, a gate; a model needs at least {LEAST} sets). "
    "Fewer models are judged one by one, each against the tolerance limit of its own sets. Refuted: on average "
    "some other scale leads at every contrast. Only noise on scales that were found by a calibrated account "
    "counts."
)


@dataclass(frozen=True)
class Lead:
    """How much further one scale moves a metric than the stronger of the others, as a log ratio."""

    estimate: float
    ci: tuple[float, float]  # 95 %
    p: float  # one-sided: it does not exceed both others


@dataclass(frozen=True)
class Told:
    """What one model says: the lead over the stronger rival, over each of them, and the excess over random sets."""

    name: str
    leads: dict[Key, Lead]
    rivals: dict[Key, tuple[Effect, ...]]
    excess: dict[str, Excess]  # by effect


@dataclass(frozen=True)
class Governs:
    """`scale` governs `metric`.

    sign: which way its noise moves the metric; effects: `signed`, `absolute` or both; share: of the level that its
    p-value has at the least, 1 or that of a headline prediction.
    """

    scale: str
    metric: str
    sign: float
    effects: tuple[str, ...]
    share: float = 1.0

    def predicts(self, **own: Any) -> Prediction:
        """The prediction of this form: all of it but its names, words and what the paper says is the same."""
        alike: dict[str, Any] = {
            "quantifier": "most",
            "threshold": lambda rules: 0.0,
            "judge": self.judge,
            "paper": self.paper,
            "power": self.power,
            "false_in": ("equal layers", "equal families", "hump", "on the edge"),
            "true_in": ("as predicted, texts",),
            "readings": READINGS,
        }
        return Prediction(**{**alike, **own})

    def judge(self, results: Measurements, rules: Rules, reading: Reading) -> Finding:
        """One unit over all models, or one a model where they are too few to stand for others."""
        missing: list[str] = []
        models = perturbed(named(finished(results)), reading, missing)
        found = [told for model in models if (told := self._told(model, reading, missing))]
        if len(found) >= rules.members:
            return Finding((self._together(found, rules, reading),), tuple(missing))
        units = tuple(self._alone(one, rules, reading) for one in found)
        return Finding(units, tuple(missing), (ALONE.format(rules.members),) if units else ())

    def _told(self, model: Perturbed, reading: Reading, missing: list[str]) -> Told | None:
        metric = reading.metric or self.metric
        doses = DOSES.get(reading.dose, (reading.dose,))
        effects = self.effects if reading.effect == "both" else (reading.effect,)
        leads, rivals = {}, {}
        for dose, effect in product(doses, effects):
            absolute = effect == "absolute"
            suffix = "" if dose == "plain" else f"_{dose}"
            arms = {scale: log_ratio(model.effect(scale + suffix, metric), self.sign) for scale in SCALES}
            own = arms.pop(self.scale)
            others = [one for one in arms.values() if one]
            lead = (
                "an arm has no log ratio with an interval"
                if own is None or len(others) < len(arms)
                else self._lead(model, metric, dose, effect, own, others)
            )
            if own is None or isinstance(lead, str):
                missing.append(f"models.{model.name}.interventions: {metric}, {dose}, {effect}: {lead}")
                return None
            leads[dose, effect] = lead
            rivals[dose, effect] = tuple(_apart(own, one, absolute=absolute) for one in others)
        beyond: dict[str, Excess] = {}
        for effect in effects:
            arm, absolute = f"{self.scale}_{RANDOM_DOSE}", effect == "absolute"
            one = excess(model, self.scale, arm, metric, sign=self.sign, absolute=absolute)
            if isinstance(one, str):
                missing.append(f"models.{model.name}.interventions: {one}")
                return None
            beyond[effect] = one
        return Told(model.name, leads, rivals, beyond)

    def _lead(
        self, model: Perturbed, metric: str, dose: str, effect: str, own: Effect, others: list[Effect]
    ) -> Lead | str:
        """Lead over the stronger rival, or why there is none."""
        if self.scale != "intermediate":
            return _lead_of(own, others, absolute=effect == "absolute")
        # Experiment 2 itself has this contrast, with paired bootstrap draws.
        pair = model.about.contrasts.get(metric, {}).get(dose)
        found: Contrast | None = getattr(pair, effect, None)
        if found is None or found.ci is None or found.p is None:
            return (pair and pair.reason) or "not measured"
        return Lead(found.estimate, found.ci, found.p)

    def _alone(self, told: Told, rules: Rules, reading: Reading) -> Unit:
        """One model by itself: its texts and its sets are all that chance moves."""
        weakest = max(told.leads, key=lambda key: _p_values(told.leads[key])[0])
        lead = told.leads[weakest]
        support, refute = zip(*(_p_values(one) for one in told.leads.values()), strict=True)
        chance = max(one.p for one in told.excess.values())
        sets = "; ".join(one.note for one in told.excess.values())
        return Unit(
            told.name,
            lead.estimate,
            lead.ci,
            # A gate, not a second test among the five: what is no more than chance cannot be supported here.
            max(support) if chance <= rules.level else 1.0,
            max(refute),
            f"models.{told.name}.interventions_about.contrasts.{reading.metric or self.metric}",
            f"{_weakest(len(told.leads), weakest)}; log ratio {sets} random layer sets (p = {chance:.2g})",
        )

    def _together(self, found: Sequence[Told], rules: Rules, reading: Reading) -> Unit:
        """All models, whose spread is the error: each lead on average, and the excess over random sets."""
        keys = list(found[0].rivals)
        leads = {(key, at): pooled([one.rivals[key][at] for one in found]) for key in keys for at in range(2)}
        weakest = max(leads, key=lambda where: tail(leads[where]))
        key, at = weakest
        shown = leads[weakest]
        margin = float(stats.t.ppf(0.975, shown.df)) * shown.se
        # Either rival may be the larger: two of them, one question.
        behind = [2 * min(tail(flipped(leads[one, rival])) for rival in range(2)) for one in keys]
        gates = [pooled([one.excess[effect].effect for one in found]) for effect in found[0].excess]
        chance, least = max(map(tail, gates)), min(gates, key=lambda one: one.value)
        each = ", ".join(f"{one.name} {one.rivals[key][at].value:+.2f}" for one in found)
        return Unit(
            f"{len(found)} models",
            shown.value,
            (shown.value - margin, shown.value + margin),
            # A gate, not a second test among the five: what is no more than chance cannot be supported.
            max(map(tail, leads.values())) if chance <= rules.level else 1.0,
            min(1.0, max(behind)),
            f"models.*.interventions_about.contrasts.{reading.metric or self.metric}",
            f"{_weakest(len(keys), key)}: {each}; beyond random layer sets by {least.value:+.2f} (p = {chance:.2g})",
        )

    def paper(self, results: Measurements, rules: Rules, reading: Reading) -> PaperSays:
        """The paper's rule: in some model the bare change is largest under noise on that scale."""
        told, leads = [], []
        for model in experiments(named(results.models)):
            effects = {arm: model.effect(arm, reading.metric or self.metric) for arm in SCALES}
            changes = {arm: one.percent for arm, one in effects.items() if one and one.percent is not None}
            if len(changes) < len(SCALES):
                continue
            told.append(f"{model.name} {'/'.join(f'{change:+.1f}' for change in changes.values())} %")
            one = {arm: self.sign * change for arm, change in changes.items()}
            leads.append(one.pop(self.scale) - max(one.values()))
        if not leads:
            return PaperSays(None, None, "Experiment 2 was not run")
        return PaperSays(max(leads) > 0, max(leads), "; ".join(told))

    def power(self, design: Design, rules: Rules) -> str:
        """The lead that so many models and texts would show, and what the gate asks for."""
        if design.samples is None:
            return "needs Experiment 2 (interventions)"
        sets, n, level = design.random_sets, len(design.members), rules.level * self.share
        if sets < LEAST:
            return f"needs {LEAST} random layer sets or more (interventions.random_sets); found {sets}"
        together = n >= rules.members
        reach = stats.t.isf(level, n - 1) / sqrt(n) if together else stats.norm.isf(level)
        aimed = float(stats.norm.ppf(0.8)) / (sqrt(n) if together else 1.0)
        least = (float(reach) + aimed) * sqrt(2) * se_percent(self.metric, design.samples)
        ways = [(count, models_needed(count, rules.level)) for count in sorted({sets, 12})]
        beyond = ", ".join(f"{models or 'over 40'} models at {count} sets" for count, models in ways)
        return (
            f"at {design.samples} texts an arm a lead of about {least:.0f} % of the baseline, the same in all {n} "
            f"models, has 80 % power; to lie beyond random layer sets a scale with edges needs {beyond}, with "
            "effects of five times their error or more"
        )


def _weakest(contrasts: int, key: Key) -> str:
    return f"weakest of {contrasts} contrasts: {key[0].replace('_', ' ')}, {key[1]}"


def _lead_of(own: Effect, rivals: list[Effect], *, absolute: bool) -> Lead:
    """Lead of log ratios that share a baseline: errors of differences and sums are bounded, not independent."""
    size: Callable[[float], float] = abs if absolute else float
    strongest = max(rivals, key=lambda one: size(one.value))
    estimate = size(own.value) - size(strongest.value)
    margin = float(stats.norm.ppf(0.975)) * (own.se + strongest.se)
    if absolute:
        p = max(p_both(*(sum_of(own, rival, sign) for sign in (-1.0, 1.0))) for rival in rivals)
    else:
        p = max(tail(sum_of(own, rival, -1.0)) for rival in rivals)
    return Lead(estimate, (estimate - margin, estimate + margin), p)


def _apart(own: Effect, rival: Effect, *, absolute: bool) -> Effect:
    """How much more one scale does than one other, both held against one baseline.

    What they share makes the error of a difference smaller, and that of a sum (of changes of opposite sign) larger.
    """
    a, b = (abs(one.value) if absolute else one.value for one in (own, rival))
    opposite = absolute and own.value * rival.value < 0
    return Effect(a - b, own.se + rival.se if opposite else hypot(own.se, rival.se))


def _p_values(lead: Lead) -> tuple[float, float]:
    """One-sided p-values for a contrast with a maximum, and against it.

    The first comes with the contrast: the larger p of the comparisons with either rival. The second takes the
    normal law of its 95 % interval, doubled because either rival may be the larger.
    """
    se = se_of(lead.ci)
    below = 2 * float(stats.norm.cdf(lead.estimate / se)) if se else float(lead.estimate >= 0)
    return lead.p, min(1.0, below)
