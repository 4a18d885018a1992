import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mspgt.boundaries.fuse import WEIGHTS, fuse, unused_signals
from mspgt.errors import InputError

SIGNALS = np.array([[2.0, 4.0, 3.0], [0.0, 1.0, 0.5], [0.2, 0.1, 0.4]])


def test_both_readings_by_hand():
    assert fuse(SIGNALS) == pytest.approx([0 + 0 + 0.2, 1 + 0.8 + 0, 0.5 + 0.4 + 0.6])
    assert fuse(SIGNALS, reading="maximum") == pytest.approx(
        [0.5 + 0 + 0.3, 1 + 0.8 + 0.15, 0.75 + 0.4 + 0.6]
    )


@given(arrays(float, (3, 7), elements=st.floats(0.01, 100)), st.floats(0.1, 10), st.floats(-5, 5))
def test_min_max_knows_no_unit_and_no_offset(signals, scale, offset):
    spread = np.ptp(signals, axis=1)
    if (spread < 1e-3).any():
        return
    assert fuse(scale * signals + offset) == pytest.approx(fuse(signals), abs=1e-6)
    assert fuse(scale * signals, reading="maximum") == pytest.approx(fuse(signals, reading="maximum"))
    assert fuse(signals).min() >= 0
    assert fuse(signals).max() <= sum(WEIGHTS) + 1e-12


def test_draws_on_leading_axes_equal_one_by_one():
    draws = np.random.default_rng(0).normal(size=(4, 2, 3, 6))
    together = fuse(draws)
    assert together.shape == (4, 2, 6)
    assert together[3, 1] == pytest.approx(fuse(draws[3, 1]))


def test_signals_without_evidence_add_nothing_and_are_named():
    signals = SIGNALS.copy()
    signals[1], signals[2] = np.nan, 0.7 + 1e-15 * np.arange(3)
    assert fuse(signals) == pytest.approx([0, 1, 0.5])
    s2, s3 = unused_signals(signals)
    assert "S2 was not measured" in s2
    assert "S3 is constant" in s3
    assert unused_signals(SIGNALS) == []
    assert "S1 has no positive value" in unused_signals(-SIGNALS, "maximum")[0]
    assert fuse(-SIGNALS, reading="maximum") == pytest.approx(np.zeros(3))


def test_no_transitions_and_an_unknown_reading():
    assert fuse(np.empty((3, 0))).shape == (0,)
    with pytest.raises(InputError):
        fuse(SIGNALS, reading="z-score")
