"""Scales: which layers, and on whose word."""

from dataclasses import replace

import pytest

from mspgt.boundaries.scales import CHOICES, Scales, scales_of
from mspgt.errors import InputError
from mspgt.results import Boundaries, CalibratedResult, Claim, PaperBoundary, PaperResult

NOTHING = PaperResult(None, None, None, None, None, {}, "")


def claim(layer, layers=12):
    return Claim("spike", layer, layer - 1, layer / layers, [layer], 5.0, 3.0, 3)


def boundaries(chosen=None, paper=NOTHING):
    calibrated = CalibratedResult([], [], [], [], chosen or {"LI": None, "IG": None}, {}, {})
    return Boundaries(paper, calibrated)


def accepted(li, ig, yes=True):
    place = lambda layer: PaperBoundary(layer, layer - 1, layer / 12, None, None)  # noqa: E731
    return replace(NOTHING, LI=place(li), IG=place(ig), accepted=yes)


@pytest.mark.parametrize("layers", range(3, 130))
def test_every_layer_has_one_scale_and_no_scale_is_empty(layers):
    scales = scales_of(layers, boundaries())
    assert scales.source == "thirds"
    covered = [layer for _, part in scales.items() for layer in part]
    assert covered == list(range(1, layers + 1))
    assert min(len(part) for _, part in scales.items()) >= 1
    assert max(len(part) for _, part in scales.items()) <= layers / 3 + 1


def test_the_calibrated_pair_comes_before_the_papers_and_what_is_given_before_both():
    both = boundaries({"LI": claim(3), "IG": claim(8)}, accepted(2, 9))
    assert scales_of(12, both) == Scales(3, 8, 12, "calibrated")
    assert scales_of(12, both, (5, 6)) == Scales(5, 6, 12, "given")


def test_one_calibrated_boundary_is_no_pair_and_a_rejected_pair_of_the_paper_is_none():
    one = boundaries({"LI": claim(3), "IG": None}, accepted(2, 9))
    assert scales_of(12, one) == Scales(2, 9, 12, "paper")
    assert scales_of(12, boundaries(paper=accepted(2, 9, yes=False))).source == "thirds"


class Account:
    """Boundaries of an account: of functional scales by name, of phases as a list."""

    def __init__(self, *layers):
        self.boundaries = [claim(layer) for layer in layers]
        self.LI, self.IG = self.boundaries if len(layers) == 2 else (None, None)


def test_functional_scales_come_first_unless_another_account_is_asked_for():
    both = boundaries({"LI": claim(3), "IG": claim(8)}, accepted(2, 9))
    accounts = {"functional": Account(4, 7), "phases": Account(5, 10)}
    found = {
        choice: scales_of(12, both, choice=choice, **accounts) for choice in CHOICES if choice != "given"
    }
    assert {choice: (one.LI, one.IG, one.source) for choice, one in found.items()} == {
        "functional": (4, 7, "functional"),
        "phases": (5, 10, "phases"),
        "shocks": (3, 8, "calibrated"),
        "paper": (2, 9, "paper"),
        "thirds": (4, 8, "thirds"),
    }


def test_an_account_that_was_asked_for_gives_way_to_thirds_only():
    both = boundaries({"LI": claim(3), "IG": claim(8)}, accepted(2, 9))
    assert scales_of(12, both, choice="phases", phases=Account(5)).source == "thirds"
    assert scales_of(12, boundaries(paper=accepted(2, 9)), choice="shocks").source == "thirds"
    assert scales_of(12, both, choice="functional").source == "calibrated"


def test_given_boundaries_must_be_given():
    assert scales_of(12, boundaries(), (5, 6), choice="given").source == "given"
    with pytest.raises(InputError, match="given"):
        scales_of(12, boundaries(), choice="given")
    with pytest.raises(InputError, match="chosen among"):
        scales_of(12, boundaries(), choice="guess")


@pytest.mark.parametrize("layers", [1, 2])
def test_a_model_of_two_layers_has_no_three_scales(layers):
    assert scales_of(layers, boundaries()) is None


@pytest.mark.parametrize("pair", [(0, 5), (5, 5), (6, 5), (3, 12), (3, 40)])
def test_an_empty_scale_is_refused(pair):
    with pytest.raises(InputError, match="1 <= LI < IG < 12"):
        Scales(*pair, 12, "given")
