import pytest
from scipy.stats import binomtest

from mspgt.errors import InputError
from mspgt.stats.coverage import clopper_pearson, rate_lower, rate_upper


@pytest.mark.parametrize(
    ("successes", "trials"), [(0, 1), (1, 1), (0, 20), (1, 20), (7, 40), (20, 20), (53, 1_000)]
)
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_agrees_with_scipy(successes, trials, level):
    exact = binomtest(successes, trials).proportion_ci(level, method="exact")
    assert clopper_pearson(successes, trials, level) == pytest.approx((exact.low, exact.high))
    upper = binomtest(successes, trials, alternative="less").proportion_ci(level, method="exact")
    lower = binomtest(successes, trials, alternative="greater").proportion_ci(level, method="exact")
    assert rate_upper(successes, trials, level) == pytest.approx(upper.high)
    assert rate_lower(successes, trials, level) == pytest.approx(lower.low)


@pytest.mark.parametrize(
    ("successes", "trials", "level"), [(3, 2, 0.95), (-1, 5, 0.95), (0, 0, 0.95), (1, 2, 1), (1, 2, 0)]
)
def test_rejects(successes, trials, level):
    with pytest.raises(InputError):
        rate_upper(successes, trials, level)
