"""Sizes of effects over models: the ratio test holds its level at the threshold, however small what stands below."""

import numpy as np
import pytest
from scipy import stats

from mspgt.predictions.effects import pooled
from mspgt.predictions.ratios import Effect, p_exceeds, size_ratio


def families(rng, sizes, spreads, errors, n):
    """Two families of models whose effects are log-normal about sizes, each measured with an error."""
    return [
        [
            Effect(
                float(size * np.exp(spread * rng.standard_normal()) + error * rng.standard_normal()), error
            )
            for _ in range(n)
        ]
        for size, spread, error in zip(sizes, spreads, errors, strict=True)
    ]


@pytest.mark.parametrize("n", [3, 10])
@pytest.mark.parametrize("spreads", [(0.15, 0.15), (1.0, 1.0), (0.05, 0.8), (0.8, 0.05)])
@pytest.mark.parametrize("error", [0.01, 0.3, 1.0])
def test_a_ratio_at_the_threshold_is_rarely_called_larger(n, spreads, error):
    rng = np.random.default_rng(1)
    found = [p_exceeds(*families(rng, (5.0, 1.0), spreads, (error, error), n), 5.0) for _ in range(400)]
    assert np.mean(np.array(found) <= 0.05) <= 0.08  # 5 % and three standard errors of 400


@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_noise_is_no_brittleness(truth):
    """What is measured badly in one family alone looks large there."""
    rng = np.random.default_rng(2)
    found = [p_exceeds(*families(rng, (truth, truth), (0.1, 0.1), (30.0, 0.3), 5), 5.0) for _ in range(400)]
    assert np.mean(np.array(found) <= 0.05) <= 0.08


def test_three_models_a_family_show_the_ratio_that_the_paper_claims():
    """40 times as brittle, at a thousandth of the level; a ratio of arithmetic means has two degrees of freedom."""
    rng = np.random.default_rng(3)
    found = [p_exceeds(*families(rng, (40.0, 1.0), (0.15, 0.15), (0.1, 0.1), 3), 5.0) for _ in range(200)]
    assert np.mean(np.array(found) <= 0.00125) >= 0.8


def test_the_direction_of_an_effect_does_not_matter():
    rng = np.random.default_rng(4)
    strong, weak = families(rng, (40.0, 1.0), (0.1, 0.1), (0.1, 0.1), 3)
    turned = [Effect(-one.value, one.se) for one in strong]
    assert p_exceeds(strong, weak, 5.0) == p_exceeds(turned, weak, 5.0) < 0.01
    assert p_exceeds(weak, strong, 5.0) > 0.99


def test_models_that_disagree_on_the_direction_are_not_told_from_none():
    mixed = [Effect(20.0, 1.0), Effect(-20.0, 1.0), Effect(0.3, 1.0)]
    assert p_exceeds(mixed, [Effect(0.1, 0.01)] * 3, 5.0) > 0.05


def test_the_interval_covers():
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(600):
        found = size_ratio(*families(rng, (6.0, 2.0), (0.3, 0.3), (0.05, 0.05), 4))[1]
        inside.append(found is not None and found[0] <= 3.0 <= found[1])
    assert 0.93 <= np.mean(inside) <= 0.98


def test_nothing_bounds_a_ratio_to_nothing():
    nothing = [Effect(0.1, 1.0), Effect(-0.2, 1.0), Effect(0.3, 1.0)]
    ratio, interval = size_ratio([Effect(40.0, 2.0)] * 3, nothing)
    assert ratio > 100
    assert interval is None


def test_effects_known_exactly():
    assert p_exceeds([Effect(6.0, 0.0)] * 3, [Effect(1.0, 0.0)] * 3, 5.0) < 1e-9
    assert p_exceeds([Effect(4.0, 0.0)] * 3, [Effect(1.0, 0.0)] * 3, 5.0) > 1 - 1e-9


def test_pooled_is_the_t_interval_of_the_members():
    values = [1.0, 2.0, 4.0]
    found = pooled([Effect(v, 0.01) for v in values])
    assert found.value == pytest.approx(np.mean(values))
    assert found.se == pytest.approx(stats.sem(values))
    assert found.df == 2
