"""The Gaussian information curve against a search over channels and against sampled covariances."""

import numpy as np
import pytest
from calibration.oracles.gaussian_bottleneck import GaussianBottleneck
from scipy.optimize import minimize

from mspgt.errors import InputError


@pytest.mark.parametrize(("correlations", "slope"), [((0.8,), 0.3), ((0.9, 0.6, -0.3), 0.25)])
def test_optimum_beats_every_other_noise(correlations, slope):
    truth = GaussianBottleneck(correlations)

    def cost(log_noise):
        about_x, about_y = truth.information(np.exp(log_noise))
        return slope * about_x - about_y

    start = np.zeros(len(correlations))
    searched = minimize(cost, start, bounds=[(-8, 25)] * len(start), options={"ftol": 1e-15, "gtol": 1e-10})
    assert truth.information(truth.optimum(slope)) == pytest.approx(
        truth.information(np.exp(searched.x)), abs=1e-4
    )


def test_slope_of_the_curve_is_beta():
    truth = GaussianBottleneck((0.9, 0.6, 0.3))
    for beta in (0.05, 0.25, 0.5):
        (x0, y0), (x1, y1) = truth.curve([beta - 1e-5, beta + 1e-5])
        assert (y1 - y0) / (x1 - x0) == pytest.approx(beta, rel=1e-4)
    assert truth.curve(0.95).tolist() == [[0.0, 0.0]]


def test_inflating_the_noise_costs_beta_nats_a_nat():
    truth, beta = GaussianBottleneck((0.9, 0.7)), 0.2
    noise = truth.optimum(beta)
    (x0, y0), (x1, y1) = truth.information(noise), truth.information(noise * (1 + 1e-5))
    assert (y0 - y1) / (x0 - x1) == pytest.approx(beta, rel=1e-3)


def test_sampled_information_is_the_closed_form():
    truth, noise = GaussianBottleneck((0.9, -0.5)), np.array([0.3, 2.0])
    x, y = truth.sample(200_000, 0)
    t = x + np.sqrt(noise) * np.random.default_rng(1).standard_normal(x.shape)
    for other, expected in zip((x, y), truth.information(noise), strict=True):
        logdets = [np.linalg.slogdet(np.cov(b.T))[1] for b in (t, other, np.hstack([t, other]))]
        assert 0.5 * (logdets[0] + logdets[1] - logdets[2]) == pytest.approx(expected, abs=0.01)


def test_refusals():
    with pytest.raises(InputError, match="correlation"):
        GaussianBottleneck((0.5, 1.0))
    with pytest.raises(InputError, match=r"\(0, 1\)"):
        GaussianBottleneck((0.5,)).optimum(1.0)
