"""Scales: which layers, and on whose word."""

from dataclasses import replace

import pytest

from mspgt.boundaries.scales import Scales, scales_of
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


@pytest.mark.parametrize("layers", [1, 2])
def test_a_model_of_two_layers_has_no_three_scales(layers):
    assert scales_of(layers, boundaries()) is None


@pytest.mark.parametrize("pair", [(0, 5), (5, 5), (6, 5), (3, 12), (3, 40)])
def test_an_empty_scale_is_refused(pair):
    with pytest.raises(InputError, match="1 <= LI < IG < 12"):
        Scales(*pair, 12, "given")
