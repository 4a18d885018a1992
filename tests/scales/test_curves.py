"""Depths of curves whose depths are known."""

import numpy as np
import pytest

from mspgt.scales.curves import (
    block_share,
    centre,
    crossing,
    decline,
    largest_fall,
    mean_curves,
    rise,
    separation,
)


def ramp(start, end, layers=20):
    return np.clip((np.arange(layers + 1) - start) / (end - start), 0, 1)


def test_depths_of_a_ramp_are_where_it_was_put():
    share = ramp(4, 14)[None]
    assert crossing(share, 0.5)[0] == pytest.approx(9)
    assert crossing(share, 0.9)[0] == pytest.approx(13)
    assert centre(share)[0] == pytest.approx(9)
    assert crossing(ramp(5, 6)[None], 0.25)[0] == pytest.approx(5.25)


def test_smoothing_and_the_level_do_not_move_a_clean_rise():
    found = rise(0.3 * ramp(4, 14)[None])
    assert found.level[0] == pytest.approx(0.3)
    assert crossing(found.share, 0.5)[0] == pytest.approx(9)
    assert largest_fall(found)[0] == pytest.approx(0)
    assert np.isnan(decline(found)[0])


def test_a_fall_before_the_level_and_a_decline_after_it_are_seen():
    curve = ramp(2, 6) * 0.6 + ramp(12, 16) * 0.8
    curve[8:11] -= 0.5
    assert largest_fall(rise(curve[None]))[0] > 0.25
    falling = ramp(2, 6) - 0.8 * ramp(12, 16)
    assert 11 < decline(rise(falling[None]))[0] < 14


def test_scaling_a_curve_changes_no_depth():
    curve = np.cumsum(np.random.default_rng(0).random(21))[None]
    np.testing.assert_allclose(centre(rise(curve).share), centre(rise(7 * curve).share))


def test_steps_hand_over_where_they_step():
    first, second, third = (np.repeat([0.0, 1.0], [at, 21 - at])[None] for at in (3, 9, 15))
    found = separation(first, second)
    assert 3 <= found.layer[0] < 9
    assert found.soft[0] == pytest.approx(5.5)
    assert found.ahead[0] == 1
    assert found.behind[0] == 0
    assert block_share(first, second, third)[0] == pytest.approx(1)
    assert block_share(first, first, first)[0] == pytest.approx(1 / 3)
    assert np.isnan(separation(third, first).soft[0])


def test_means_weigh_documents_by_their_words():
    sums = np.array([[[0.0, 4.0]], [[0.0, 1.0]]])
    counts = np.array([[2.0], [1.0]])
    np.testing.assert_allclose(
        mean_curves(sums, counts, np.array([[1.0, 1.0], [0.0, 3.0]]))[:, 0, 1], [5 / 3, 1]
    )
    assert np.isnan(mean_curves(sums, counts, np.zeros((1, 2)))).all()
