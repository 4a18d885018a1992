"""V(l) of the linear-Gaussian model: an integral done otherwise, the envelope theorem, and the jump it predicts."""

import numpy as np
import pytest
from calibration.oracles.layer_value import layer_values
from calibration.oracles.linear_gaussian import LinearGaussian

from mspgt.errors import InputError
from mspgt.theory.kink import kink_test

MODEL = LinearGaussian.draw((2, 3, 4), 6, seed=3)
ONES = np.ones((1, 3))


def test_at_weight_one_it_is_the_integral_over_the_latents():
    """max_q is log ∫ p(z) N(E[x | h]; D z, S) dz, whose mean over h is that of a normal density of x."""
    for level in (1e-6, 0.3, 5.0):
        found = layer_values(MODEL, [level], ONES).value[0]
        _, _, x = MODEL.sample(200_000, 1)
        h = x + level**0.5 * np.random.default_rng(2).standard_normal(x.shape)
        cov = MODEL.covariance()
        gain = np.linalg.solve(cov + level * np.eye(6), cov).T
        lost = np.trace(np.linalg.solve(MODEL.noise[3], cov - gain @ cov)) / 2
        each = MODEL.log_likelihood(h @ gain.T) - lost
        assert found == pytest.approx(each.mean(), abs=4 * each.std() / 200_000**0.5 + 1e-9)


def test_without_noise_it_is_the_evidence_bound_of_the_states_themselves():
    betas = (0.5, 1.0, 2.0)
    _, _, x = MODEL.sample(100_000, 4)
    each = MODEL.terms(MODEL.optimum(x, betas=betas), x).objective(betas)
    found = layer_values(MODEL, [1e-9], [betas]).value[0]
    assert found == pytest.approx(each.mean(), abs=4 * each.std() / 100_000**0.5)


def test_a_weight_costs_its_rate():
    """Envelope theorem: dV/dβ_s = −KL_s, whatever the posteriors do."""
    step = 1e-4
    base = np.array([0.7, 1.1, 1.6])
    rate = layer_values(MODEL, [0.4], [base]).kl[0]
    for scale in range(3):
        up, down = (
            layer_values(MODEL, [0.4], [base + sign * step * np.eye(3)[scale]]).value[0] for sign in (1, -1)
        )
        assert (up - down) / (2 * step) == pytest.approx(-rate[scale], rel=1e-5)


def chain(layers=30, switch=15):
    """A smooth chain of layers, whose dominant scale changes after `switch`."""
    noise = 0.05 * np.exp(np.linspace(0, 1.5, layers))
    before, after = np.array([2.0, 2.0, 0.3]), np.array([0.3, 2.0, 2.0])
    weights = np.where(np.arange(1, layers + 1)[:, None] <= switch, before, after)
    return noise, weights, (before, after)


def test_where_weights_switch_the_value_jumps_by_the_rates_between():
    noise, weights, (before, after) = chain()
    found = layer_values(MODEL, noise, weights)
    kept = layer_values(MODEL, noise, np.tile(before, (30, 1)))
    np.testing.assert_array_equal(found.value[:15], kept.value[:15])
    # At layer 16 the path from the old weights to the new ones, its rates by Gauss–Legendre.
    nodes, share = np.polynomial.legendre.leggauss(12)
    path = before + (after - before) * ((nodes + 1) / 2)[:, None]
    rates = layer_values(MODEL, [noise[15]] * 12, path).kl
    jump = -float((share / 2) @ (rates @ (after - before)))
    assert found.value[15] - kept.value[15] == pytest.approx(jump, rel=1e-8)
    assert abs(jump) > 10 * abs(np.diff(kept.value, 2)).max()


def test_the_kink_is_in_the_value_and_not_in_the_information():
    """Equation 27 holds at the switch, and equation 28 does not follow: I(X; h) is that of the chain."""
    noise, weights, _ = chain()
    found = layer_values(MODEL, noise, weights)
    rng = np.random.default_rng(0)
    rough = 0.01 * np.abs(np.diff(found.value, 2)).max() * rng.standard_normal((20, 30))
    tests = [
        [kink_test(profile + one, 15, (15,)).p <= 0.05 for one in rough]
        for profile in (found.value, found.information)
    ]
    assert np.mean(tests[0]) == 1.0
    assert np.mean(tests[1]) <= 0.2
    assert (np.diff(found.information) < 0).all()


def test_equal_weights_have_no_kink_anywhere():
    noise, weights, (before, _) = chain()
    value = layer_values(MODEL, noise, np.tile(before, (30, 1))).value
    switched = layer_values(MODEL, noise, weights).value
    assert np.abs(np.diff(value, 2)).max() < 0.05 * np.abs(np.diff(switched, 2)).max()
    assert (np.diff(value) < 0).all()


@pytest.mark.parametrize(("noise", "betas"), [([0.2, 0.1], np.ones((2, 3))), ([0.1], np.ones((2, 3)))])
def test_what_is_no_chain_is_refused(noise, betas):
    with pytest.raises(InputError):
        layer_values(MODEL, noise, betas)
    with pytest.raises(InputError, match="context"):
        layer_values(LinearGaussian.draw((2, 2, 2), 3, context=1, seed=0), [0.1], ONES)
