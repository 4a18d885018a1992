"""Ratios of two effects whose denominator may be nothing: Fieller's way, which divides by no estimate."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt

from scipy import stats


@dataclass(frozen=True)
class Effect:
    """An estimate with its standard error and degrees of freedom (inf: normal)."""

    value: float
    se: float
    df: float = inf


def p_exceeds(a: Effect, b: Effect, factor: float) -> float:
    """p-value of |a| > factor · |b|, two-sided in the sign of a.

    |a| exceeds factor · |b| exactly when a − factor · b and a + factor · b both have the sign of a: an
    intersection of two one-sided tests, valid however close b is to 0 (Fieller 1954).
    """
    return p_both(*(_combination(a, b, sign * factor) for sign in (-1.0, 1.0)))


def p_both(lower: Effect, upper: Effect) -> float:
    """p-value of |a| > |b| from a − b and a + b, however their errors depend on each other; two-sided in the sign."""
    positive = max(tail(lower), tail(upper))
    negative = max(tail(_flipped(lower)), tail(_flipped(upper)))
    return min(1.0, 2 * min(positive, negative))


def ratio_interval(a: Effect, b: Effect, level: float = 0.95) -> tuple[float, float] | None:
    """Fieller's interval of |a / b|; None where b cannot be told from 0, so that nothing bounds the ratio."""
    t = float(stats.t.ppf(0.5 + level / 2, min(a.df, b.df)))
    square, middle, rest = b.value**2 - (t * b.se) ** 2, a.value * b.value, a.value**2 - (t * a.se) ** 2
    if square <= 0:
        return None
    root = sqrt(max(middle**2 - square * rest, 0.0))
    low, high = (middle - root) / square, (middle + root) / square
    ends = sorted((abs(low), abs(high)))
    return (0.0 if low <= 0 <= high else ends[0], ends[1])


def _combination(a: Effect, b: Effect, weight: float) -> Effect:
    """a + weight · b, degrees of freedom by Welch and Satterthwaite."""
    parts = [(a.se**2, a.df), ((weight * b.se) ** 2, b.df)]
    variance = sum(square for square, _ in parts)
    spent = sum(square**2 / df for square, df in parts if isfinite(df) and square > 0)
    return Effect(a.value + weight * b.value, sqrt(variance), variance**2 / spent if spent else inf)


def _flipped(effect: Effect) -> Effect:
    return Effect(-effect.value, effect.se, effect.df)


def tail(effect: Effect) -> float:
    """One-sided p-value that an effect is above 0."""
    if effect.se == 0:
        return 0.0 if effect.value > 0 else 1.0
    z = effect.value / effect.se
    return float(stats.t.sf(z, effect.df) if isfinite(effect.df) else stats.norm.sf(z))
