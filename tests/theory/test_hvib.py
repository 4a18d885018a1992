"""The H-VIB in the linear-Gaussian case, where everything is known: ELBO, KLs, rates, gap and β̂."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from calibration.oracles.exact_hvib import Linear, cubature, fit_exactly
from calibration.oracles.linear_gaussian import LinearGaussian

from mspgt.errors import InputError, NumericsError
from mspgt.theory.beta import scale_weights
from mspgt.theory.hvib import HVIB, Network, Standard, sampled
from mspgt.theory.rates import information_and_gap

WIDTHS = (2, 3, 4)
TRUTH = LinearGaussian.draw(WIDTHS, 6, context=2, seed=0)
CONTEXT, _, X = TRUTH.sample(150, 1)


def tensor(values):
    return torch.from_numpy(np.ascontiguousarray(values)).double()


def planted(factors=None, observed=X, context=CONTEXT):
    """The H-VIB with TRUTH's priors; posteriors at zero or at the given factors (whose offset is the evidence)."""
    g, i, l = WIDTHS
    priors = [Linear(2, g).double(), Linear(g, i).double(), Linear(i, l).double()]
    for prior, weights, noise in zip(priors, (TRUTH.context, *TRUTH.steps), TRUTH.noise, strict=False):
        prior.set(tensor(weights), torch.zeros(len(noise)), tensor(noise))
    seen = 8 if factors is None else None
    posteriors = [Linear((seen or width) + sum(WIDTHS[:s]), width).double() for s, width in enumerate(WIDTHS)]
    evidence = [tensor(np.hstack([context, observed]))] * 3
    if factors is not None:
        for posterior, factor in zip(posteriors, factors, strict=True):
            own = np.hstack([factor.weights, np.eye(len(factor.covariance))])
            posterior.set(tensor(own), torch.zeros(len(own)), tensor(factor.covariance))
        evidence = [tensor(factor.offset) for factor in factors]
    return HVIB(priors, posteriors), evidence


def log_likelihood(observed=X):
    noise = tensor(TRUTH.noise[3])
    density = torch.distributions.MultivariateNormal(torch.zeros(6).double(), noise)
    decoder = tensor(TRUTH.decoder)

    def value(g, i, l):
        z = torch.cat([g, i, l], dim=-1)
        return density.log_prob(tensor(observed) - z @ decoder.T)

    return value


def test_terms_are_those_of_the_closed_form_at_any_posterior():
    rng = np.random.default_rng(0)
    factors = [
        replace(f, offset=f.offset + 0.3 * rng.normal(size=f.offset.shape), covariance=1.5 * f.covariance)
        for f in TRUTH.optimum(X, CONTEXT)
    ]
    model, evidence = planted(factors)
    found = model.terms(tensor(CONTEXT), evidence, log_likelihood(), cubature(WIDTHS))
    expected = TRUTH.terms(factors, X, CONTEXT)
    assert np.allclose(found.kl.detach(), expected.kl, atol=1e-8)
    assert np.allclose(found.reconstruction.detach(), expected.reconstruction, atol=1e-8)


def test_elbo_of_a_trained_posterior_reaches_the_likelihood_and_never_passes_it():
    model, evidence = planted()
    noise = cubature(WIDTHS)

    def loss():
        return -model.terms(tensor(CONTEXT), evidence, log_likelihood(), noise).objective().mean()

    exact = TRUTH.log_likelihood(X, CONTEXT)
    start = model.terms(tensor(CONTEXT), evidence, log_likelihood(), noise).objective().detach().numpy()
    assert (start <= exact + 1e-9).all()
    assert (exact - start).mean() > 0.5
    reached = -fit_exactly(loss, list(model.posteriors.parameters()))
    assert 0 <= exact.mean() - reached <= 1e-4
    each = model.terms(tensor(CONTEXT), evidence, log_likelihood(), noise).objective().detach().numpy()
    assert (each <= exact + 1e-9).all()


def test_sampled_expectations_agree_with_cubature():
    model, evidence = planted(TRUTH.optimum(X, CONTEXT))
    noise = [n.double() for n in sampled(1000, 150, WIDTHS, torch.Generator().manual_seed(0))]
    found = model.terms(tensor(CONTEXT), evidence, log_likelihood(), noise)
    exact = TRUTH.terms(TRUTH.optimum(X, CONTEXT), X, CONTEXT)
    assert np.allclose(found.kl.detach().mean(0), exact.kl.mean(0), atol=0.02)
    assert float(found.objective().mean().detach()) == pytest.approx(exact.objective().mean(), abs=0.04)


def measure(model, evidence, noise):
    def run(factors):
        with torch.no_grad():
            found = model.terms(tensor(CONTEXT), evidence, log_likelihood(), noise, factors)
        return found.reconstruction.numpy(), found.kl.numpy()

    return run


