"""Mutual information between representations, in nats: Gaussian with its bias removed, and nearest neighbours.

For a deterministic network I(X; h_l) is infinite or constant (equation 25 says nothing then), so nothing here
claims it. What is estimated is the information between k principal components of two layers, as if Gaussian: a
lower bound on what any reader gets where only correlations count, and comparable across layers.

The determinant of a sample covariance is too small on average. For Gaussian rows E log|S| is known (Wishart):

    E log|S| = log|Σ| + Σ_{i<p} ψ((ν − i) / 2) + p log(2/ν),    ν = n − 1 degrees of freedom

so each entropy is corrected exactly (Misra, Singh & Demchuk 2005). Rows of one text are not independent, which makes
the effective n smaller: `shuffled` measures what bias is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from scipy.special import digamma

from mspgt.errors import InputError, NumericsError

Array = NDArray[np.float64]

MAX_COMPONENTS = 128  # validated on planted chains up to here; raw d = 4,096 would be off by hundreds of nats
ROWS_PER_COLUMN = 5  # rows for each column of the largest covariance
LARGEST_CONDITION = 1e10  # of a correlation matrix; beyond it the determinant is rounding
NEIGHBOUR_DIMENSIONS = 3  # of both variables together; at 16 nearest neighbours miss 77 % of the truth


@dataclass(frozen=True)
class Covariance:
    """Sums over rows of joint data, so that rows may be added or taken away: (columns,), (columns, columns)."""

    rows: int
    total: Array
    square: Array

    @classmethod
    def of(cls, data: Array) -> Covariance:
        """Of data near 0: columns with a mean far from it (beside their spread) lose digits."""
        return cls(len(data), data.sum(0), data.T @ data)

    def __sub__(self, other: Covariance) -> Covariance:
        return Covariance(self.rows - other.rows, self.total - other.total, self.square - other.square)

    def correlation(self) -> Array:
        """Correlation matrix; information does not depend on scales.

        Raises:
            NumericsError: a column is constant, or columns are (nearly) linear in one another.
        """
        mean = self.total / self.rows
        cov = self.square / self.rows - np.outer(mean, mean)
        size = self.square.diagonal() / self.rows
        constant = cov.diagonal() <= 1e-12 * np.maximum(size, 1e-300)
        if constant.any():
            raise NumericsError(
                f"{int(constant.sum())} of {len(cov)} columns are constant: their information is undefined. "
                "Drop them, or take fewer principal components."
            )
        scale = np.sqrt(cov.diagonal())
        return np.asarray(cov / scale / scale[:, None])


def gaussian_information(x: ArrayLike, y: ArrayLike) -> float:
    """I(x; y) in nats for jointly Gaussian rows, unbiased.

    Args:
        x: (rows, p), p ≤ 128. y: (rows, q), q ≤ 128, of the same rows.

    Raises:
        InputError: too many columns, or fewer than 5 rows a column: outside the validated range.
        NumericsError: a singular covariance (constant, duplicated or linearly dependent columns).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(10_000, 2)); y = x + rng.normal(size=(10_000, 2))
        >>> round(gaussian_information(x, y), 1)  # exactly log 2
        0.7
    """
    data, (p, _) = _joint(x, y)
    return information_from(Covariance.of(_centred(data)), p)


def conditional_information(x: ArrayLike, y: ArrayLike, given: ArrayLike) -> float:
    """I(x; y | given) in nats for jointly Gaussian rows, unbiased; arguments and errors as above."""
    data, (p, q, _) = _joint(x, y, given)
    return conditional_from(Covariance.of(_centred(data)), p, q)


def information_from(sums: Covariance, p: int) -> float:
    """I(first p columns; the others) from sums over rows."""
    r = sums.correlation()
    first, second = slice(0, p), slice(p, len(r))
    return (
        _entropy(r[first, first], sums.rows) + _entropy(r[second, second], sums.rows) - _entropy(r, sums.rows)
    )


def conditional_from(sums: Covariance, p: int, q: int) -> float:
    """I(first p columns; next q columns | the others) from sums over rows."""
    r = sums.correlation()
    a, b, c = np.arange(p), np.arange(p, p + q), np.arange(p + q, len(r))
    ac, bc = np.concatenate([a, c]), np.concatenate([b, c])
    parts = (r[np.ix_(ac, ac)], r[np.ix_(bc, bc)], r, r[np.ix_(c, c)])
    one, two, whole, third = (_entropy(part, sums.rows) for part in parts)
    return one + two - whole - third


def bias_of_plug_in(columns: int, rows: int) -> float:
    """E ½ log|S| − ½ log|Σ| in nats for Gaussian rows: how much too small a plug-in entropy is."""
    freedom = rows - 1
    i = np.arange(columns)
    return float(0.5 * (digamma((freedom - i) / 2).sum() + columns * np.log(2 / freedom)))


def shuffled(x: Array, y: Array, *, draws: int, seed: int) -> Array:
    """I(x; y) after y is turned round by a random number of rows, (draws,): what is left is bias.

    Rows must be in the order of the text; turning keeps their dependence, which a free shuffle would destroy.
    """
    rng = np.random.default_rng(seed)
    n = len(x)
    offsets = rng.integers(n // 4, n - n // 4, size=draws)
    return np.array([gaussian_information(x, np.roll(y, int(offset), axis=0)) for offset in offsets])


def nearest_neighbour_information(x: ArrayLike, y: ArrayLike, *, neighbours: int = 4) -> float:
    """I(x; y) in nats without a Gaussian assumption (Kraskov, Stögbauer & Grassberger 2004, estimator 1).

    Raises:
        InputError: more than three columns in all. The estimator fails silently in more dimensions.
    """
    a, b = (_matrix(value) for value in (x, y))
    columns = a.shape[1] + b.shape[1]
    if columns > NEIGHBOUR_DIMENSIONS:
        raise InputError(
            f"Nearest-neighbour information is validated up to {NEIGHBOUR_DIMENSIONS} columns in all, found "
            f"{columns}: at 16 it misses three quarters of the truth. Use gaussian_information, or fewer components."
        )
    n = len(a)
    if len(b) != n or n <= 10 * neighbours:
        raise InputError(
            f"Expected the same rows twice, more than {10 * neighbours}, found {n} and {len(b)}."
        )
    a, b = ((v - v.mean(0)) / v.std(0) for v in (a, b))
    joint = cKDTree(np.hstack([a, b]))
    reach = joint.query(joint.data, k=neighbours + 1, p=np.inf)[0][:, -1]
    inside = np.nextafter(reach, 0)
    counts = [cKDTree(v).query_ball_point(v, inside, p=np.inf, return_length=True) for v in (a, b)]
    return float(digamma(neighbours) + digamma(n) - np.mean(digamma(counts[0]) + digamma(counts[1])))


def canonical_pair(x: Array, y: Array) -> tuple[Array, Array, float]:
    """The most correlated linear readings of x and of y, each (rows,), and their correlation."""
    a, b = (np.linalg.qr(v - v.mean(0))[0] for v in (x, y))
    left, values, right = np.linalg.svd(a.T @ b)
    return a @ left[:, 0], b @ right[0], float(values[0])


def _entropy(correlation: Array, rows: int) -> float:
    """½ log|R| with the Wishart bias removed; the constants of a Gaussian entropy cancel in every difference."""
    values = np.linalg.eigvalsh(correlation)
    if values[0] <= values[-1] / LARGEST_CONDITION:
        raise NumericsError(
            f"The covariance of {len(values)} columns is singular (smallest eigenvalue {values[0]:.1e}): columns are "
            "duplicated or linear in one another. Take fewer principal components."
        )
    return float(0.5 * np.log(values).sum()) - bias_of_plug_in(len(values), rows)


def _centred(data: Array) -> Array:
    """Columns without their means; one that is constant up to rounding becomes exactly 0, and is told as constant."""
    found = data - data.mean(0)
    found[:, np.abs(found).max(0) <= 1e-13 * np.abs(data).max(0)] = 0.0
    return found


def _matrix(value: ArrayLike) -> Array:
    array = np.asarray(value, dtype=np.float64)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not np.isfinite(array).all():
        raise InputError(
            f"Expected finite rows (rows, columns), found shape {array.shape} or values that are not."
        )
    return array


def _joint(*values: ArrayLike) -> tuple[Array, tuple[int, ...]]:
    parts = [_matrix(value) for value in values]
    rows, widths = {len(part) for part in parts}, tuple(part.shape[1] for part in parts)
    if len(rows) > 1:
        raise InputError(f"Expected the same rows in every argument, found {sorted(rows)}.")
    require_validated(rows.pop(), widths)
    return np.hstack(parts), widths


def require_validated(rows: int, widths: tuple[int, ...]) -> None:
    """InputError outside the range in which the Gaussian estimator was validated."""
    if max(widths) > MAX_COMPONENTS:
        raise InputError(
            f"Gaussian information is validated up to {MAX_COMPONENTS} components a variable, found {max(widths)}: "
            "project on principal components first (at d = 4,096 and 10,000 rows the bias is about 839 nats)."
        )
    least = ROWS_PER_COLUMN * sum(widths)
    if rows < least:
        raise InputError(
            f"Gaussian information of {sum(widths)} columns needs at least {least} rows, found {rows}: give more "
            f"text, or at most {max(1, rows // ROWS_PER_COLUMN // len(widths))} components a variable."
        )
