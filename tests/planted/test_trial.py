"""Planted subjects are judged by what is there: what is taken away is missed, what was never there a false alarm."""

from dataclasses import replace

import pytest

from mspgt.planted.recipe import CONTROLS
from mspgt.planted.trial import judged, tried
from mspgt.results import PlantedPlace, PlantedTest

BY_NAME = {one.name: one for one in CONTROLS}
KINDS = ("shocks", "phases", "functional", "interventions")


def test_every_account_is_tried_with_something_and_with_nothing():
    for kind in KINDS:
        own = [one for one in CONTROLS if one.kind == kind]
        planted = [bool(one.layers or one.arms or len(set(one.centres or (0,))) > 1) for one in own]
        assert True in planted
        assert False in planted
    for kind in ("shocks", "phases"):
        assert len({one.size for one in CONTROLS if one.kind == kind and one.layers}) == 3
    assert len({one.seed for one in CONTROLS}) == len(CONTROLS)


def test_strong_breaks_are_found_and_their_absence_is_a_miss():
    control = BY_NAME["shocks, strong"]
    found = tried(control)
    assert [(one.name, one.found) for one in found.planted] == [("layer 7", True), ("layer 17", True)]
    assert found.passed
    assert all(one.planted and one.score >= one.critical for one in found.found)
    missed = tried(replace(control, size=0.0))
    assert [one.found for one in missed.planted] == [False, False]
    assert not missed.passed
    assert all(one.score < one.critical for one in missed.tests)


def test_a_lasting_change_is_found_and_its_absence_is_a_miss():
    control = BY_NAME["phases, strong"]
    assert tried(control).passed
    missed = tried(replace(control, size=0.0))
    assert not missed.passed
    assert missed.tests[0].score < missed.tests[0].critical


def test_a_change_of_one_word_alone_is_no_boundary():
    assert not tried(BY_NAME["phases, one word"]).found
    assert tried(BY_NAME["phases, drift"]).passed


def test_an_order_is_found_where_it_is_wide_and_missed_where_it_is_within_the_margin():
    assert tried(BY_NAME["scales, ordered"]).passed
    assert tried(BY_NAME["scales, tied"]).passed
    close = tried(replace(BY_NAME["scales, ordered"], centres=(0.43, 0.45, 0.47)))
    assert [one.found for one in close.planted] == [False, False]
    assert not close.passed


@pytest.mark.parametrize("scale", ["local", "intermediate", "global"])
def test_the_scale_whose_variable_is_replaced_is_told_from_the_others(scale):
    found = tried(next(one for one in CONTROLS if one.arms == (scale,)))
    assert [one.name for one in found.found] == [scale]
    assert found.passed
    untouched = [one.p for one in found.tests if one.name != scale]
    assert min(untouched) > 0.05


def test_the_same_seed_gives_the_same_result():
    for name in ("phases, weak", "scales, tied", "noise on none"):
        assert tried(BY_NAME[name]) == tried(BY_NAME[name])


def judge(places, claims):
    return judged(BY_NAME["shocks, strong"], 24, places, claims, [])


def test_what_was_not_planted_is_a_false_alarm():
    off = PlantedTest("spike", 12, 5.0, 4.0)
    found = judge([], [off])
    assert not found.passed
    assert not found.found[0].planted
    assert judge([], []).passed


@pytest.mark.parametrize(("layer", "hit"), [(6, True), (7, True), (8, True), (9, False), (5, False)])
def test_a_break_counts_within_one_layer(layer, hit):
    found = judge([PlantedPlace("layer 7", 7, 6, 8)], [PlantedTest("step", layer, 5.0, 4.0)])
    assert found.planted[0].found is hit
    assert found.found[0].planted is hit
    assert found.passed is hit


def test_a_hand_over_counts_by_its_name_too():
    place = PlantedPlace("L–I", None, 2.4, 5.4)
    assert judge([place], [PlantedTest("L–I", 4)]).passed
    assert not judge([place], [PlantedTest("I–G", 4)]).passed
    assert not judge([place], [PlantedTest("L–I", 6)]).passed
