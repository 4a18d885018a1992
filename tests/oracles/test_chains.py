"""Gaussian truths against log determinants of sampled covariances."""

import numpy as np
import pytest
from calibration.oracles.chains import GaussianChain

from mspgt.errors import InputError


def information(*blocks):
    """Sum of the blocks' entropies minus the joint one, by log determinants of sample covariances."""
    logdet = [np.linalg.slogdet(np.cov(b.T))[1] for b in (*blocks, np.hstack(blocks))]
    return 0.5 * (sum(logdet[:-1]) - logdet[-1])


def test_sampled_information_is_the_closed_form():
    chain = GaussianChain((0.6, 0.5, 0.7), width=3, skips=(0.5, 0.1))
    x = chain.sample(100_000, 0)
    for i, j in ((1, 2), (1, 3), (2, 4), (1, 4)):
        assert information(x[i - 1], x[j - 1]) == pytest.approx(chain.information(i, j), abs=0.01)
    conditional = information(x[0], np.hstack([x[1], x[2]])) - information(x[0], x[1])
    assert conditional == pytest.approx(chain.conditional_information(1, 3, 2), abs=0.01)
    assert chain.conditional_information(1, 3, 2) > 0.1
    np.testing.assert_allclose([np.var(layer) for layer in x], 1, atol=0.01)


def test_without_skips_the_chain_is_markov():
    chain = GaussianChain((0.9, 0.7, 0.8), width=4)
    assert chain.conditional_information(1, 3, 2) == pytest.approx(0, abs=1e-12)
    assert chain.information(1, 3) < min(chain.information(1, 2), chain.information(2, 3))


def test_infinite_information_is_refused():
    for bad in ({"steps": (1.0,), "width": 2}, {"steps": (0.9, 0.9), "width": 2, "skips": (0.5,)}):
        with pytest.raises(InputError, match="infinite"):
            GaussianChain(**bad)
    with pytest.raises(InputError):
        GaussianChain((0.5, 0.5), width=2, skips=(0.1, 0.1))
