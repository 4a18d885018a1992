import numpy as np
import pytest
from scipy import stats

from mspgt.errors import InputError
from mspgt.stats.equivalence import tost, tost_estimate


@pytest.mark.parametrize(("mean", "n"), [(0.0, 30), (0.15, 50), (0.4, 10), (-0.9, 20), (0.1, 2)])
def test_agrees_with_two_scipy_t_tests(mean, n):
    sample = np.random.default_rng(n).normal(mean, 0.5, size=n)
    above = stats.ttest_1samp(sample, -0.3, alternative="greater").pvalue
    below = stats.ttest_1samp(sample, 0.3, alternative="less").pvalue
    ours = tost(sample, -0.3, 0.3)
    assert ours.p == pytest.approx(max(above, below))
    interval = stats.ttest_1samp(sample, 0).confidence_interval(0.9)
    assert ours.ci == pytest.approx((interval.low, interval.high))
    assert ours.equivalent == (ours.ci[0] > -0.3 and ours.ci[1] < 0.3)


def test_size_at_the_edge_of_the_bounds():
    rng = np.random.default_rng(0)
    claims = sum(tost(rng.normal(0.5, 1, size=40), -0.5, 0.5).equivalent for _ in range(400))
    assert stats.binomtest(claims, 400, 0.05, alternative="greater").pvalue > 0.001


def test_normal_theory_and_no_spread():
    assert tost_estimate(0.0, 0.1, np.inf, -1, 1).ci[1] == pytest.approx(0.1 * stats.norm.ppf(0.95))
    assert tost([0.2, 0.2, 0.2], -1, 1).equivalent
    # Whole halves, whose mean is exactly they: there is no spread at all.
    for value, p in ((0.25, 0.0), (2.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (-3.0, 1.0)):
        found = tost([value] * 3, -1, 1)
        assert (found.p, found.equivalent, found.ci) == (p, p == 0.0, (value, value))


def test_a_p_at_the_level_is_no_evidence():
    sample = np.random.default_rng(3).normal(0.1, 0.5, 12)
    p = tost(sample, -0.3, 0.3).p
    at, above = (tost(sample, -0.3, 0.3, level=level) for level in (p, p + 1e-9))
    assert not at.equivalent
    assert above.equivalent
    assert at.ci[1] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("sample", "low", "high", "why"),
    [
        ([1.0], -1, 1, "at least 2 finite numbers"),
        ([1.0, np.nan], -1, 1, "at least 2 finite numbers"),
        ([[1.0, 2.0], [3.0, 5.0]], -1, 1, "at least 2 finite numbers"),
        ([1.0, 2.0], 1, -1, "in order"),
        ([1.0, 2.0], 1, 1, "in order"),
    ],
)
def test_rejects(sample, low, high, why):
    with pytest.raises(InputError, match=why):
        tost(sample, low, high)


def test_rejects_an_estimate_without_a_standard_error():
    with pytest.raises(InputError):
        tost_estimate(0.1, np.nan, 10, -1, 1)
    with pytest.raises(InputError):
        tost_estimate(0.1, 0.1, 10, -1, 1, level=0.7)
    for level in (0.0, 0.5):
        with pytest.raises(InputError, match="below one half"):
            tost_estimate(0.1, 0.1, 10, -1, 1, level=level)
    with pytest.raises(InputError):
        tost_estimate(0.1, 0.1, 0, -1, 1)
