"""Permutation tests: exact enumeration where it is small, random draws with the +1 correction elsewhere."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True)
class PermutationTest:
    """Outcome of a permutation test; `exact` says whether every arrangement was enumerated."""

    statistic: float
    p: float
    permutations: int
    exact: bool


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


def p_value(
    observed: float, null: NDArray[np.float64], *, exact: bool = False, alternative: Alternative = "greater"
) -> float:
    """Share of the null as extreme as the observed statistic.

    Random draws take (1 + count) / (1 + draws), which counts the observed arrangement itself and so never
    gives 0 (Phipson & Smyth 2010); an enumerated null already holds it.

    Raises:
        InputError: a value that is not finite; it would count as less extreme than anything.
    """
    if not (np.isfinite(observed) and np.isfinite(null).all()):
        raise InputError(
            f"a p-value needs finite statistics, found {observed} against a null with "
            f"{int((~np.isfinite(null)).sum())} values that are not finite; drop and count those first"
        )
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
