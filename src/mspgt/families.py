"""Experiment 3: how consistent boundary positions are within a family of models, and how families differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from math import inf, sqrt

import numpy as np
from scipy import stats

from mspgt.errors import InputError
from mspgt.results.families import Consistency, DriftResult
from mspgt.vocabulary import BOUNDARIES

MIN_MEMBERS = 3

Position = Sequence[float] | float | None
Families = Mapping[str, Mapping[str, Mapping[str, Position]]]


@dataclass(frozen=True)
class Offset:
    """Difference of family means, first less second, with Welch's 95 % interval."""

    boundary: str
    first: str
    second: str
    offset: float
    ci: tuple[float, float] | None
    offset_paper: float
    underpowered: bool


@dataclass(frozen=True)
class FamilyComparison:
    """`families[name][boundary]` and the offsets between every two families.

    A figure that cannot be computed is None, with the reason; the upper end of a `ci` is `inf` where the data set no
    limit.
    """

    families: dict[str, dict[str, Consistency]]
    offsets: list[Offset]


def compare_families(families: Families) -> FamilyComparison:
    """Consistency within families and offset between them (section 4.3, Table 3).

    Args:
        families: {family: {model: {"LI": position, "IG": position}}}, where a position is a pair
            (layer, layers), a relative depth between 0 and 1, or None where that model has no such boundary.

    Raises:
        InputError: an unknown boundary name, or a position outside the model.

    Example:
        >>> qwen = {"Qwen1.5-7B": {"LI": (2, 32)}, "Qwen2.5-7B": {"LI": (2, 28)}}
        >>> found = compare_families({"qwen": qwen}).families["qwen"]["LI"]
        >>> round(found.cv_paper, 2), found.underpowered
        (0.06, True)
    """
    for family, models in families.items():
        for model, boundaries in models.items():
            unknown = sorted(set(boundaries) - set(BOUNDARIES))
            if unknown:
                raise InputError(f"{family}/{model}: boundaries are named LI and IG; found {unknown}")
    compared = {
        family: {
            boundary: _family_boundary({model: found.get(boundary) for model, found in models.items()})
            for boundary in BOUNDARIES
        }
        for family, models in families.items()
    }
    offsets = [
        _offset(boundary, first, second, compared[first][boundary], compared[second][boundary])
        for boundary in BOUNDARIES
        for first, second in combinations(compared, 2)
        if compared[first][boundary].members and compared[second][boundary].members
    ]
    return FamilyComparison(compared, offsets)


def cv_interval(cv: float, n: int, level: float = 0.95, rounding: float = 0.0) -> tuple[float, float]:
    """Interval of a coefficient of variation of n normal values (Vangel 1996, modified McKay).

    For a true CV up to 0.5 its coverage is within a percentage point of nominal at every n >= 2.

    Args:
        cv: sd / mean with ddof 1, mean > 0.
        rounding: largest rounding error of a value over the mean; half a layer where positions are whole
            layers. Members at one and the same layer have a CV of 0 but no certainty, and members on either
            side of a half have a CV without a spread: the upper end is that of a CV no smaller than rounding
            alone produces on average, the lower end that of what rounding cannot explain.

    Returns:
        Lower and upper end; the upper is `inf` where even a mean of 0 cannot be excluded.
    """
    if n < 2 or not cv >= 0:
        raise InputError(f"an interval of a CV needs n >= 2 and cv >= 0, found n={n}, cv={cv}")
    tail = (1 - level) / 2

    def end(value: float, probability: float) -> float:
        u = float(stats.chi2.ppf(probability, n - 1))
        square = ((u + 2) / n - 1) * value**2 + u / (n - 1)
        return value / sqrt(square) if square > 0 else inf

    unexplained = max(cv - rounding * sqrt(n / (n - 1)), 0.0)
    return end(unexplained, 1 - tail), end(max(cv, rounding / sqrt(3)), tail)


def cv_p_values(cv: float, n: int, threshold: float, rounding: float = 0.0) -> tuple[float, float]:
    """One-sided p-values that the true CV of n normal values is below, and above, a threshold.

    They invert `cv_interval`: the first is at most 0.05 exactly when the upper end of the interval of level
    0.90 is at most the threshold, the second when the lower end is at least that.

    Args:
        cv, rounding: as in `cv_interval`.
        threshold: a CV > 0.
    """
    if n < 2 or not cv >= 0 or not threshold > 0:
        raise InputError(
            f"a test of a CV needs n >= 2, cv >= 0 and a threshold > 0; found {n}, {cv} and {threshold}"
        )

    def quantile(value: float) -> float:
        return value**2 * (1 / threshold**2 + 1 - 2 / n) / (value**2 / n + 1 / (n - 1))

    unexplained = max(cv - rounding * sqrt(n / (n - 1)), 0.0)
    below = float(stats.chi2.cdf(quantile(max(cv, rounding / sqrt(3))), n - 1))
    return below, float(stats.chi2.sf(quantile(unexplained), n - 1))