@pytest.mark.parametrize("betas", [(1.0, 1.0, 1.0), (0.5, 1.0, 2.0), (2.0, 0.3, 0.7)])
def test_beta_is_recovered_within_a_percent(betas):
    model, evidence = planted(TRUTH.optimum(X, CONTEXT, betas))
    found = scale_weights(measure(model, evidence, cubature(WIDTHS)))
    assert np.allclose(found, betas, rtol=0.01)


def test_beta_is_recovered_within_five_percent_from_samples_with_an_interval():
    betas = (0.5, 1.0, 2.0)
    model, evidence = planted(TRUTH.optimum(X, CONTEXT, betas))
    noise = [n.double() for n in sampled(200, 150, WIDTHS, torch.Generator().manual_seed(0))]
    run = measure(model, evidence, noise)
    assert np.allclose(scale_weights(run), betas, rtol=0.05)
    weights = np.random.default_rng(0).multinomial(150, np.full(150, 1 / 150), size=20).astype(float)
    draws = scale_weights(run, weights)
    assert draws.shape == (20, 3)
    assert np.allclose(draws.mean(0), betas, rtol=0.05)


def test_doubling_the_variance_would_be_biased():
    model, evidence = planted(TRUTH.optimum(X, CONTEXT, (0.5, 1.0, 2.0)))
    run = measure(model, evidence, cubature(WIDTHS))
    base, moves, losses = run((1.0, 1.0, 1.0)), np.empty((3, 3)), np.empty(3)
    for s in range(3):
        moved = run(tuple(1.0 + (s == t) for t in range(3)))
        moves[s], losses[s] = (moved[1] - base[1]).mean(0), (moved[0] - base[0]).mean()
    doubled = np.linalg.solve(moves, losses)
    assert np.abs(doubled / (0.5, 1.0, 2.0) - 1).max() > 0.04


def test_a_collapsed_scale_has_no_weight():
    model, evidence = planted(TRUTH.optimum(X, CONTEXT))

    def run(factors):
        reconstruction, kl = measure(model, evidence, cubature(WIDTHS))(factors)
        return reconstruction, kl * np.array([0.0, 1.0, 1.0])

    with pytest.raises(NumericsError, match="undetermined"):
        scale_weights(run)


def test_kl_is_information_and_gap():
    """Without context the exact posterior averages to the prior: no gap, and rates are informations."""
    truth = LinearGaussian.draw(WIDTHS, 6, seed=3)
    truth = LinearGaussian(truth.context, truth.steps, 0.6 * truth.decoder, truth.noise)
    _, _, x = truth.sample(800, 0)
    g, i, l = WIDTHS
    factors = truth.optimum(x)
    posteriors = [Linear(w + sum(WIDTHS[:s]), w).double() for s, w in enumerate(WIDTHS)]
    for posterior, factor in zip(posteriors, factors, strict=True):
        own = np.hstack([factor.weights, np.eye(len(factor.covariance))])
        posterior.set(tensor(own), torch.zeros(len(own)), tensor(factor.covariance))
    priors = [Linear(0, g).double(), Linear(g, i).double(), Linear(i, l).double()]
    for prior, weights, noise in zip(priors, (truth.context, *truth.steps), truth.noise, strict=False):
        prior.set(tensor(weights), torch.zeros(len(noise)), tensor(noise))
    model = HVIB(priors, posteriors)
    noise = [n.double() for n in sampled(2, 800, WIDTHS, torch.Generator().manual_seed(0))]
    noise = [n[:1] for n in noise]
    none = torch.zeros((800, 0)).double()
    evidence = [tensor(factor.offset) for factor in factors]
    information, gap = information_and_gap(model, none, evidence, noise)
    assert np.allclose(information, truth.rates(), atol=0.15)
    assert np.abs(gap).max() < 0.15
    # A prior that is one off in every dimension of G costs ½ m'S⁻¹m nats of gap, and no information.
    shift = torch.ones(g).double()
    with torch.no_grad():
        priors[0].mean.bias.add_(shift)
    moved, wide = information_and_gap(model, none, evidence, noise)
    assert np.allclose(moved, information)
    expected = 0.5 * np.ones(g) @ np.linalg.inv(truth.noise[0]) @ np.ones(g)
    assert wide[0] == pytest.approx(expected, abs=0.25)


def test_networks_and_refusals():
    prior = Standard(2)(torch.zeros(5, 0))
    assert prior.batch_shape == (5,)
    assert Network(3, 2)(torch.zeros(4, 3)).event_shape == (2,)
    with pytest.raises(InputError, match="three scales"):
        HVIB([Standard(1)], [Network(1, 1)])
    model, evidence = planted(TRUTH.optimum(X, CONTEXT))
    with pytest.raises(InputError, match="at least 16"):
        information_and_gap(model, tensor(CONTEXT[:3]), [e[:3] for e in evidence], cubature(WIDTHS))
