"""Reading the interventions of a model: effects of arms, contrasts between scales, and whose scales they are."""

from __future__ import annotations

from collections.abc import Iterable
from math import nan
from typing import Any

from scipy import stats

from mspgt.interventions.metrics import PAPER_METRICS as PAPER_METRICS  # whom predictions ask
from mspgt.predictions.ratios import Effect
from mspgt.predictions.readings import FOUND, Reading, not_calibrated

Json = dict[str, Any]

SCALES = ("local", "intermediate", "global")
STRUCTURE = "length_variance"
# What an effect on sentence-length variance wobbles by at 1,000 texts, in percent of the baseline: the range of
# arms without any noise is ±25–34 % there, about two standard errors.
SE_PERCENT_AT_1000 = 15.0
LEAST_RANDOM_SETS = 3  # whose spread has an error


def perturbed(
    models: Iterable[tuple[str, Json]], reading: Reading, missing: list[str]
) -> list[tuple[str, Json]]:
    """The models whose interventions can speak; the others are told in `missing`."""
    everyone = list(models)
    able = [
        (name, model)
        for name, model in everyone
        if model.get("interventions") and model.get("interventions_about")
    ]
    if not able:
        missing.append("Experiment 2 (interventions) was not run")
        return []
    missing += [f"{name}: Experiment 2 was not run" for name, model in everyone if (name, model) not in able]
    if reading.scales == "any":
        return able
    spoken = []
    for name, model in able:
        source = (model["interventions_about"].get("scales") or {}).get("source")
        if source in FOUND:
            spoken.append((name, model))
        else:
            missing.append(not_calibrated(name, source))
    return spoken


def layers_of(model: Json, arm: str) -> int:
    """How many layers an arm perturbed."""
    return len(model["interventions_about"]["arms"][arm]["layers"])


def brittleness(model: Json, arm: str, metric: str, *, per_layer: bool) -> Effect | None:
    """γ = Δ/σ in percent of the baseline a unit of σ, and a perturbed layer (section 3.3.2).

    None where it was not measured, or where the baseline leaves no percentage with an error.
    """
    record = (model["interventions"].get(arm) or {}).get(metric)
    if not record or record.get("percent_se") is None:
        return None
    doses = model["interventions_about"]["sigma"] * (layers_of(model, arm) if per_layer else 1)
    return Effect(record["percent"] / doses, record["percent_se"] / doses, record["documents"] - 1)


def pooled(effects: list[Effect]) -> Effect:
    """The mean effect of a family, with models as the random unit.

    Its error is that between members, or that within them where it is larger: three members may agree by chance.
    Either way so few members leave n − 1 degrees of freedom.

    Args:
        effects: of two models at least; one model says nothing of how another would differ.
    """
    n = len(effects)
    mean = sum(one.value for one in effects) / n
    within = sum(one.se**2 for one in effects) / n
    between = sum((one.value - mean) ** 2 for one in effects) / (n - 1)
    return Effect(mean, (max(between, within) / n) ** 0.5, n - 1)


def sum_of(a: Effect, b: Effect, sign: float) -> Effect:
    """a + sign · b of one model, whose error may be as large as if the two always erred together.

    Effects on several scales of one model are held against one baseline, so that their errors are not independent.
    """
    return Effect(a.value + sign * b.value, a.se + b.se, min(a.df, b.df))


def beyond_random_sets(
    model: Json, scale: str, arm: str, metric: str, *, sign: float, absolute: bool
) -> tuple[float, str]:
    """p-value that noise on the layers of an arm does no more than noise on random layer sets of equal size.

    The log ratio to baseline of the arm against those of the random sets, as one more draw from them: a t test whose
    error is the spread between sets, or their own error where it is larger. So layers that only sit on a hump of
    sensitivity, as other sets of that many layers do too, are not beyond them. A set most of whose layers are those
    of the scale is no rival of it.

    Returns:
        p and a note; NaN and the reason where it cannot be said.
    """
    arms = model["interventions"]
    own = log_ratio(arms.get(arm), metric, sign)
    # Sets as far apart as the arm of the Intermediate scale are the fairer rivals, where they were drawn.
    prefix = "random_spread_" if any(name.startswith("random_spread_") for name in arms) else "random_"
    sets = [
        found
        for name in sorted(arms)
        if name.startswith(prefix)
        and _is_rival(model, name, scale)
        and (found := log_ratio(arms[name], metric, sign))
    ]
    if own is None or len(sets) < LEAST_RANDOM_SETS:
        return nan, (
            f"{metric} on {len(sets)} random layer sets; at least {LEAST_RANDOM_SETS} with an interval are needed"
            if own
            else f"{metric} of {arm} has no log ratio with an interval"
        )
    values = [abs(one.value) if absolute else one.value for one in sets]
    value = abs(own.value) if absolute else own.value
    n = len(sets)
    mean = sum(values) / n
    between = sum((one - mean) ** 2 for one in values) / (n - 1)
    within = max(own.se, *(one.se for one in sets)) ** 2
    t = (value - mean) / (max(between, within) * (1 + 1 / n)) ** 0.5
    return float(stats.t.sf(t, n - 1)), f"{value:+.2f} against {mean:+.2f} on {n} random layer sets"


def _is_rival(model: Json, arm: str, scale: str) -> bool:
    arms = model["interventions_about"]["arms"]
    own, drawn = set(arms[scale]["layers"]), arms.get(arm, {}).get("layers", [])
    return 2 * len(own.intersection(drawn)) <= len(drawn)


def log_ratio(metrics: Json | None, metric: str, sign: float = 1.0) -> Effect | None:
    """Log ratio of an arm to baseline, positive where the metric moves in the direction of `sign`.

    None without an interval.
    """
    record = (metrics or {}).get(metric) or {}
    ends, value, base = (record.get(key) for key in ("log_ratio_ci", "log_ratio", "baseline"))
    if not ends or value is None or base is None:
        return None
    se = (ends[1] - ends[0]) / (2 * float(stats.norm.ppf(0.975)))
    return Effect(sign * (value if base > 0 else -value), se)
