"""Effects compared over models: tests of one sign, and ratios of the sizes of two families' effects.

What differs between models of one family multiplies: a model of twice the brittleness has twice of it on every arm.
So sizes are compared as logarithms, where families scatter alike and a ratio is a difference. What stands below may
be nothing: its logarithm is taken of √(v² + se²), which lies above the true size on average however small that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, inf, isfinite, log, sqrt

from scipy import stats

TINY = 1e-300


@dataclass(frozen=True)
class Effect:
    """An estimate with its standard error and degrees of freedom (inf: normal)."""

    value: float
    se: float
    df: float = inf


def se_of(ci: tuple[float, float]) -> float:
    """The standard error of an estimate with a normal 95 % interval."""
    return (ci[1] - ci[0]) / (2 * float(stats.norm.ppf(0.975)))


def p_exceeds(a: Sequence[Effect], b: Sequence[Effect], factor: float) -> float:
    """p-value that the sizes of effects in models `a` exceed `factor` times those in models `b`.

    Welch's t test of logarithms, whose errors are the spread between models or that of their texts, whichever is
    larger; and `a` must be told from no effect at all (error of its texts), since a size is never below 0.
    """
    none = 2 * tail(_size(_mean(a)))
    if any(one.value == 0 for one in a):
        return 1.0
    return min(1.0, max(none, tail(_log_ratio(a, b, factor))))


def size_ratio(a: Sequence[Effect], b: Sequence[Effect]) -> tuple[float, tuple[float, float] | None]:
    """Geometric mean size in models `a` over that in models `b`, and its 95 % interval.

    The interval is None where either cannot be told from none, so that nothing bounds the ratio.
    """
    over, under = (sum(log(max(abs(one.value), TINY)) for one in side) / len(side) for side in (a, b))
    ratio = exp(over - under)
    if max(2 * tail(_size(_mean(side))) for side in (a, b)) > 0.05:
        return ratio, None
    low, high = _log_ratio(a, b, 1.0), _log_ratio(b, a, 1.0)
    ends = [one.value - float(stats.t.ppf(0.975, one.df)) * one.se for one in (low, high)]
    return ratio, (exp(ends[0]), exp(-ends[1]))


def _log_ratio(a: Sequence[Effect], b: Sequence[Effect], factor: float) -> Effect:
    """log of (size a) / (factor · size b), with what is below taken no smaller than it may be."""
    over = over_models([log(abs(one.value)) for one in a], [(one.se / one.value) ** 2 for one in a])
    under = over_models(
        # An effect of nothing without an error would have no logarithm.
        [log(max(one.value**2 + one.se**2, TINY)) / 2 for one in b],
        [one.se**2 / max(one.value**2 + one.se**2, TINY) for one in b],
    )
    found = difference(over, under)
    return replace(found, value=found.value - log(factor))


def over_models(values: Sequence[float], squares: Sequence[float]) -> Effect:
    """The mean over models, which are the random unit.

    Its error is that between them, or that within them where it is larger: three models may agree by chance. Either
    way so few leave n − 1 degrees of freedom.

    Args:
        values, squares: of each model, two at least, since one says nothing of how another would differ; and its
            squared error.
    """
    n = len(values)
    mean = sum(values) / n
    between = sum((one - mean) ** 2 for one in values) / (n - 1)
    return Effect(mean, sqrt(max(between, sum(squares) / n) / n), n - 1)


def difference(a: Effect, b: Effect) -> Effect:
    """a − b of independent effects, with the degrees of freedom of Welch."""
    spread = a.se**2 + b.se**2
    freedom = spread**2 / (a.se**4 / a.df + b.se**4 / b.df) if spread else min(a.df, b.df)
    return Effect(a.value - b.value, sqrt(spread), freedom)


def _mean(effects: Sequence[Effect]) -> Effect:
    """Of these very models: only the error of their texts."""
    n = len(effects)
    return Effect(
        sum(one.value for one in effects) / n,
        sqrt(sum(one.se**2 for one in effects)) / n,
        min(one.df for one in effects),
    )


def _size(effect: Effect) -> Effect:
    return Effect(abs(effect.value), effect.se, effect.df)


def p_both(lower: Effect, upper: Effect) -> float:
    """p-value of |a| > |b| from a − b and a + b, however their errors depend on each other; two-sided in the sign."""
    positive = max(tail(lower), tail(upper))
    negative = max(tail(flipped(lower)), tail(flipped(upper)))
    return min(1.0, 2 * min(positive, negative))


def flipped(effect: Effect) -> Effect:
    """The effect with its sign turned."""
    return Effect(-effect.value, effect.se, effect.df)


def tail(effect: Effect) -> float:
    """One-sided p-value that an effect is above 0."""
    if effect.se == 0:
        return 0.0 if effect.value > 0 else 1.0
    z = effect.value / effect.se
    return float(stats.t.sf(z, effect.df) if isfinite(effect.df) else stats.norm.sf(z))
