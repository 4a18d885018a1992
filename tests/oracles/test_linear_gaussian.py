"""The linear-Gaussian hierarchy against SciPy's densities, sampled KLs and a search over posteriors."""

from dataclasses import replace

import numpy as np
import pytest
from calibration.oracles.linear_gaussian import Factor, LinearGaussian
from scipy.stats import multivariate_normal

from mspgt.errors import InputError

MODEL = LinearGaussian.draw((2, 3, 4), observed=5, context=2, seed=1)
C, Z, X = MODEL.sample(6, seed=2)


def density(residual, covariance):
    return np.atleast_1d(multivariate_normal(np.zeros(len(covariance)), covariance).logpdf(residual))


def prior_densities(model, z, c):
    """log p of G, I, L along rows of z, straight from the definition."""
    g, i, _ = model.widths
    a, b, l = z[:, :g], z[:, g : g + i], z[:, g + i :]
    return (
        density(a - c @ model.context.T, model.noise[0]),
        density(b - a @ model.steps[0].T, model.noise[1]),
        density(l - b @ model.steps[1].T, model.noise[2]),
    )


def draw(factors, n, example, seed=0):
    """Latents from the factors of one example, and log q of each scale."""
    rng, z, logs = np.random.default_rng(seed), np.zeros((n, 0)), []
    for factor in factors:
        mean = factor.offset[example] + z @ factor.weights.T
        noise = rng.multivariate_normal(np.zeros(len(factor.covariance)), factor.covariance, n)
        logs.append(density(noise, factor.covariance))
        z = np.hstack([z, mean + noise])
    return z, logs


def test_likelihood_is_the_density_of_sampled_moments():
    _, _, x = replace(MODEL, context=np.zeros((2, 0))).sample(200_000, 0)
    covariance = np.cov(x.T)
    model = replace(MODEL, context=np.zeros((2, 0)))
    assert model.log_likelihood(x[:5]) == pytest.approx(density(x[:5], covariance), abs=0.05)


def test_at_weights_of_one_the_bound_is_the_likelihood():
    terms = MODEL.terms(MODEL.optimum(X, C), X, C)
    np.testing.assert_allclose(terms.objective(), MODEL.log_likelihood(X, C), atol=1e-10)
    assert (terms.kl > 0).all()


@pytest.mark.parametrize("betas", [(1, 1, 1), (0.5, 2.0, 0.25)])
def test_terms_are_what_sampling_finds(betas):
    factors = MODEL.optimum(X, C, betas)
    terms = MODEL.terms(factors, X, C)
    z, logs = draw(factors, 200_000, example=1)
    prior = prior_densities(MODEL, z, C[1:2])
    sampled = [float((q - p).mean()) for q, p in zip(logs, prior, strict=True)]
    np.testing.assert_allclose(terms.kl[1], sampled, atol=0.03)
    reconstruction = density(X[1] - z @ MODEL.decoder.T, MODEL.noise[3]).mean()
    assert terms.reconstruction[1] == pytest.approx(reconstruction, abs=0.05)


@pytest.mark.parametrize("betas", [(1, 1, 1), (0.5, 2.0, 0.25)])
def test_nothing_near_the_optimum_is_better(betas):
    factors = MODEL.optimum(X, C, betas)
    best = MODEL.terms(factors, X, C).objective(betas)
    rng = np.random.default_rng(3)
    for _ in range(20):
        moved = [
            Factor(
                f.offset + 0.05 * rng.standard_normal(f.offset.shape),
                f.weights + 0.05 * rng.standard_normal(f.weights.shape),
                f.covariance * np.exp(0.1 * rng.standard_normal()),
            )
            for f in factors
        ]
        assert (MODEL.terms(moved, X, C).objective(betas) < best).all()


def test_inflating_a_scale_costs_its_beta():
    """Stationarity: loss of reconstruction = Σ β_s ΔKL_s whichever scale is inflated, which makes β known."""
    betas = np.array([0.5, 2.0, 0.25])
    factors = MODEL.optimum(X, C, betas)
    rows, lost = [], []
    for scale in range(3):
        change = []
        for sign in (1, -1):
            moved = list(factors)
            moved[scale] = replace(moved[scale], covariance=moved[scale].covariance * (1 + sign * 1e-4))
            change.append(MODEL.terms(moved, X, C))
        rows.append(change[0].kl.mean(0) - change[1].kl.mean(0))
        lost.append(change[0].reconstruction.mean() - change[1].reconstruction.mean())
    np.testing.assert_allclose(np.linalg.solve(rows, lost), betas, rtol=1e-5)


def test_rates_are_the_mean_divergences():
    c, _, x = MODEL.sample(40_000, 4)
    kl = MODEL.terms(MODEL.optimum(x, c), x, c).kl.mean(0)
    np.testing.assert_allclose(MODEL.rates(), kl, rtol=0.02)


def test_refusals():
    with pytest.raises(InputError, match="shapes"):
        replace(MODEL, decoder=np.ones((5, 8)))
    with pytest.raises(InputError, match="noise of I is singular"):
        replace(MODEL, noise=(MODEL.noise[0], np.zeros((3, 3)), *MODEL.noise[2:]))
    with pytest.raises(InputError, match="positive"):
        MODEL.optimum(X, C, (1.0, 0.0, 1.0))
    with pytest.raises(InputError, match="contexts"):
        MODEL.log_likelihood(X, C[:3])
