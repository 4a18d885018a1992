"""Noise of contrasts: against the draws themselves, and stated power where signals differ in it."""

import importlib
import json

import numpy as np
import pytest

from mspgt.boundaries.contrasts import bank
from mspgt.boundaries.detector import detect_calibrated
from mspgt.boundaries.noise import contrast_variance, noise_covariance, scaled
from mspgt.boundaries.power import noise_ratio, power_statement
from mspgt.boundaries.stabilise import noise_scale, restabilise, stabilise
from mspgt.errors import InputError
from mspgt.stats.nulls import NullCell, null_profiles

FILTERS = bank(23).filters[bank(23).elements["spike"]]


def linked_draws(sign: float, draws: int = 4_000) -> np.ndarray:
    """Noise of layers, which the transitions on both sides of a layer share: (draws, 3, 23)."""
    layers = np.random.default_rng(0).standard_normal((draws, 3, 24))
    return np.asarray(layers[..., 1:] + sign * layers[..., :-1])


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_noise_of_a_contrast_is_that_of_the_draws(sign):
    draws = linked_draws(sign)
    expected = (draws @ FILTERS.T).std(axis=0)
    assert np.sqrt(contrast_variance(noise_covariance(draws), FILTERS)) == pytest.approx(expected)
    summed = np.sqrt(contrast_variance(draws.std(axis=0), FILTERS))
    # A spike is a difference of neighbours: opposed noise counts more than its sum of variances, shared less.
    assert np.median(expected / summed) > 1.1 if sign < 0 else np.median(expected / summed) < 0.9


def test_uncorrelated_noise_is_the_same_in_both_forms():
    spread = np.random.default_rng(1).uniform(0.1, 1, (3, 23))
    covariance = np.stack([np.diag(row**2) for row in spread])
    assert contrast_variance(covariance, FILTERS) == pytest.approx(contrast_variance(spread, FILTERS))
    assert contrast_variance(scaled(covariance, 3.0), FILTERS) == pytest.approx(
        contrast_variance(scaled(spread, 3.0), FILTERS)
    )


def test_the_noise_ratio_knows_what_transitions_share():
    rough = null_profiles(NullCell("flat", 0.0, "gaussian", "even"), 23, 1, 1)[0]
    ratios = [np.mean(noise_ratio(rough, rough + 0.2 * linked_draws(sign))) for sign in (-1.0, 1.0)]
    assert ratios[0] > 1.3 * ratios[1]


def test_a_covariance_of_another_depth_is_refused():
    profile = np.random.default_rng(0).standard_normal((3, 23))
    with pytest.raises(InputError, match="covariance"):
        detect_calibrated(profile, scale_floor=np.zeros((3, 23, 22)))


def test_a_signal_without_information_counts_as_absent():
    three = power_statement(27, "spike", size=6.0).found
    blind = power_statement(27, "spike", size=6.0, noise_ratio=(0.0, np.inf, 0.0)).found
    assert blind < three - 0.15
    assert power_statement(27, "spike", noise_ratio=[np.inf] * 3).size80 is None
    with pytest.raises(InputError, match="each of 3 signals"):
        power_statement(27, "spike", noise_ratio=(0.0, 1.0))


def test_power_of_the_stored_runs_is_what_is_stated_now():
    """Fresh seeds and depths between those that the weights were taken from, unequal noise."""
    calibration = importlib.import_module("calibration.power")
    stored = json.loads(calibration.RESULT.read_text(encoding="utf-8"))
    off = np.array([calibration.off(one) for one in stored["fresh"]])
    # 800 boundaries a cell: their own standard error is up to 1.8 points.
    assert (np.abs(off) <= 0.05).mean() > 0.9
    assert np.abs(off).max() < 0.1
    assert off == pytest.approx(np.array([one["off"] for one in stored["fresh"]]), abs=0.002)


def test_power_with_unequal_noise_is_found_again_in_a_short_run():
    calibration = importlib.import_module("calibration.power")
    ratios = (0.1, 0.1, 10.0)
    found = calibration.simulated("spike", 27, 6.0, ratios, 200, 9)
    stated = power_statement(27, "spike", size=6.0, noise_ratio=ratios).found
    assert found == pytest.approx(stated, abs=0.12)  # 400 boundaries: 2.5 standard errors and the 5 points


def test_error_under_noise_that_transitions_share_is_found_again():
    """A shift of the whole profile as large as its roughness: contrasts do not see it, nor may the floor."""
    room = importlib.import_module("calibration.sentence_noise")
    stored = json.loads(room.OUT.read_text("utf-8"))
    (told,) = [
        one
        for one in stored["cells"]
        if (one["transitions"], one["noise"], one["ratio"]) == (23, "one shift", 1.0)
    ]
    assert room.cell(23, "one shift", 1.0, **stored["settings"]) == told
    assert all(one["upper_covariance"] < 0.01 for one in stored["cells"])


def test_noise_scale_is_the_median_standard_deviation():
    draws = np.random.default_rng(2).standard_normal((2_000, 3, 9)) * np.array([1.0, 2.0, 0.5])[:, None]
    draws[:, 2] = np.nan
    assert noise_scale(draws)[:2] == pytest.approx([1.0, 2.0], rel=0.05)
    assert np.isnan(noise_scale(draws)[2])


def test_signals_on_another_floor_are_those_that_it_would_have_given():
    raw = np.random.default_rng(3).standard_normal((4, 3, 9))
    own, other = np.array([0.1, 0.2, 0.3]), np.array([0.4, 0.1, 0.3])
    assert restabilise(stabilise(raw, own), own, other) == pytest.approx(stabilise(raw, other))
