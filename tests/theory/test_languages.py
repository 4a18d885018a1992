"""Equation 23: the regression on planted multipliers."""

import numpy as np
import pytest
from calibration.oracles.entropies import entropies

from mspgt.errors import InputError
from mspgt.synthetic.triscale import TriScale
from mspgt.theory.languages import equation23, planted_slopes, varied_languages
from mspgt.theory.rate_distortion import entropy_of, hamming, multiplier_at, planted_sources, rate_at

ENTROPY = np.exp(np.random.default_rng(0).uniform(0, 2, (12, 3)))


def planted(slope, noise=0.05):
    rng = np.random.default_rng(1)
    return np.exp(slope * np.log(ENTROPY) + [1.0, 0.0, -2.0] + noise * rng.standard_normal((12, 3)))


@pytest.mark.parametrize("slope", [-1.0, 0.0, 0.6, -0.5])
def test_a_planted_slope_is_recovered(slope):
    found = equation23(ENTROPY, planted(slope))
    assert found.slope == pytest.approx(slope, abs=0.08)
    assert found.ci[0] < slope < found.ci[1]
    assert found.languages == 12


def test_noise_decides_nothing():
    low, high = equation23(ENTROPY, planted(-1.0, noise=3.0)).ci
    assert low < -1.4
    assert high > -0.5


def test_three_entropies_told_four_times_are_three():
    """Languages that share an entropy are one piece of evidence of it."""
    repeated = np.repeat(ENTROPY[:3], 4, axis=0)
    with pytest.raises(InputError, match="12 distinct entropies of a scale, found 3"):
        equation23(repeated, planted(0.0))


def blahut_arimoto(p, beta, steps=20000):
    """The textbook iteration, as an independent reference."""
    kernel = np.exp(-(1 - np.eye(len(p))) / beta)
    q = p.copy()
    for _ in range(steps):
        q = q * (kernel.T @ (p / (kernel @ q)))
    channel = kernel * q / (kernel @ q)[:, None]
    distortion = float(p @ (1 - np.diag(channel)))
    return float(-distortion / beta - p @ np.log(kernel @ q)), distortion


@pytest.mark.parametrize("beta", [0.2, 0.4, 0.8])
def test_rates_are_those_of_blahut_and_arimoto(beta):
    p = np.array([0.45, 0.25, 0.15, 0.1, 0.05])
    assert hamming(p, beta) == pytest.approx(blahut_arimoto(p, beta), abs=1e-6)


def test_a_fair_coin_has_its_textbook_curve():
    rate, d = hamming(np.array([0.5, 0.5]), 0.5)
    assert rate == pytest.approx(np.log(2) + d * np.log(d) + (1 - d) * np.log(1 - d))
    assert pytest.approx(1 / np.log((1 - d) / d)) == 0.5


def test_the_multiplier_is_the_slope_of_the_curve():
    source = planted_sources(TriScale(topics=5, template_skew=0.7, zipf=1.1))["L"]
    beta = multiplier_at(source, 6.0)
    step = 1e-4
    rates = [rate_at(source, beta * (1 + sign * step)) for sign in (-1, 1)]
    errors = [sum(n * hamming(law, beta * (1 + sign * step))[1] for n, law in source) for sign in (-1, 1)]
    assert -(errors[1] - errors[0]) / (rates[1] - rates[0]) == pytest.approx(beta, rel=1e-4)


def test_planted_sources_have_the_entropies_of_their_language():
    language = TriScale(topics=4, template_skew=1.0, zipf=1.0)
    exact, sources = entropies(language), planted_sources(language)
    bits = (exact.topic, exact.template_given_topic, exact.words_given_template)
    assert [entropy_of(sources[s]) for s in "GIL"] == pytest.approx([b * np.log(2) for b in bits])


def test_equation_23_is_told_of_the_same_variable_over_distinct_entropies():
    found = planted_slopes()
    for at, scale in enumerate("GIL"):
        rates = found["common_rate_nats"][at]
        assert all(rates < row["entropy_nats"][at] for row in found["languages"])
        distinct = {round(row["entropy_nats"][at], 9) for row in found["languages"]}
        assert (len(distinct) >= 12) == (found["slopes"][scale]["slope"] is not None)
    # Eight topics have seven entropies at most: nothing is told of G by itself, and it is in no total.
    assert "found 7" in found["slopes"]["G"]["reason"]
    assert found["slopes"]["all"]["scales"] == ["I", "L"]
    # With more entropy a nat buys more: the opposite of equation 23.
    assert found["slopes"]["all"]["ci"][0] > 0
    assert len(varied_languages()) == 14


def test_refusals():
    with pytest.raises(InputError, match="at least 12 languages"):
        equation23(ENTROPY[:11], planted(0.0)[:11])
    with pytest.raises(InputError, match="found 1"):
        equation23(np.ones((12, 1)), np.ones((12, 1)))
