"""From planted gains to verdicts: order found where it is, and nowhere else."""

import numpy as np
import pytest

from mspgt.scales.curves import crossing, rise
from mspgt.scales.decide import decide_scales
from tests.scales.planted import logistic, planted_gains

ORDERED = {"L": 0.15, "I": 0.4, "G": 0.65}
DRAWS = 200


def test_three_successive_scales_are_found_where_they_are():
    found = decide_scales(planted_gains(ORDERED), draws=DRAWS)
    assert found.verdict == "L < I < G supported"
    for scale, place in ORDERED.items():
        depth, truth = (
            found.scales[scale].d50,
            float(crossing(rise(logistic(place, 0.06, 24)[None]).share, 0.5)[0]),
        )
        assert depth.ci[0] <= truth <= depth.ci[1]
        assert abs(depth.value - truth) < 1
    assert 24 * 0.15 < found.LI.layer < 24 * 0.4 < found.IG.layer < 24 * 0.65
    assert found.LI.layer in found.LI.set
    assert found.LI.relative == found.LI.layer / 24
    assert found.block_share.value > 0.8
    assert set(found.without) == set(found.tasks)


@pytest.mark.parametrize("centres", [dict.fromkeys("LIG", 0.4), {"L": 0.65, "I": 0.4, "G": 0.15}])
def test_tied_and_reversed_scales_have_no_boundary(centres):
    found = decide_scales(planted_gains(centres), draws=DRAWS)
    assert found.LI.layer is found.IG.layer is None
    assert "unordered" in found.LI.reason
    assert not found.order["LI"].supported
    assert found.order["LI"].reversed == (centres["L"] > centres["I"])


def test_a_gap_within_the_margin_is_no_order():
    found = decide_scales(planted_gains({"L": 0.38, "I": 0.4, "G": 0.65}, documents=400), draws=DRAWS)
    assert found.order["LI"].p_without_margin < 0.05 < found.order["LI"].p
    assert found.LI.layer is None


def test_a_flat_scale_is_undefined_with_its_reason():
    found = decide_scales(planted_gains(ORDERED, amplitude={"G": 0.0}), draws=DRAWS)
    assert not found.scales["G"].defined
    assert "flat" in found.scales["G"].reason
    assert found.scales["G"].d50.value is None
    assert found.LI.layer is not None
    assert found.IG.layer is None
    assert "G is undefined" in found.IG.reason
    assert found.block_share.value is None


def test_a_curve_that_falls_before_its_level_is_not_monotone():
    gains = planted_gains(ORDERED)
    task = gains.tasks.index("xpos")
    gains.sums[:, :, task, 8:14] *= 0.2
    found = decide_scales(gains, draws=DRAWS)
    assert "non-monotone" in found.tasks["xpos"].reason
    assert found.tasks["xpos"].d50.value is None


def test_a_level_that_random_weights_reach_is_undefined():
    gains = planted_gains(ORDERED)
    twin = planted_gains({**ORDERED, "G": 0.1}, amplitude={"L": 0.0, "I": 0.0, "G": 0.3}, seed=1)
    found = decide_scales(gains, twin=twin, draws=DRAWS)
    assert "not beyond the twin" in found.scales["G"].reason
    assert found.scales["L"].defined
    assert found.twin["defined_scales"] == ["G"]
    assert any("THE RANDOM TWIN HAS A DEFINED SCALE (Global)" in note for note in found.notes)
    flat = planted_gains(ORDERED, amplitude=dict.fromkeys("LIG", 0.0), seed=1)
    assert decide_scales(gains, twin=flat, draws=DRAWS).verdict == "L < I < G supported"


def test_a_shallow_model_has_depths_but_no_boundaries():
    found = decide_scales(planted_gains(ORDERED, layers=6), draws=DRAWS)
    assert "below 8 no boundary" in found.LI.reason
    assert found.scales["I"].d50.value is not None


def test_readers_that_disagree_widen_intervals():
    one = planted_gains(ORDERED, seeds=2, noise=0.05)
    far = planted_gains({"L": 0.15, "I": 0.5, "G": 0.65}, seeds=2, noise=0.05)
    one.sums[1] = far.sums[1]
    width = np.subtract(*decide_scales(one, draws=DRAWS).scales["I"].d50.ci[::-1])
    same = np.subtract(*decide_scales(far, draws=DRAWS).scales["I"].d50.ci[::-1])
    assert width > 2 * same
