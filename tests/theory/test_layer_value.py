"""V(l) of trained bottlenecks: against the closed form, and on planted layers."""

import numpy as np
import pytest
import torch
from calibration.oracles.exact_hvib import Linear, cubature, fit_exactly
from calibration.oracles.layer_value import layer_values
from calibration.oracles.linear_gaussian import LinearGaussian

from mspgt.errors import InputError
from mspgt.theory.hvib import HVIB
from mspgt.theory.layer_value import block_values, values_of

WIDTHS = (1, 2, 2)
TRUTH = LinearGaussian.draw(WIDTHS, 4, seed=5)
NOISE = (0.1, 0.3, 0.6)
BEFORE, AFTER = (1.5, 1.0, 0.5), (0.5, 1.0, 1.5)
BETAS = np.array([BEFORE, BEFORE, AFTER])


def tensor(values):
    return torch.from_numpy(np.ascontiguousarray(values)).double()


def exactly_spread(n, count, rng):
    """`count` points whose mean is 0 and whose covariance is 1, so that means of quadratics are exact."""
    points = rng.standard_normal((count, n))
    points -= points.mean(0)
    root = np.linalg.cholesky(points.T @ points / count)
    return np.linalg.solve(root, points.T).T


@pytest.fixture(scope="module")
def trained():
    """An H-VIB with the model's own priors and decoder, its posteriors trained on h_l alone."""
    rng = np.random.default_rng(0)
    cov = TRUTH.covariance()
    both = exactly_spread(8, 64, rng)
    x = both[:, :4] @ np.linalg.cholesky(cov).T
    density = torch.distributions.MultivariateNormal(torch.zeros(4).double(), tensor(TRUTH.noise[3]))

    def log_likelihood(*latents):
        return density.log_prob(tensor(x) - torch.cat(latents, dim=-1) @ tensor(TRUTH.decoder).T)

    def optimum(layer, betas):
        h = tensor(x + NOISE[layer] ** 0.5 * both[:, 4:])
        priors = [Linear(0, 1).double(), Linear(1, 2).double(), Linear(2, 2).double()]
        for prior, weights, noise in zip(priors, (np.zeros((1, 0)), *TRUTH.steps), TRUTH.noise, strict=False):
            prior.set(tensor(weights), torch.zeros(len(noise)), tensor(noise))
        torch.manual_seed(0)
        posteriors = [Linear(4 + sum(WIDTHS[:s]), w).double() for s, w in enumerate(WIDTHS)]
        model = HVIB(priors, posteriors)

        def terms():
            none = torch.zeros((len(x), 0)).double()
            return model.terms(none, [h] * 3, log_likelihood, cubature(WIDTHS))

        fit_exactly(lambda: -terms().objective(betas).mean(), list(model.posteriors.parameters()), steps=2000)
        with torch.no_grad():
            found = terms()
        return found.reconstruction.numpy(), found.kl.numpy()

    return values_of(optimum, BETAS, np.ones((2, 64)), 64)


def test_training_reaches_the_closed_form(trained):
    exact = layer_values(TRUTH, NOISE, BETAS)
    np.testing.assert_allclose(trained.value, exact.value, atol=1e-6)
    np.testing.assert_allclose(trained.kl, exact.kl, atol=1e-3)


def test_the_switch_is_the_exact_jump_and_lies_within_its_bounds(trained):
    (switch,) = trained.switches
    exact = layer_values(TRUTH, (NOISE[2],) * 2, [BEFORE, AFTER]).value
    assert switch.layer == 3
    assert switch.jump == pytest.approx(exact[1] - exact[0], abs=1e-5)
    assert switch.bounds[0] <= switch.jump <= switch.bounds[1]
    assert switch.bounds[1] - switch.bounds[0] > 1e-3


@pytest.fixture(scope="module")
def layers():
    """Three layers that show the next token the better, the higher they are."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 2400)
    shown = [size * np.eye(4)[labels] + rng.standard_normal((2400, 4)) for size in (0.0, 3.0, 6.0)]
    return shown, labels, np.arange(2400) // 100


def test_layers_that_know_more_are_worth_more(layers):
    states, labels, document = layers
    betas = [(0.1, 1.0, 1.0), (0.1, 1.0, 1.0), (0.05, 1.0, 1.0)]
    found = block_values(states, labels, document, betas, steps=250, draws=40)
    # Nothing to see: no rate, and on documents held out no more than the value of guessing.
    assert -np.log(4) - 0.06 < found.value[0] < -np.log(4) + 0.01
    assert found.kl[0].sum() < 0.05
    assert (np.diff(found.value) > 0.3).all()
    assert (found.ci[:, 0] < found.value).all()
    assert (found.value < found.ci[:, 1]).all()
    # Rates may cost less: V rises by what the rate saves.
    (switch,) = found.switches
    low, high = switch.bounds
    assert 0.1 < low - 0.005 < switch.jump < high + 0.005


def test_refusals(layers):
    states, labels, document = layers
    with pytest.raises(InputError, match="3 layers"):
        block_values(states, labels, document, [(1.0, 1.0, 1.0)])
    with pytest.raises(InputError, match="positive"):
        block_values(states, labels, document, [(1.0, 1.0, 0.0)] * 3)
    with pytest.raises(InputError, match="at least 256"):
        block_values([s[:300] for s in states], labels[:300], document[:300], [(1.0, 1.0, 1.0)] * 3)


def test_below_five_documents_there_is_no_interval():
    rng = np.random.default_rng(0)
    weights = rng.multinomial(6, np.full(6, 1 / 6), size=50).astype(float)

    def optimum(layer, beta):
        return np.arange(6.0) + beta[0], np.ones((6, 3))

    few, many = (values_of(optimum, BETAS, weights, documents) for documents in (4, 6))
    np.testing.assert_array_equal(few.value, many.value)
    assert np.isnan(few.ci).all()
    assert {one.ci for one in few.switches} == {None}
    assert all(low < value < high for value, (low, high) in zip(many.value, many.ci, strict=True))
