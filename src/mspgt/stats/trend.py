"""A line through a few points, with the interval that so few allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import linregress, t


@dataclass(frozen=True)
class Trend:
    """Least-squares slope of y on x with its t interval; n points."""

    slope: float
    ci: tuple[float, float]
    n: int


def trend(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Trend:
    """Slope of y on x by least squares, its interval from Student's t with n − 2 degrees of freedom.

    Args:
        x: (points,), at least three of them at three places or more.
        y: (points,).
        level: of the interval.

    Raises:
        ValueError: fewer than three places: two points lie on a line whatever they are.
    """
    places, values = np.asarray(x, float), np.asarray(y, float)
    if len(np.unique(places)) < 3 or places.shape != values.shape:
        raise ValueError(f"expected points at three places or more, found {len(np.unique(places))}")
    line = linregress(places, values)
    half = float(t.ppf(0.5 + level / 2, len(places) - 2)) * float(line.stderr)
    slope = float(line.slope)
    return Trend(slope, (slope - half, slope + half), len(places))
