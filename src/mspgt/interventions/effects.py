"""Effects one can believe: an arm against baseline, paired by sample, with documents as the unit of chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mspgt.interventions.arms import AA, ALL_DOSES, arm_name
from mspgt.interventions.metrics import BY_KEY, METRICS, Scores, shares, value
from mspgt.results.interventions import Contrast, ContrastPair, EffectResult
from mspgt.stats.bootstrap import (
    LEAST_DOCUMENTS,
    document_weights,
    expanded_interval,
    percentile_interval,
    too_few,
)
from mspgt.stats.equivalence import tost_estimate
from mspgt.stats.multiplicity import benjamini_hochberg
from mspgt.stats.permutation import p_value, paired_permutation
from mspgt.vocabulary import SCALES

Array = NDArray[np.float64]

MARGIN = 0.2  # "no effect" means smaller than this many standard deviations of a text


@dataclass(frozen=True)
class Effect(EffectResult):
    """One metric of one arm against baseline, with what contrasts between arms need."""

    draws: Array | None = field(default=None, repr=False, compare=False)  # bootstrap, of the signed log ratio

    def told(self) -> EffectResult:
        """What `results.json` carries of it."""
        return EffectResult(**{one.name: getattr(self, one.name) for one in fields(EffectResult)})


def effect(
    baseline: Scores,
    arm: Scores,
    documents: ArrayLike,
    *,
    draws: int = 2000,
    seed: int = 0,
    margin: float = MARGIN,
) -> Effect:
    """The effect of one arm on one metric.

    The tests work on each text's first-order share in the value, linearised at the mean of both arms, which no
    exchange of labels changes: the permutation test is exact, also for pooled variances and ratios. A metric that
    comes with its own exchanges (`Scores.exchanged`) is tested by them, and its intervals reach as far as they do.

    Args:
        documents: the document of each sample, (samples,); all samples of one are one cluster.
    """
    paired = baseline.defined & arm.defined
    rate = float(arm.defined.mean()) if len(paired) else None
    n = int(paired.sum())
    if n < 2:
        return Effect(n=n, rate=rate, reason=f"computable on {n} pairs of texts; at least 2 are needed")
    base, other = baseline.sums[paired], arm.sums[paired]
    # Numbered over all documents, so that the draws of every arm and metric are of the same documents.
    everyone, cluster = np.unique(np.asarray(documents), return_inverse=True)
    cluster = cluster[paired]
    clusters = len(np.unique(cluster))
    law = arm.law
    before, after = (float(value(law, sums.sum(axis=0))) for sums in (base, other))
    if not np.isfinite([before, after]).all():
        return Effect(n=n, rate=rate, reason="its value is not finite on these texts")
    at = (base.mean(axis=0) + other.mean(axis=0)) / 2
    first, second = shares(law, base, at), shares(law, other, at)
    change = second - first
    spread = float(np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2))
    found = Effect(
        baseline=before,
        value=after,
        percent=100 * (after - before) / abs(before) if before else None,
        difference=after - before,
        log_ratio=_log_ratio(before, after),
        p_permutation=_exchange_p(arm.exchanged, change, cluster, seed) if clusters > 1 else None,
        p_t=_paired_t(change),
        hedges_g=float(change.mean() / spread * (1 - 3 / (8 * n - 9))) if spread else None,
        margin=margin * spread,
        n=n,
        rate=rate,
        reason=None if before else "the baseline is 0: the difference says what changed, no percentage can",
    )
    if clusters < LEAST_DOCUMENTS:
        return replace(found, reason=too_few(clusters))
    weights = document_weights(len(everyone), draws, seed)
    resampled = [value(law, weights @ _by_cluster(sums, cluster, len(everyone))) for sums in (base, other)]
    return _with_intervals(
        found, resampled[0], resampled[1], clusters, _reach(arm.exchanged, change, cluster)
    )


def _exchange_p(exchanged: Array | None, change: Array, cluster: NDArray[np.intp], seed: int) -> float | None:
    """p of exchanging labels document by document, from scores computed anew where the metric has them."""
    if exchanged is None:
        return paired_permutation(change, groups=cluster, seed=seed).p
    # What was observed is the first of them, and so never counts as impossible.
    return (
        None
        if np.isnan(exchanged).any()
        else p_value(exchanged[0], exchanged, exact=True, alternative="two-sided")
    )


def _reach(exchanged: Array | None, change: Array, cluster: NDArray[np.intp]) -> float:
    """How much farther chance moves the value than shares of single texts can tell; 1 where they tell all."""
    if exchanged is None or np.isnan(exchanged).any():
        return 1.0
    alone = float(np.sqrt(np.square(np.bincount(cluster, weights=change)).sum())) / len(change)
    return max(1.0, float(np.sqrt(np.square(exchanged).mean())) / alone) if alone else 1.0


def _with_intervals(found: Effect, before: Array, after: Array, clusters: int, reach: float) -> Effect:
    """The effect with what bootstrap draws of both values (draws,) say, spread `reach` times as far."""
    if reach > 1 and found.difference is not None:
        after = before + found.difference + reach * (after - before - found.difference)
    differences = after - before
    if not np.isfinite(differences).all():
        return replace(found, reason="some resamples hold too few texts for an interval")
    # A resample of n documents varies as n − 1 of them do.
    se = float(differences.std(ddof=1)) * (clusters / (clusters - 1)) ** 0.5
    found = replace(found, se=se, ci=_interval(differences, clusters), documents=clusters)
    if found.percent is not None and (before != 0).all():
        percents = 100 * differences / np.abs(before)
        spread = float(percents.std(ddof=1)) * (clusters / (clusters - 1)) ** 0.5
        found = replace(found, percent_ci=_interval(percents, clusters), percent_se=spread)
    if found.log_ratio is not None and found.baseline is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            logs = np.log(after / before)
        if np.isfinite(logs).all():
            sign = 1.0 if found.baseline > 0 else -1.0
            found = replace(found, log_ratio_ci=_interval(logs, clusters), draws=sign * logs)
    if found.margin and found.difference is not None:
        test = tost_estimate(found.difference, se, clusters - 1, -found.margin, found.margin)
        found = replace(found, equivalent=test.equivalent)
    return found


def label_swap_range(
    baseline: Scores, other: Scores, documents: ArrayLike, *, draws: int = 9999, seed: int = 0
) -> tuple[float, float] | None:
    """How far two runs that differ by chance alone lie apart, in percent of the baseline.

    From the A/A arm: labels of baseline and A/A are exchanged document by document at random; the range holds
    the middle 95 % of the differences. None below two documents.
    """
    paired = baseline.defined & other.defined
    if paired.sum() < 2:
        return None
    base, again = baseline.sums[paired], other.sums[paired]
    _, cluster = np.unique(np.asarray(documents)[paired], return_inverse=True)
    clusters = int(cluster.max()) + 1
    before = float(value(other.law, base.sum(axis=0)))
    if clusters < 2 or not np.isfinite(before) or before == 0:
        return None
    if other.exchanged is not None and not np.isnan(other.exchanged).any():
        return _interval(100 * other.exchanged / abs(before))
    at = (base.mean(axis=0) + again.mean(axis=0)) / 2
    change = shares(other.law, again, at) - shares(other.law, base, at)
    signs = np.random.default_rng(seed).integers(0, 2, size=(draws, clusters)) * 2.0 - 1
    null = signs @ np.bincount(cluster, weights=change) / len(change)
    return _interval(100 * null / abs(before))


def all_effects(
    scores: Mapping[str, Mapping[str, Scores]],
    documents: ArrayLike,
    *,
    draws: int = 2000,
    seed: int = 0,
    margin: float = MARGIN,
) -> dict[str, dict[str, Effect]]:
    """Effects of every arm on every metric, adjusted within the model, with the A/A range beside each.

    Args:
        scores: arm → metric → scores, `baseline` among the arms.

    Returns:
        arm → metric → effect, `diversity` (= −`self_bleu`) among the metrics.
    """
    signed = {arm: _with_negatives(metrics) for arm, metrics in scores.items()}
    baseline = signed.pop("baseline")
    ranges = {
        metric: label_swap_range(baseline[metric], again, documents, seed=seed)
        for metric, again in signed.get(AA, {}).items()
    }
    found = {
        arm: {
            metric: replace(
                effect(baseline[metric], one, documents, draws=draws, seed=seed, margin=margin),
                aa_range=ranges.get(metric),
            )
            for metric, one in metrics.items()
        }
        for arm, metrics in signed.items()
    }
    # A negative asks what its metric asks, and A/A is no hypothesis: neither counts as a question.
    asked = [(a, m) for a, metrics in found.items() if a != AA for m in metrics if _asked_as(m) == m]
    known = [found[a][m].p_permutation for a, m in asked]
    adjusted = benjamini_hochberg([np.nan if p is None else p for p in known])
    for (arm, metric), p in zip(asked, adjusted, strict=True):
        if not np.isnan(p):
            found[arm][metric] = replace(found[arm][metric], p_adjusted=float(p))
    for metrics in found.values():
        for name in metrics:
            metrics[name] = replace(metrics[name], p_adjusted=metrics[_asked_as(name)].p_adjusted)
    return found


def _asked_as(name: str) -> str:
    """The metric that a metric is tested as: itself, or the one that it is the negative of."""
    declared = BY_KEY.get(name)
    return (declared.negative_of if declared else None) or name


def _with_negatives(metrics: Mapping[str, Scores]) -> dict[str, Scores]:
    turned = {m.key: -metrics[m.negative_of] for m in METRICS if m.negative_of and m.negative_of in metrics}
    return {**metrics, **turned}


def contrasts(effects: Mapping[str, Mapping[str, Effect]]) -> dict[str, dict[str, ContrastPair]]:
    """Δ(I) − max(Δ(L), Δ(G)) for every metric and dose, where Δ is the log ratio to baseline.

    `signed` takes Δ with the sign of the change of the metric, `absolute` its magnitude. `p` is one-sided,
    against "the intermediate scale does not exceed both others": the larger p of the two comparisons, each a t
    test with the bootstrap's standard error. A magnitude exceeds another exactly when both the difference and
    the sum of the two changes have its sign: each comparison takes the larger p of those two, doubled because the
    sign is read from the same data.

    Returns:
        metric → dose → both contrasts, or why there are none.
    """
    table: dict[str, dict[str, ContrastPair]] = {}
    metrics = dict.fromkeys(name for found in effects.values() for name in found)
    for metric in metrics:
        table[metric] = {}
        for dose in ALL_DOSES:
            arms = [effects.get(arm_name(scale, dose), {}).get(metric) for scale in SCALES]
            table[metric][dose] = _contrast(*arms)
    return table


def _contrast(local: Effect | None, middle: Effect | None, top: Effect | None) -> ContrastPair:
    if local is None or middle is None or top is None:
        return ContrastPair(reason="an arm or the metric was not measured")
    draws = [one.draws for one in (local, middle, top)]
    documents = [one.documents for one in (local, middle, top) if one.documents is not None]
    if any(one is None for one in draws) or len(documents) < len(draws):
        return ContrastPair(reason="a log ratio has no interval")
    low, mid, high = (np.asarray(one) for one in draws)
    at = [_signed_log(one) for one in (local, middle, top)]
    sign = 1.0 if at[1] >= 0 else -1.0
    clusters = min(documents)
    p_signed = max(
        _one_sided(at[1] - rival, mid - other, clusters) for rival, other in ((at[0], low), (at[2], high))
    )
    p_absolute = max(
        _one_sided(sign * (at[1] + turn * rival), mid + turn * other, clusters)
        for rival, other in ((at[0], low), (at[2], high))
        for turn in (-1.0, 1.0)
    )
    # The data chose the sign of the middle change: two directions, one question.
    p_absolute = min(1.0, 2 * p_absolute)
    size = np.abs(mid) - np.maximum(np.abs(low), np.abs(high))
    signed, absolute = at[1] - max(at[0], at[2]), abs(at[1]) - max(abs(at[0]), abs(at[2]))
    return ContrastPair(
        Contrast(signed, _interval(mid - np.maximum(low, high), clusters), p_signed),
        Contrast(absolute, _interval(size, clusters), p_absolute),
    )


def _signed_log(found: Effect) -> float:
    assert found.log_ratio is not None
    assert found.baseline is not None
    return found.log_ratio if found.baseline > 0 else -found.log_ratio


def _one_sided(estimate: float, draws: Array, clusters: int) -> float:
    se = float(draws.std(ddof=1)) * (clusters / (clusters - 1)) ** 0.5
    if se == 0:
        return 0.0 if estimate > 0 else 1.0
    return float(stats.t.sf(estimate / se, clusters - 1))


def _paired_t(change: Array) -> float:
    sd = float(change.std(ddof=1))
    mean = float(change.mean())
    if sd == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / (sd / len(change) ** 0.5), len(change) - 1))


def _log_ratio(before: float, after: float) -> float | None:
    if before == 0 or after / before <= 0:
        return None
    return float(np.log(after / before))


def _by_cluster(sums: Array, cluster: NDArray[np.intp], clusters: int) -> Array:
    totals = np.zeros((clusters, sums.shape[1]))
    np.add.at(totals, cluster, sums)
    return totals


def _interval(draws: Array, clusters: int | None = None) -> tuple[float, float]:
    """The middle 95 % of draws; of bootstrap draws of so many clusters, widened as a t law asks."""
    low, high = percentile_interval(draws) if clusters is None else expanded_interval(draws, clusters)
    return float(low), float(high)
