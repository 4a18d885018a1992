"""The ratio test holds its level at the threshold, whatever the denominator, and agrees with Fieller's interval."""

import numpy as np
import pytest
from scipy import stats

from mspgt.predictions.effects import pooled
from mspgt.predictions.ratios import Effect, p_exceeds, ratio_interval


@pytest.mark.parametrize("b", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("se", [(1.0, 1.0), (1.0, 0.05)])
def test_a_ratio_at_the_threshold_is_rarely_called_larger(b, se):
    rng = np.random.default_rng(1)
    draws = rng.standard_normal((2000, 2)) * se + [5 * b, b]
    found = [p_exceeds(Effect(x, se[0]), Effect(y, se[1]), 5.0) <= 0.05 for x, y in draws]
    assert np.mean(found) <= 0.06


@pytest.mark.parametrize("n", [2, 3])
def test_families_of_few_members_hold_the_level(n):
    rng = np.random.default_rng(2)
    found = []
    for _ in range(1000):
        a, b = rng.standard_normal((2, n)) + np.array([[5.0], [1.0]])
        # Members scatter by 1 although each is known to 0.1: what counts is the scatter.
        one, other = (pooled([Effect(float(v), 0.1) for v in values]) for values in (a, b))
        found.append(p_exceeds(one, other, 5.0) <= 0.05)
    assert np.mean(found) <= 0.06


def test_a_large_ratio_is_found_and_its_direction_does_not_matter():
    strong, weak = Effect(-40.0, 2.0), Effect(1.0, 1.0)
    assert p_exceeds(strong, weak, 5.0) < 1e-6
    assert p_exceeds(weak, strong, 5.0) == 1.0
    assert p_exceeds(Effect(40.0, 2.0), weak, 5.0) == p_exceeds(strong, weak, 5.0)


def test_an_effect_known_exactly():
    assert p_exceeds(Effect(6.0, 0.0), Effect(1.0, 0.0), 5.0) == 0.0
    assert p_exceeds(Effect(4.0, 0.0), Effect(1.0, 0.0), 5.0) == 1.0


def test_interval_and_test_agree():
    a, b = Effect(30.0, 2.0), Effect(4.0, 0.4)
    low, high = ratio_interval(a, b)
    assert low < 7.5 < high
    # Two-sided 95 %: each end is where the one-sided p, before it is doubled, is 0.025.
    assert p_exceeds(a, b, low) == pytest.approx(0.05, rel=1e-6)


def test_interval_covers():
    rng = np.random.default_rng(4)
    inside = []
    for x, y in rng.normal((12.0, 4.0), 1.0, size=(2000, 2)):
        ends = ratio_interval(Effect(x, 1.0), Effect(y, 1.0))
        inside.append(ends is None or ends[0] <= 3.0 <= ends[1])
    assert 0.93 <= np.mean(inside) <= 0.97


def test_nothing_bounds_a_ratio_to_nothing():
    assert ratio_interval(Effect(40.0, 2.0), Effect(1.0, 1.0)) is None


def test_one_member_of_few_documents_errs_no_more_than_it_says():
    rng, documents, level = np.random.default_rng(4), 5, 0.05
    errors = 0
    for first, second in rng.normal((10.0, 2.0), 1.0, size=(4000, documents, 2)).transpose(0, 2, 1):
        a, b = (
            Effect(float(x.mean()), float(x.std(ddof=1)) / documents**0.5, documents - 1)
            for x in (first, second)
        )
        errors += p_exceeds(a, b, 5.0) / 2 <= level
    assert errors / 4000 <= level + 0.012


def test_pooled_is_the_t_interval_of_the_members():
    values = [1.0, 2.0, 4.0]
    found = pooled([Effect(v, 0.01) for v in values])
    assert found.value == pytest.approx(np.mean(values))
    assert found.se == pytest.approx(stats.sem(values))
    assert found.df == 2
