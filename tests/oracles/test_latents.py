"""Latents learnt without labels: one language trained for a moment, and the committed table of twelve."""

import json
from pathlib import Path

import numpy as np
import pytest
from calibration.latents import common_rates, language_family, multiplier, train_language
from calibration.oracles.entropies import entropies

from mspgt.errors import InputError
from mspgt.synthetic.triscale import TriScale

LATENTS = Path(__file__).parents[2] / "calibration" / "results" / "languages.json"


def test_family_has_twelve_distinct_languages():
    family = language_family()
    assert len({language.name for language in family}) == len(family) >= 12


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


def test_the_committed_table_is_whole():
    table = json.loads(LATENTS.read_text())
    assert len(table["languages"]) == 12
    entropy = np.array([row["entropy_nats"] for row in table["languages"]])
    weights = np.array([row["beta_hat_at_one"] for row in table["languages"]])
    assert entropy.std(0).min() > 0.1
    # By stationarity, 1 at every scale of every language; what is left is how far training is from its end.
    assert np.abs(weights.mean(0) - 1).max() <= 0.05
    assert np.abs(np.log(weights)).max() < 0.1
    assert None not in table["common_rate_nats"]  # the ladder passes through one rate in every language


def test_a_language_with_nothing_left_to_learn_has_its_beta():
    """Two topics, almost one template and few words: near its optimum within seconds, and there β̂ is β."""
    found = train_language(
        TriScale(topics=2, template_skew=4.0, zipf=3.0), betas=(0.3, 1.0), steps=300, documents=800
    )
    assert found.weights == pytest.approx(np.ones(3), rel=0.15)


def test_a_ladder_that_falls_is_refused():
    with pytest.raises(InputError, match="rising"):
        train_language(TriScale(), betas=(1.0, 0.1))
