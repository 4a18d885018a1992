import numpy as np
import pytest
from scipy.stats import binom

from mspgt.boundaries.contrasts import bank
from mspgt.boundaries.detector import detect_calibrated
from mspgt.boundaries.search import PRICE, climb, fuse, normal_score, strongest, within_one
from mspgt.boundaries.tables import deepest, row
from mspgt.errors import InputError, NumericsError
from mspgt.stats.nulls import NullCell, null_profiles, plant
from mspgt.vocabulary import KINDS

FLAT = NullCell("flat", 0.0, "gaussian", "even")


def two_spikes(transitions=31, places=(9, 21), height=7.0, seed=1):
    return plant(null_profiles(FLAT, transitions, 1, seed), "spike", np.array([places]), np.array(height))[0]


def found(profile, **options):
    return [(claim.kind, claim.layer) for claim in detect_calibrated(profile, **options).claims]


@pytest.mark.parametrize(
    ("transitions", "cell", "correlation"),
    [
        (11, NullCell("slope", 0.0, "t8", "rising"), 0.6),
        (15, NullCell("u", 0.3, "gaussian", "falling"), 0.6),
        (23, NullCell("logistic-20", 0.7, "t4", "even"), 0.0),
        (27, NullCell("logistic-6", 0.7, "t8", "bulging"), 0.6),
        (27, NullCell("decay-1", 0.7, "gaussian", "rising"), 0.0),
    ],
)
def test_profiles_without_a_boundary_yield_claims_in_at_most_5_percent(transitions, cell, correlation):
    runs = 600
    profiles = null_profiles(cell, transitions, runs, 99, correlation=correlation)
    limits = np.array([row(transitions, 3).critical.get(kind, np.inf) for kind in KINDS])
    errors = int((strongest(profiles, bank(transitions)) > limits).any(axis=1).sum())
    assert errors <= binom.ppf(0.999, runs, 0.05)


@pytest.mark.parametrize(
    ("kind", "height", "places"),
    [("spike", 6.0, (12, 30)), ("bump", 8.0, (12, 30)), ("step", 8.0, (14, 31)), ("kink", 6.0, (16, 31))],
)
def test_planted_boundaries_are_found_within_one_and_named(kind, height, places):
    truth = np.tile(places, (60, 1))
    profiles = plant(null_profiles(FLAT, 47, 60, 5), kind, truth, np.array(height))
    path = climb(profiles, row(47, 3).critical)
    near = np.abs(path.place[:, :, None] - truth[:, None]) <= 1
    right = near & (path.kind == KINDS.index(kind))[..., None]
    right &= (np.arange(path.place.shape[1]) < path.accepted[:, None])[..., None]
    assert right.any(axis=1).mean() > 0.75


def test_the_two_strongest_claims_in_order_of_depth_are_li_and_ig():
    result = detect_calibrated(two_spikes())
    assert [claim.layer for claim in result.spike] == [10, 22]
    assert result.chosen["LI"] == result.spike[0]
    assert result.chosen["IG"] == result.spike[1]
    assert result.spike[0].relative == 10 / 32
    assert all(claim.layer in claim.set and claim.support == 3 for claim in result.claims)
    assert len(result.rivals["1"]) == 1
    assert result.rivals["1"][0].layer in (10, 22)
    assert len(result.rivals["4"]) == 4


@pytest.mark.parametrize("places", [(5, 13, 20), (4, 11, 17, 23)])
def test_three_and_four_boundaries_do_not_hide_one_another(places):
    truth = np.tile(places, (40, 1))
    path = climb(plant(null_profiles(FLAT, 27, 40, 7), "spike", truth, np.array(7.0)), row(27, 3).critical)
    accepted = np.arange(path.place.shape[1]) < path.accepted[:, None]
    near = (np.abs(path.place[:, :, None] - truth[:, None]) <= 1) & accepted[..., None]
    assert near.any(axis=1).mean() > 0.85


def test_one_boundary_alone_is_neither_li_nor_ig():
    result = detect_calibrated(two_spikes(places=(15,)))
    assert [claim.layer for claim in result.claims] == [16]
    assert result.chosen == {"LI": None, "IG": None}
    assert "one boundary" in result.reasons[0]


def test_a_spike_in_two_of_three_signals_is_found_and_its_support_counted():
    profile = null_profiles(FLAT, 31, 1, 3)[0]
    profile[:2, 14] += 9
    claim = detect_calibrated(profile).spike[0]
    assert (claim.layer, claim.support) == (15, 2)


def test_neither_units_nor_offset_nor_order_of_signals_matter():
    profile = two_spikes()
    same = (profile * np.array([[3.0], [1e-4], [70.0]]) + np.array([[5.0], [0.0], [-1e3]]))[[2, 0, 1]]
    before, after = detect_calibrated(profile), detect_calibrated(same)
    assert [c.layer for c in before.claims] == [c.layer for c in after.claims]
    assert [c.score for c in before.claims] == pytest.approx([c.score for c in after.claims], rel=1e-5)


def test_a_cubic_background_leaves_spike_scores_unchanged():
    profile = null_profiles(FLAT, 27, 5, 6)
    x = np.linspace(-1, 1, 27)
    bent = profile + 8 * x - 5 * x**2 + 11 * x**3
    spikes = {"spike": 3.0}
    assert climb(bent, spikes).score == pytest.approx(climb(profile, spikes).score, abs=1e-6)


def test_a_mirrored_profile_has_mirrored_spikes():
    layers = [claim.layer for claim in detect_calibrated(two_spikes(places=(8, 20))[:, ::-1]).claims]
    assert layers == [31 - 20, 31 - 8]


