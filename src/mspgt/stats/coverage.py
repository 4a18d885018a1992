"""Exact binomial bounds: what a count of successes in simulation says about the rate behind it."""

from scipy import stats

from mspgt.errors import InputError


def clopper_pearson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval of a proportion (Clopper & Pearson 1934)."""
    tail = (1 - level) / 2
    return rate_lower(successes, trials, 1 - tail), rate_upper(successes, trials, 1 - tail)


def rate_upper(successes: int, trials: int, level: float = 0.95) -> float:
    """Exact one-sided upper bound of a proportion."""
    _check(successes, trials, level)
    return 1.0 if successes == trials else float(stats.beta.ppf(level, successes + 1, trials - successes))


def rate_lower(successes: int, trials: int, level: float = 0.95) -> float:
    """Exact one-sided lower bound of a proportion."""
    _check(successes, trials, level)
    return 0.0 if successes == 0 else float(stats.beta.ppf(1 - level, successes, trials - successes + 1))


def _check(successes: int, trials: int, level: float) -> None:
    if trials < 1 or not 0 <= successes <= trials:
        raise InputError(f"expected 0 <= successes <= trials and trials >= 1, found {successes} of {trials}")
    if not 0 < level < 1:
        raise InputError(f"level is a probability between 0 and 1, found {level}")
