import numpy as np
import pytest

from mspgt.boundaries.confidence import confidence_set, score_curve, support
from mspgt.boundaries.search import climb
from mspgt.boundaries.tables import SURE, drop_at, row
from mspgt.stats.nulls import NullCell, null_profiles, plant
from mspgt.vocabulary import KINDS

FLAT = NullCell("flat", 0.0, "gaussian", "even")


def test_the_set_is_every_place_within_the_drop_gaps_allowed():
    curve = np.array([np.nan, 1.0, 4.0, 5.0, 1.0, 3.9, np.nan])
    assert confidence_set(curve, 3, 1.2) == (2, 3, 5)
    assert confidence_set(curve, 3, 0.0) == (3,)


def test_the_surer_the_claim_the_smaller_its_drop():
    drops = (3.0, 2.0, 1.0, 0.0)
    ratios = (0.5, *SURE, 9.0)
    assert [drop_at(drops, ratio) for ratio in ratios] == [3.0, 2.0, 1.0, 0.0, 0.0]


def test_the_claimed_place_is_always_in_its_set():
    assert 0 in confidence_set(np.array([np.nan, 1.0]), 0, 0.5)


@pytest.mark.parametrize(("kind", "size"), [("spike", 2.0), ("spike", 5.0), ("step", 6.0), ("bump", 6.0)])
def test_sets_cover_the_planted_place(kind, size):
    runs, transitions = 300, 27
    truth = np.random.default_rng(4).integers(7, 20, size=(runs, 1))
    profiles = plant(null_profiles(FLAT, transitions, runs, 4), kind, truth, np.array(size))
    limits = row(transitions, 3)
    path = climb(profiles, {kind: limits.critical[kind]}, claims=1)
    curve, _ = score_curve(profiles, kind, path.elements, path.elements[:, :, :0])
    covered = [
        int(t[0]) in confidence_set(c, int(p[0]), drop_at(limits.drop[kind], ratio))
        for c, p, t, ratio in zip(curve, path.place, truth, path.ratio[:, 0], strict=True)
    ]
    assert np.mean(covered) > 0.92


def test_the_curve_peaks_at_each_of_two_boundaries_with_the_other_removed():
    profiles = plant(null_profiles(FLAT, 31, 1, 9), "spike", np.array([[9, 20]]), np.array([8.0]))
    elements = np.broadcast_to(np.array([9, 20]), (1, 3, 2))
    for mine, other in ((0, 1), (1, 0)):
        curve, own = score_curve(profiles, "spike", elements[..., [mine]], elements[..., [other]])
        assert np.nanargmax(curve[0]) == (9, 20)[mine]
        assert curve[0, (9, 20)[other]] < np.nanmax(curve[0]) - 3
        assert support(own[0], (9, 20)[mine]) == 3


def test_a_falling_step_has_a_rising_curve():
    profiles = plant(null_profiles(FLAT, 39, 1, 2), "step", np.array([[20]]), np.array([-9.0]))
    element = np.full((1, 3, 1), KINDS.index("step") * 39 + 20)
    curve, _ = score_curve(profiles, "step", element, element[..., :0])
    assert np.nanargmax(curve[0]) == 20


def test_support_counts_signals_with_a_peak_of_their_own():
    own = np.zeros((3, 9))
    own[0, 4], own[1, 5], own[2, 7] = 3.0, 2.0, 5.0
    assert support(own, 4) == 2
    assert support(own, 1) == 0
