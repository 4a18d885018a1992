"""A line through a few points, against another least-squares routine, and where it is refused."""

import numpy as np
import pytest
from scipy.stats import t

from mspgt.stats.trend import trend


def test_slope_and_interval_are_those_of_a_polynomial_fit():
    rng = np.random.default_rng(0)
    x = np.log2([1e6, 3e6, 1e7, 1e8, 7e8])
    y = 0.2 + 0.03 * x + 0.02 * rng.standard_normal(5)
    found, (line, covariance) = trend(x, y), np.polyfit(x, y, 1, cov=True)
    assert found.n == 5
    assert found.slope == pytest.approx(line[0])
    assert found.ci[1] - found.slope == pytest.approx(t.ppf(0.975, 3) * covariance[0, 0] ** 0.5)
    assert found.slope - found.ci[0] == pytest.approx(found.ci[1] - found.slope)


def test_the_interval_holds_the_slope_as_often_as_it_says():
    rng = np.random.default_rng(1)
    x = np.arange(4.0)
    held = 0
    for _ in range(1000):
        low, high = trend(x, 0.5 * x + rng.standard_normal(4)).ci
        held += low <= 0.5 <= high
    assert abs(held / 1000 - 0.95) < 0.025


def test_two_places_give_no_line():
    with pytest.raises(ValueError, match="three places"):
        trend([1.0, 1.0, 2.0], [0.1, 0.2, 0.3])


def test_three_places_are_enough():
    found = trend([0.0, 1.0, 2.0], [0.0, 1.1, 2.0])
    assert found.slope == pytest.approx(1.0)
    assert found.ci[1] - found.slope == pytest.approx(t.ppf(0.975, 1) * 0.1 / 3**0.5)