def _family_boundary(positions: Mapping[str, Position]) -> Consistency:
    depths = {model: _relative(model, position) for model, position in positions.items()}
    members = {model: depth for model, depth in depths.items() if depth is not None}
    tenths = {model: _tenths_of_percent(positions[model]) for model in members}
    values = np.array(list(members.values()))
    rounded = np.array(list(tenths.values())) / 10
    n = values.size

    reasons = []
    missing = [model for model in depths if model not in members]
    if missing:
        reasons.append(f"no boundary in {', '.join(missing)}: left out of every figure")
    if n < MIN_MEMBERS:
        reasons.append(f"underpowered: {n} members; a CV needs at least {MIN_MEMBERS} to mean much")

    mean = float(values.mean()) if n else None
    # The mean of equal floats may differ from them in the last bit, and 0 must stay 0.
    sd = (float(values.std(ddof=1)) if np.ptp(values) else 0.0) if n > 1 else None
    cv = ci = None
    if mean is not None and sd is not None:
        cv = sd / mean
        rounding = max(_half_a_layer(positions[model]) for model in members) / mean
        if cv or rounding:
            ci = cv_interval(cv, n, rounding=rounding)
        else:
            reasons.append("no interval: equal positions, given without layers, so of unknown precision")
    drift = [DriftResult(a, b, abs(members[b] - members[a])) for a, b in combinations(members, 2)]
    return Consistency(
        members=members,
        missing=missing,
        mean=mean,
        sd=sd,
        cv=cv,
        ci=ci,
        percent_paper={model: tenth / 10 for model, tenth in tenths.items()},
        mean_paper=float(rounded.mean()) if n else None,
        cv_paper=float(rounded.std() / rounded.mean()) if n > 1 and rounded.any() else None,
        drift=drift,
        max_drift=max((pair.drift for pair in drift), default=None),
        underpowered=n < MIN_MEMBERS,
        reasons=reasons,
    )


def _offset(boundary: str, first: str, second: str, a: Consistency, b: Consistency) -> Offset:
    x, y = (np.array(list(family.members.values())) for family in (a, b))
    offset = float(x.mean() - y.mean())
    ci = None
    if min(x.size, y.size) > 1 and (np.ptp(x) or np.ptp(y)):
        squares = np.array([family.var(ddof=1) / family.size for family in (x, y)])
        df = squares.sum() ** 2 / (squares**2 / (np.array([x.size, y.size]) - 1)).sum()
        margin = float(stats.t.ppf(0.975, df) * sqrt(squares.sum()))
        ci = (offset - margin, offset + margin)
    paper = [np.mean(list(family.percent_paper.values())) for family in (a, b)]
    return Offset(
        boundary=boundary,
        first=first,
        second=second,
        offset=offset,
        ci=ci,
        offset_paper=float(paper[0] - paper[1]),
        underpowered=a.underpowered or b.underpowered,
    )


def _relative(model: str, position: Position) -> float | None:
    if position is None:
        return None
    if isinstance(position, Sequence):
        if len(position) == 2 and 0 < position[0] < position[1]:
            return position[0] / position[1]
        raise InputError(f"{model}: expected (layer, layers) with 0 < layer < layers, found {position!r}")
    if 0 < position < 1:
        return float(position)
    raise InputError(f"{model}: expected a relative depth between 0 and 1, found {position!r}")


def _tenths_of_percent(position: Position) -> int:
    """Percentage rounded half-up to one decimal, times ten; exact for pairs of whole layers."""
    assert position is not None
    if isinstance(position, Sequence):
        layer, layers = position
        return int((2000 * layer + layers) // (2 * layers))
    # The shortest decimal of a float is what its author wrote: 0.0625 must round as 6.25 %.
    return int((Decimal(repr(float(position))) * 1000).quantize(Decimal(1), ROUND_HALF_UP))


def _half_a_layer(position: Position) -> float:
    return 0.5 / position[1] if isinstance(position, Sequence) else 0.0
