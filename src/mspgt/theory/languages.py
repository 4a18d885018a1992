"""Equation 23, β_s ∝ 1/H(Z_s | Z_<s), held as a hypothesis against planted languages whose entropies are known.

It is no theorem: in Gaussian rate–distortion the multiplier at a given rate *grows* with entropy, and under log-loss
it is 1 at every rate below the entropy. What equation 23 speaks of is the entropy of the very variable that is
compressed, so its slope is that of the planted sources themselves (`planted_slopes`), whose multipliers are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError
from mspgt.stats.bootstrap import expanded_interval
from mspgt.synthetic.triscale import TriScale
from mspgt.theory.rate_distortion import entropy_of, multiplier_at, planted_sources

Array = NDArray[np.float64]

CLAIM = -1.0  # the slope of equation 23
LEAST = 12  # languages, and distinct entropies of a scale, that a slope is told from


@dataclass(frozen=True)
class Slope:
    """Log–log slope of β on H over languages, with its 95 % interval over languages."""

    slope: float
    ci: tuple[float, float]
    languages: int


def equation23(entropy: Array, beta: Array, *, draws: int = 2000, seed: int = 0) -> Slope:
    """Slope of log β on log H with an interval of a bootstrap over languages, whose percentiles are expanded.

    Args:
        entropy, beta: (languages, scales); every scale has an intercept of its own. NaN: not measured.

    Raises:
        InputError: fewer than 12 languages with a finite multiplier, or fewer than 12 distinct entropies of a scale.
    """
    known = np.isfinite(beta).all(1)
    if known.sum() < LEAST:
        raise InputError(f"Equation 23 is tested on at least {LEAST} languages, found {int(known.sum())}.")
    distinct = min(len(np.unique(np.round(column, 9))) for column in entropy[known].T)
    if distinct < LEAST:
        raise InputError(
            f"Equation 23 is tested on at least {LEAST} distinct entropies of a scale, found {distinct}: languages "
            "that share one are one piece of evidence."
        )
    x, y = np.log(entropy[known]), np.log(beta[known])
    n = len(x)
    rng = np.random.default_rng(seed)
    slopes = [_within(x, y)]
    for _ in range(draws):
        chosen = rng.integers(0, n, n)
        slopes.append(_within(x[chosen], y[chosen]))
    low, high = expanded_interval(slopes[1:], n)
    return Slope(float(slopes[0]), (float(low), float(high)), n)


def varied_languages() -> tuple[TriScale, ...]:
    """Fourteen languages with as many entropies of templates and of words; topics have only seven."""
    skews, zipfs = np.linspace(0.2, 2.2, 14), np.linspace(0.3, 1.9, 14)
    # Entropies of two scales that rose together could not be told apart: the order of words is shuffled.
    order = np.random.default_rng(0).permutation(14)
    return tuple(
        TriScale(topics=2 + i % 7, template_skew=float(skews[i]), zipf=float(zipfs[order[i]]))
        for i in range(14)
    )


@cache
def planted_slopes() -> dict[str, Any]:
    """Equation 23 on the planted sources of `varied_languages`: exact multipliers at one rate a scale.

    Returns:
        `languages` (name, entropy_nats and multiplier of G, I, L), `common_rate_nats` (half of the least entropy of a
        scale), and `slopes` of each scale and of `all` that have enough distinct entropies; null with a reason else.
    """
    languages = varied_languages()
    sources = [planted_sources(language) for language in languages]
    entropy = np.array([[entropy_of(one[scale]) for scale in "GIL"] for one in sources])
    target = entropy.min(0) / 2
    beta = np.array(
        [[multiplier_at(one[scale], target[at]) for at, scale in enumerate("GIL")] for one in sources]
    )
    slopes = {scale: _told(entropy[:, [at]], beta[:, [at]]) for at, scale in enumerate("GIL")}
    able = [at for at, scale in enumerate("GIL") if slopes[scale]["slope"] is not None]
    slopes["all"] = {**_told(entropy[:, able], beta[:, able]), "scales": ["GIL"[at] for at in able]}
    rows = [
        {"language": language.name, "entropy_nats": h.tolist(), "multiplier": b.tolist()}
        for language, h, b in zip(languages, entropy, beta, strict=True)
    ]
    return {"languages": rows, "common_rate_nats": target.tolist(), "slopes": slopes}


def _told(entropy: Array, beta: Array) -> dict[str, Any]:
    try:
        found = equation23(entropy, beta)
    except InputError as error:
        return {"slope": None, "ci": None, "reason": str(error)}
    return {"slope": found.slope, "ci": list(found.ci), "count": found.languages}


def _within(x: Array, y: Array) -> float:
    """Least-squares slope common to all scales, each with its own intercept."""
    dx, dy = x - x.mean(0), y - y.mean(0)
    return float((dx * dy).sum() / max((dx * dx).sum(), 1e-300))
