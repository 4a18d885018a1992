"""Permutation tests: exact enumeration where it is small, random draws with the +1 correction elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError

Alternative = Literal["two-sided", "greater", "less"]
Statistic = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class PermutationTest:
    """Outcome of a permutation test; `exact` says whether every arrangement was enumerated."""

    statistic: float
    p: float
    permutations: int
    exact: bool


def mean_difference(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of x less mean of y over the last axis."""
    difference: NDArray[np.float64] = x.mean(axis=-1) - y.mean(axis=-1)
    return difference


def paired_permutation(
    differences: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    alternative: Alternative = "two-sided",
    draws: int = 9_999,
    seed: int = 0,
) -> PermutationTest:
    """Sign-flip test that paired differences are symmetric about 0; the statistic is their mean.

    Args:
        differences: (pairs,).
        groups: (pairs,) label of the document of each pair. All pairs of a group flip together, so that
            dependence within a document does not count as evidence.
        draws: random sign vectors; all 2^groups are enumerated when they are no more than `draws` + 1.

    Raises:
        InputError: fewer than one pair, a value that is not finite, or groups of another length.
    """
    values = _finite(differences, "differences")
    total = values if groups is None else _group_sums(values, np.asarray(groups))
    n = total.size
    exact = n < 63 and 2**n <= draws + 1
    if exact:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        null = signs @ total
    else:
        # Blocks keep the sign matrix small when there are thousands of pairs.
        rng = np.random.default_rng(seed)
        null = np.empty(draws)
        for start in range(0, draws, 1_000):
            block = null[start : start + 1_000]
            block[:] = (1.0 - 2.0 * rng.integers(0, 2, size=(block.size, n), dtype=np.int8)) @ total
    return _outcome(float(total.sum()) / values.size, null / values.size, exact, alternative)


def permutation_test(
    x: ArrayLike,
    y: ArrayLike,
    statistic: Statistic = mean_difference,
    *,
    alternative: Alternative = "two-sided",
    draws: int = 9_999,
    seed: int = 0,
) -> PermutationTest:
    """Test that two independent samples come from one distribution, by exchanging their members.

    Args:
        x, y: (n,) and (m,).
        statistic: maps arrays (arrangements, n) and (arrangements, m) to (arrangements,). A two-sided p
            value takes the magnitude of the statistic, which must therefore be centred on 0.
        draws: random arrangements; all of them are enumerated when they are no more than `draws` + 1.
    """
    first, second = _finite(x, "x"), _finite(y, "y")
    pooled = np.concatenate([first, second])
    n = first.size
    exact = comb(pooled.size, n) <= draws + 1
    if exact:
        chosen = np.array(list(combinations(range(pooled.size), n)))
        mask = np.zeros((len(chosen), pooled.size), dtype=bool)
        np.put_along_axis(mask, chosen, True, axis=1)
        order = np.argsort(~mask, axis=1, kind="stable")
    else:
        rng = np.random.default_rng(seed)
        order = rng.permuted(np.tile(np.arange(pooled.size), (draws, 1)), axis=1)
    null = statistic(pooled[order[:, :n]], pooled[order[:, n:]])
    observed = float(statistic(first[None], second[None])[0])
    return _outcome(observed, null, exact, alternative)


def p_value(
    observed: float, null: NDArray[np.float64], *, exact: bool = False, alternative: Alternative = "greater"
) -> float:
    """Share of the null as extreme as the observed statistic.

    Random draws take (1 + count) / (1 + draws), which counts the observed arrangement itself and so never
    gives 0 (Phipson & Smyth 2010); an enumerated null already holds it.
    """
    # Sums of the same numbers in another order differ in their last bits; they are ties all the same.
    slack = 1e-12 * max(abs(observed), float(np.abs(null).max(initial=0.0)))
    if alternative == "two-sided":
        extreme = np.abs(null) >= abs(observed) - slack
    elif alternative == "greater":
        extreme = null >= observed - slack
    elif alternative == "less":
        extreme = null <= observed + slack
    else:
        raise InputError(f"alternative is 'two-sided', 'greater' or 'less', found {alternative!r}")
    one = 0 if exact else 1
    return float((extreme.sum() + one) / (null.size + one))


def _outcome(
    observed: float, null: NDArray[np.float64], exact: bool, alternative: Alternative
) -> PermutationTest:
    p = p_value(observed, null, exact=exact, alternative=alternative)
    return PermutationTest(statistic=observed, p=p, permutations=null.size, exact=exact)


def _finite(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise InputError(
            f"{name} must be a non-empty list of finite numbers, found shape {array.shape} with "
            f"{int((~np.isfinite(array)).sum())} values that are not finite; drop and count those first"
        )
    return array


def _group_sums(values: NDArray[np.float64], groups: NDArray[np.generic]) -> NDArray[np.float64]:
    if groups.shape != values.shape:
        raise InputError(f"groups must label every difference: {values.shape} expected, found {groups.shape}")
    _, index = np.unique(groups, return_inverse=True)
    return np.bincount(index, weights=values).astype(np.float64)