@pytest.mark.parametrize("height", [12.0, 40.0])
def test_a_towering_spike_is_still_called_a_spike(height):
    assert found(two_spikes(height=height)) == [("spike", 10), ("spike", 22)]


@pytest.mark.parametrize("measured", [[0], [0, 2], [1, 2]])
def test_signals_that_were_not_measured_are_left_out(measured):
    profile = two_spikes(height=12.0)
    absent = [i for i in range(3) if i not in measured]
    profile[absent] = np.nan
    assert found(profile) == [("spike", 10), ("spike", 22)]


def test_sentence_noise_as_large_as_the_spikes_takes_them_away():
    profile = two_spikes(height=6.0)
    assert found(profile, scale_floor=np.full((3, 31), 0.1)) == [("spike", 10), ("spike", 22)]
    assert found(profile, scale_floor=np.full((3, 31), 6.0)) == []


def test_the_mean_of_replicates_shows_what_one_run_does_not():
    runs = plant(null_profiles(FLAT, 23, 10, 8), "spike", np.tile([7, 15], (10, 1)), np.array(2.5))
    assert found(runs, replicated=True) == [("spike", 8), ("spike", 16)]
    assert sum(len(found(one)) for one in runs) < 10


@pytest.mark.parametrize("transitions", [1, 2, 3, 4, 5])
def test_too_shallow_says_that_nothing_could_have_been_seen(transitions):
    result = detect_calibrated(np.random.default_rng(1).normal(size=(3, transitions)))
    assert result.claims == ()
    assert "could have been seen" in result.reasons[0]
    assert all(power.size80 is None for power in result.power.values())


def test_every_depth_up_to_the_deepest_runs():
    rng = np.random.default_rng(2)
    for transitions in (6, 8, 10, 14, 29, 55, deepest()):
        assert detect_calibrated(rng.normal(size=(3, transitions))).evidence.shape == (transitions,)


@pytest.mark.parametrize(
    "signals",
    [
        np.zeros((2, 20)),
        np.zeros(20),
        np.full((3, 20), np.nan),
        np.full((3, 20), np.inf),
        np.where(np.arange(60).reshape(3, 20) == 7, np.nan, 1.0),
        np.random.default_rng(0).normal(size=(3, 500)),
    ],
)
def test_unusable_signals_are_refused(signals):
    with pytest.raises(InputError):
        detect_calibrated(signals)


def test_other_levels_and_wrong_floors_are_refused():
    with pytest.raises(InputError, match="level"):
        detect_calibrated(two_spikes(), level=0.01)
    with pytest.raises(InputError, match="floor"):
        detect_calibrated(two_spikes(), scale_floor=np.ones((3, 30)))


def test_a_constant_signal_has_no_roughness_and_is_named():
    profile = two_spikes()
    profile[1] = 0.25
    with pytest.raises(NumericsError, match="S2"):
        detect_calibrated(profile)


def test_a_straight_line_without_roughness_yields_nothing():
    assert found(np.outer([1.0, 2.0, 3.0], np.arange(20.0))) == []


def test_fused_scores_fall_with_shared_roughness_and_pairs_pay_a_price():
    z = np.array([[[2.0], [2.0], [2.0]]])
    assert fuse(z)[0, 0] == pytest.approx(6 / np.sqrt(3))
    assert fuse(z, np.ones((1, 3, 3)))[0, 0] == pytest.approx(2.0)
    assert fuse(np.array([[[3.0], [3.0], [-3.0]]]))[0, 0] == pytest.approx(6 / np.sqrt(2) - 0.5)


def test_signals_opposed_by_chance_do_not_make_a_score_surer():
    z, opposed = np.array([[[2.0], [2.0], [2.0]]]), np.full((1, 3, 3), -0.4)
    opposed[:, range(3), range(3)] = 1
    assert fuse(z, opposed) == pytest.approx(fuse(z))
    one_pair = np.eye(3)[None].copy()
    one_pair[0, 0, 1] = one_pair[0, 1, 0] = 0.9
    assert fuse(z, one_pair)[0, 0] == pytest.approx(6 / np.sqrt(3 + 1.8))


@pytest.mark.parametrize("kind", KINDS)
def test_four_of_a_kind_are_found_where_the_depth_allows_four(kind):
    truth = np.tile([8, 18, 28, 38], (40, 1))
    heights = 8.0 * np.broadcast_to((-1.0 if kind in ("step", "kink") else 1.0) ** np.arange(4), (40, 3, 4))
    path = climb(plant(null_profiles(FLAT, 47, 40, 11), kind, truth, heights), row(47, 3).critical)
    accepted = np.arange(path.place.shape[1]) < path.accepted[:, None]
    near = (np.abs(path.place[:, :, None] - truth[:, None]) <= 1) & accepted[..., None]
    assert near.any(axis=1).mean() > 0.7


def test_normal_scores_have_the_tail_of_the_t_law():
    from scipy.stats import norm, t

    for freedom in (3.0, 8.0, 30.0):
        assert normal_score(np.array(2.0), np.array(freedom)) == pytest.approx(
            norm.isf(t.sf(2.0, freedom)), abs=0.03
        )


def test_a_neighbour_counts_at_a_price():
    best, offset = within_one(np.array([0.0, 3.0, 0.0, np.nan]))
    assert best.tolist() == [3.0 - PRICE, 3.0, 3.0 - PRICE, -PRICE]
    assert offset.tolist() == [1, 0, -1, -1]
