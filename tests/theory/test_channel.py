"""Weights from noise: the linear-Gaussian case, where loss and rate are known in closed form."""

import numpy as np
import pytest
from calibration.oracles.gaussian_bottleneck import GaussianBottleneck

from mspgt.errors import InputError
from mspgt.theory.channel import at_rates, channel_weights

CASE = GaussianBottleneck((0.95, 0.8, 0.5, 0.2))
SIGMAS = [0.1, 0.3, 0.6, 1.0, 2.0, 4.0]


def losses_of(sigmas, rows, seed):
    """−log p(y | t) of the best reader of X through noise, in nats, (sigmas, rows), on the same draws."""
    x, y = CASE.sample(rows, seed)
    e = np.random.default_rng([seed, 1]).standard_normal(x.shape)
    r = np.array(CASE.correlations)
    found = []
    for sigma in sigmas:
        t = x + sigma * e
        variance = 1 - r**2 / (1 + sigma**2)
        rest = (y - r * t / (1 + sigma**2)) ** 2 / variance
        found.append(0.5 * (rest + np.log(2 * np.pi * variance)).sum(1))
    return np.array(found)


def weights_of(losses, sigmas, spectra=((1.0, 1.0, 1.0, 1.0),), units=(1.0,), trace=1.0):
    steps = np.diff(losses, axis=0)
    errors = steps.std(1, ddof=1) / steps.shape[1] ** 0.5
    return channel_weights(sigmas, steps.mean(1), errors, steps.shape[1], np.array(spectra), units, trace)


def test_sampled_losses_give_the_exact_exchange_of_information():
    """−ΔJ/ΔI is ΔI(T;Y)/ΔI(T;X), which is known."""
    found = weights_of(losses_of(SIGMAS, 100_000, 0), SIGMAS)
    known = np.array([CASE.information([sigma**2] * 4) for sigma in SIGMAS])
    exact = np.diff(known[:, 1]) / np.diff(known[:, 0])
    np.testing.assert_allclose(found.rate, known[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found.value, exact, rtol=0.05)


def test_intervals_over_texts_cover_the_truth():
    known = np.array([CASE.information([sigma**2] * 4) for sigma in SIGMAS])
    exact = np.diff(known[:, 1]) / np.diff(known[:, 0])
    inside = []
    for seed in range(200):
        ci = weights_of(losses_of(SIGMAS, 60, seed), SIGMAS).ci
        inside.append((ci[:, 0] <= exact) & (exact <= ci[:, 1]))
    assert 0.9 <= np.mean(inside) <= 0.99


@pytest.mark.parametrize("beta", [0.1, 0.3, 0.6])
def test_on_the_optimal_curve_of_the_bottleneck_the_weight_is_its_beta(beta):
    """Where all coordinates correlate alike, equal noise is optimal: dI(T;Y)/dI(T;X) = β (Chechik et al. 2005)."""
    case = GaussianBottleneck((0.9,) * 3)
    ends = sorted(case.optimum(slope)[0] for slope in (beta * 0.99, beta * 1.01))
    sigmas = np.sqrt(ends)
    steps = -np.diff([case.information([end] * 3)[1] for end in ends])
    found = channel_weights(sigmas, steps, None, 1, np.ones((1, 3)), [1.0], 1.0)
    assert found.value[0] == pytest.approx(beta, rel=1e-3)


def test_small_noise_is_predicted_by_the_trace():
    """J = ½ σ² T while noise is small: the curve and its prediction meet there, and part at large noise."""
    r = np.array(CASE.correlations)
    trace = float((r**2 / (1 - r**2)).sum())  # dI(T;Y)/dσ² at σ = 0, doubled

    def loss(sigma):
        return -CASE.information([sigma**2] * 4)[1]

    sigmas = [0.01, 0.012, 0.0144, 1.0, 2.0]
    steps = np.diff([loss(sigma) for sigma in sigmas])
    found = channel_weights(sigmas, steps, None, 1, np.ones((1, 4)), [1.0], trace)
    np.testing.assert_allclose(found.value[:2], found.predicted[:2], rtol=0.02)
    assert found.predicted[-1] > 2 * found.value[-1]
    assert found.ci is None


def test_units_of_the_noise_do_not_change_the_rate():
    steps = np.ones(2)
    one = channel_weights([0.1, 0.2, 0.4], steps, None, 1, np.full((2, 3), 4.0), [2.0, 2.0], 1.0)
    other = channel_weights([0.1, 0.2, 0.4], steps, None, 1, np.ones((2, 3)), [1.0, 1.0], 1.0)
    np.testing.assert_allclose(one.rate, other.rate)
    np.testing.assert_allclose(one.predicted, other.predicted)


def test_models_are_compared_within_the_rates_that_were_measured():
    found = weights_of(losses_of(SIGMAS, 2000, 1), SIGMAS)
    inside, outside = float(np.sqrt(found.between[0] * found.between[1])), float(found.rate.max() * 10)
    told = at_rates(found, [inside, outside])
    assert told[1] is None
    assert told[0]["value"] == pytest.approx(found.value[:2].mean())
    assert told[0]["ci"][0] < told[0]["value"] < told[0]["ci"][1]


def test_doses_must_grow():
    with pytest.raises(InputError, match="grow"):
        channel_weights([0.3, 0.1], [0.1], None, 1, np.ones((1, 4)), [1.0], 1.0)
