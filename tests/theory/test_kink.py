"""The kink test on planted chains and on smooth curves: size, power and refusals."""

import numpy as np
import pytest
from calibration.oracles.chains import GaussianChain

from mspgt.errors import InputError, NumericsError
from mspgt.stats.coverage import rate_lower, rate_upper
from mspgt.stats.nulls import NullCell, null_profiles
from mspgt.theory.information import gaussian_information
from mspgt.theory.kink import caution, kink_test, straightened

PLANTED = (0.97,) * 7 + (0.90,) * 8 + (0.97,) * 8  # boundaries at 8 and 16 of 24 layers


def chain_profile(steps, seed, n=3000, width=16):
    x = GaussianChain(steps, width).sample(n, seed)
    nats = [gaussian_information(x[0], layer) for layer in x[1:]]
    return np.concatenate([[0.0], straightened(nats, width)])


def test_power_at_the_planted_chain():
    runs = [chain_profile(PLANTED, seed) for seed in range(30)]
    for boundary in (8, 16):
        found = sum(kink_test(run, boundary, (8, 16)).kinked for run in runs)
        assert rate_lower(found, 30, 0.9) > 0.9


def test_size_on_smooth_chains():
    runs = [chain_profile((0.97,) * 23, seed) for seed in range(40)]
    found = sum(kink_test(run, boundary, (8, 16)).kinked for run in runs for boundary in (8, 16))
    assert rate_upper(found, 80, 0.5) < 0.05


@pytest.mark.parametrize("background", ["flat", "u", "decay-3", "logistic-6", "sine-1"])
def test_size_on_smooth_curves_with_rough_layers(background):
    cell = NullCell(background, 0.3, "t4", "rising")
    curves = null_profiles(cell, 24, 200, 0, signals=1)[:, 0]
    found = sum(kink_test(curve, b, (8, 16)).kinked for curve in curves for b in (8, 16))
    assert found / 400 <= 0.05


@pytest.mark.parametrize(
    ("background", "roughness", "boundary", "pair"),
    [
        ("logistic-20", "falling", 10, (6, 10)),
        ("decay-1", "falling", 4, (4, 8)),
        ("logistic-20", "bulging", 14, (14, 16)),
    ],
)
def test_size_where_a_smooth_bend_hides_between_crowded_boundaries(background, roughness, boundary, pair):
    curves = null_profiles(NullCell(background, 0.7, "t4", roughness), 24, 3000, 1, signals=1)[:, 0]
    assert sum(kink_test(curve, boundary, pair).kinked for curve in curves) / 3000 <= 0.05


def test_caution_is_that_of_the_boundaries_and_never_below_one():
    assert caution(24, 8, (8, 16)) < 1.3 < 1.5 < caution(24, 10, (6, 10))
    assert caution(20, 5, (5, 10)) >= 1


def test_a_kink_is_found_where_it_is():
    rng = np.random.default_rng(0)
    x = np.arange(1.0, 31)
    y = 0.3 * x - 0.5 * np.maximum(x - 12, 0) + 0.01 * rng.standard_normal(30)
    found = kink_test(y, 12, (12, 20))
    assert found.layer == 12
    assert found.bend == pytest.approx(-0.5, abs=0.1)
    assert abs(found.expected) < 0.1
    assert found.kinked
    assert found.rank == 0
    assert not kink_test(y, 20, (12, 20)).kinked


def test_sampling_error_of_the_bend_is_the_least_that_counts():
    rng = np.random.default_rng(0)
    x = np.arange(1.0, 31)
    y = 0.3 * x - 0.5 * np.maximum(x - 12, 0) + 0.01 * rng.standard_normal(30)
    assert not kink_test(y, 12, spread=np.full(28, 0.4)).kinked


def test_scale_and_slope_of_the_profile_do_not_matter():
    y = chain_profile(PLANTED, 0)
    one, two = kink_test(y, 8, (16,)), kink_test(5 * y + 3 * np.arange(24.0) - 7, 8, (16,))
    assert one.p == pytest.approx(two.p)


def test_straightened_is_linear_along_a_constant_chain():
    chain = GaussianChain((0.9,) * 9, 4)
    y = straightened([chain.information(1, l) for l in range(2, 11)], 4)
    assert np.allclose(np.diff(y), 2 * np.log(0.9))
    with pytest.raises(NumericsError, match="not positive"):
        straightened([0.3, -0.01], 4)


def test_shallow_models_and_ends_are_refused_with_the_range():
    with pytest.raises(InputError, match="from 20 layers on, found 12"):
        kink_test(np.arange(12.0) ** 2, 6)
    for boundary in (2, 22):
        with pytest.raises(InputError, match=r"3\.\.21"):
            kink_test(np.random.default_rng(0).normal(size=24), boundary)
    with pytest.raises(InputError, match="finite"):
        kink_test(np.full(24, np.nan), 8)
    with pytest.raises(NumericsError, match="no scatter"):
        kink_test(np.ones(24), 8)
