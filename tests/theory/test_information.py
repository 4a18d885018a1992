"""Estimators of information against closed forms, and what they refuse."""

import numpy as np
import pytest
from calibration.oracles.chains import GaussianChain
from sklearn.feature_selection import mutual_info_regression

from mspgt.errors import InputError, NumericsError
from mspgt.theory import information
from mspgt.theory.information import (
    Covariance,
    bias_of_plug_in,
    canonical_pair,
    conditional_information,
    gaussian_information,
    nearest_neighbour_information,
    shuffled,
)


@pytest.mark.parametrize(("k", "step"), [(1, 0.5), (8, 0.9), (32, 0.97), (32, 0.5)])
def test_information_of_a_chain_within_two_percent(k, step):
    chain = GaussianChain((step,), k)
    found = np.mean([gaussian_information(*chain.sample(10_000, seed)) for seed in range(8)])
    assert found == pytest.approx(chain.information(1, 2), rel=0.02)


@pytest.mark.parametrize("k", [2, 32])
def test_conditional_information_of_a_markov_chain_is_zero(k):
    chain = GaussianChain((0.9, 0.8), k)
    found = [conditional_information(x, z, y) for x, y, z in (chain.sample(10_000, s) for s in range(10))]
    assert abs(np.mean(found)) <= 0.01


def test_conditional_information_of_a_skip():
    chain = GaussianChain((0.7, 0.5), 16, skips=(0.3,))
    x, y, z = chain.sample(20_000, 0)
    assert conditional_information(x, z, y) == pytest.approx(chain.conditional_information(1, 3, 2), rel=0.03)


def test_without_the_correction_the_bias_is_what_was_removed():
    x, y = (np.random.default_rng(seed).standard_normal((400, 30)) for seed in (0, 1))
    r = np.corrcoef(np.hstack([x, y]).T)
    x_part, y_part, whole = (
        0.5 * np.linalg.slogdet(r[a, a])[1] for a in (slice(30), slice(30, 60), slice(60))
    )
    plug_in = x_part + y_part - whole
    bias = 2 * bias_of_plug_in(30, 400) - bias_of_plug_in(60, 400)
    assert bias > 1
    assert gaussian_information(x, y) == pytest.approx(plug_in - bias, abs=1e-9)


def test_information_ignores_linear_maps_and_units():
    rng = np.random.default_rng(3)
    x, y = GaussianChain((0.8,), 6).sample(2000, 0)
    turned = gaussian_information(1e6 * x @ rng.normal(size=(6, 6)) + 5, y @ rng.normal(size=(6, 6)))
    assert turned == pytest.approx(gaussian_information(x, y), abs=1e-8)


def test_shuffled_rows_leave_nothing():
    x, y = GaussianChain((0.9,), 16).sample(5000, 0)
    left = shuffled(x, y, draws=10, seed=0)
    assert abs(left.mean()) < 0.03


def test_sums_over_rows_may_be_taken_apart():
    data = np.random.default_rng(0).normal(size=(100, 4))
    left = Covariance.of(data) - Covariance.of(data[:30])
    assert np.allclose(left.correlation(), np.corrcoef(data[30:].T))


def test_nearest_neighbours_against_truth_and_scikit_learn():
    x, y = GaussianChain((0.8,), 1).sample(3000, 0)
    found = nearest_neighbour_information(x, y, neighbours=3)
    assert found == pytest.approx(GaussianChain((0.8,), 1).information(1, 2), abs=0.04)
    assert found == pytest.approx(mutual_info_regression(x, y[:, 0], n_neighbors=3)[0], abs=0.01)


def test_the_canonical_pair_is_the_most_correlated_reading():
    x, y = GaussianChain((0.9,), 3).sample(50_000, 1)
    a, b, r = canonical_pair(x, y)
    assert r == pytest.approx(0.9, abs=0.01)
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(r, abs=1e-9)


def test_nearest_neighbours_are_banned_above_three_dimensions():
    x = np.zeros((100, 2))
    with pytest.raises(InputError, match="up to 3"):
        nearest_neighbour_information(x, x)


def test_too_many_components_are_refused_with_the_range():
    x = np.random.default_rng(0).normal(size=(3000, 129))
    with pytest.raises(InputError, match="up to 128"):
        gaussian_information(x, x)


def test_fewer_rows_than_columns_are_refused_with_what_would_do():
    x = np.random.default_rng(0).normal(size=(100, 30))
    with pytest.raises(InputError, match="at least 300 rows, found 100"):
        gaussian_information(x, x)


def test_singular_covariances_are_refused():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 500, 4))
    with pytest.raises(NumericsError, match="constant"):
        gaussian_information(np.hstack([x, np.ones((500, 1))]), y)
    with pytest.raises(NumericsError, match="singular"):
        gaussian_information(np.hstack([x, x[:, :1] + x[:, 1:2]]), y)
    with pytest.raises(NumericsError, match="singular"):
        gaussian_information(x, x)


def test_values_that_are_not_finite_are_refused():
    x = np.random.default_rng(0).normal(size=(500, 2))
    x[3, 1] = np.nan
    with pytest.raises(InputError, match="finite"):
        gaussian_information(x, x)


def test_rows_are_turned_by_a_quarter_at_least(monkeypatch):
    """Neighbouring rows are alike, so that a small turn would leave information in the null."""
    rows = np.arange(40.0)[:, None]
    monkeypatch.setattr(information, "gaussian_information", lambda x, y: float(y[0, 0]))
    firsts = set(shuffled(rows, rows, draws=2_000, seed=0).tolist())
    assert firsts == set(range(11, 31))
