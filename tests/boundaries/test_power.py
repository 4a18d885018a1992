from itertools import pairwise

import numpy as np
import pytest

from mspgt.boundaries.power import noise_ratio, power_statement
from mspgt.boundaries.search import climb
from mspgt.boundaries.tables import row, table
from mspgt.errors import InputError
from mspgt.stats.nulls import NullCell, null_profiles, plant
from mspgt.vocabulary import KINDS

FLAT = NullCell("flat", 0.0, "gaussian", "even")


def test_a_boundary_of_the_stated_size_is_found_in_about_80_percent():
    transitions, runs = 31, 300
    size = power_statement(transitions, "spike").size80
    truth = np.random.default_rng(1).integers([6, 18], [13, 26], size=(runs, 2))
    profiles = plant(null_profiles(FLAT, transitions, runs, 1), "spike", truth, np.array(size))
    path = climb(profiles, row(transitions, 3).critical)
    claimed = np.arange(path.place.shape[1]) < path.accepted[:, None]
    near = (np.abs(path.place[:, :, None] - truth[:, None]) <= 1) & claimed[..., None]
    assert 0.72 < near.any(axis=1).mean() < 0.95


def test_power_grows_with_size_and_falls_with_noise():
    powers = [power_statement(27, "spike", size=size).found for size in (1, 3, 5, 8)]
    assert powers == sorted(powers)
    assert (
        power_statement(27, "spike", size=4, noise_ratio=1.0).found
        < power_statement(27, "spike", size=4).found
    )
    assert power_statement(27, "spike", noise_ratio=1.0).size80 > power_statement(27, "spike").size80


def test_half_the_boundaries_of_a50_are_found():
    a50 = row(27, 3).power["spike"][0]
    assert power_statement(27, "spike", size=a50).found == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_what_could_not_have_been_seen_says_so(kind):
    stated = power_statement(5, kind, size=10.0)
    assert stated.size80 is None
    assert stated.found == 0.0
    assert "could not have been seen" in stated.statement


def test_between_tabulated_depths_the_more_cautious_neighbour_holds():
    depths = sorted(map(int, table()["depths"]))
    low, high = next((a, b) for a, b in pairwise(depths) if a > 12 and b > a + 1)
    for kind, critical in row(low + 1, 3).critical.items():
        assert critical == max(row(low, 3).critical[kind], row(high, 3).critical[kind])


@pytest.mark.parametrize(
    "call", [lambda: power_statement(27, "cliff"), lambda: power_statement(27, "spike", noise_ratio=-1)]
)
def test_bad_questions_are_refused(call):
    with pytest.raises(InputError, match="expected"):
        call()


@pytest.mark.parametrize("truth", [0.1, 0.5])
def test_noise_ratio_recovers_sentence_noise_over_roughness(truth):
    rng = np.random.default_rng(3)
    ratios = []
    for seed in range(20):
        rough = null_profiles(FLAT, 63, 1, seed)[0]
        draws = rough + truth * rng.standard_normal((200, 3, 63))
        ratios.append(noise_ratio(rough + truth * rng.standard_normal((3, 63)), draws))
    assert np.mean(ratios) == pytest.approx(truth, rel=0.25)


def test_a_signal_not_measured_has_no_noise_ratio():
    profile = null_profiles(FLAT, 31, 1, 1)[0]
    profile[2] = np.nan
    draws = profile + np.zeros((5, 1, 1))
    assert np.isnan(noise_ratio(profile, draws)).tolist() == [False, False, True]
    with pytest.raises(InputError, match="draws"):
        noise_ratio(profile, draws[..., 1:])


def test_a_constant_signal_has_no_noise_ratio_and_one_of_noise_alone_an_infinite_one():
    profile = null_profiles(FLAT, 31, 1, 1)[0]
    profile[1] = profile[2] = 0.0
    draws = np.repeat(profile[None], 50, axis=0)
    draws[:, 2] += np.random.default_rng(0).standard_normal((50, 31))
    ratios = noise_ratio(profile, draws)
    assert ratios[0] == pytest.approx(0, abs=1e-12)
    assert np.isnan(ratios[1])
    assert np.isinf(ratios[2])
