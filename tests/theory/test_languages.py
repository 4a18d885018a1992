"""Equation 23: the regression on planted multipliers, and one language trained for a moment."""

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.synthetic.entropies import entropies
from mspgt.synthetic.triscale import TriScale
from mspgt.theory.languages import common_rates, equation23, multiplier, shipped, train_language

ENTROPY = np.exp(np.random.default_rng(0).uniform(0, 2, (12, 3)))


def planted(slope, noise=0.05):
    rng = np.random.default_rng(1)
    return np.exp(slope * np.log(ENTROPY) + [1.0, 0.0, -2.0] + noise * rng.standard_normal((12, 3)))


@pytest.mark.parametrize(
    ("slope", "verdict"), [(-1.0, "supported"), (0.0, "refuted"), (0.6, "refuted"), (-0.5, "refuted")]
)
def test_a_planted_slope_is_recovered_with_its_verdict(slope, verdict):
    found = equation23(ENTROPY, planted(slope))
    assert found.slope == pytest.approx(slope, abs=0.08)
    assert found.ci[0] < slope < found.ci[1]
    assert found.verdict == verdict
    assert found.languages == 12


def test_noise_decides_nothing():
    assert equation23(ENTROPY, planted(-1.0, noise=3.0)).verdict == "inconclusive"


def test_multipliers_are_read_off_the_ladder():
    betas, rates = (0.1, 1.0, 10.0), np.array([3.0, 2.0, 0.0])
    assert multiplier(betas, rates, 2.0) == pytest.approx(1.0)
    assert multiplier(betas, rates, 2.5) == pytest.approx(10**-0.5)
    assert np.isnan(multiplier(betas, rates, 3.5))


def test_a_language_trains_and_its_entropies_are_exact():
    language = TriScale(topics=2, template_skew=1.0, zipf=1.2)
    found = train_language(language, betas=(0.1, 1.0), steps=12, documents=200)
    exact = entropies(language)
    assert found.entropy[1] == pytest.approx(exact.template_given_topic * np.log(2))
    assert found.rates.shape == (2, 3)
    assert (found.rates > 0).all()
    assert np.isfinite(found.weights).all()
    again = train_language(language, betas=(0.1, 1.0), steps=12, documents=200)
    assert np.array_equal(found.rates, again.rates)
    assert common_rates([found, again]).shape == (3,)


def test_the_shipped_table_is_whole():
    table = shipped()
    assert len(table["languages"]) == 12
    entropy = np.array([row["entropy_nats"] for row in table["languages"]])
    weights = np.array([row["beta_hat_at_one"] for row in table["languages"]])
    assert entropy.std(0).min() > 0.1
    # By stationarity, 1 at every scale of every language; what is left is how far training is from its end.
    assert np.abs(weights.mean(0) - 1).max() <= 0.05
    assert np.abs(np.log(weights)).max() < 0.1
    assert None not in table["common_rate_nats"]  # the ladder passes through one rate in every language
    assert table["slopes"]["all"]["verdict"] in ("supported", "refuted", "inconclusive")


def test_a_language_with_nothing_left_to_learn_has_its_beta():
    """Two topics, almost one template and few words: near its optimum within seconds, and there β̂ is β."""
    found = train_language(
        TriScale(topics=2, template_skew=4.0, zipf=3.0), betas=(0.3, 1.0), steps=300, documents=800
    )
    assert found.weights == pytest.approx(np.ones(3), rel=0.15)


def test_refusals():
    with pytest.raises(InputError, match="at least 12 languages"):
        equation23(ENTROPY[:11], planted(0.0)[:11])
    with pytest.raises(InputError, match="do not vary"):
        equation23(np.ones((12, 1)), np.ones((12, 1)))
    with pytest.raises(InputError, match="rising"):
        train_language(TriScale(), betas=(1.0, 0.1))
