from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from mspgt.errors import InputError
from mspgt.stats.multiplicity import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@given(P_VALUES)
def test_holm_is_the_closed_bonferroni_test(p):
    """Adjusted p of a hypothesis = largest Bonferroni p over all intersections that contain it."""
    tests = range(len(p))
    closed = [
        max(
            min(1.0, size * min(p[j] for j in subset))
            for size in range(1, len(p) + 1)
            for subset in combinations(tests, size)
            if i in subset
        )
        for i in tests
    ]
    assert holm(p) == pytest.approx(closed)


@given(P_VALUES)
def test_benjamini_hochberg_agrees_with_scipy(p):
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p, method="bh"))


def test_by_hand():
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(p) == pytest.approx([0.02, 0.04, 0.04, 0.02])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_a_test_not_run_stays_nan_and_does_not_count(adjust):
    adjusted = adjust([0.01, np.nan, 0.02])
    assert np.isnan(adjusted[1])
    assert adjusted[[0, 2]] == pytest.approx(adjust([0.01, 0.02]))
    assert adjust([]).size == 0


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@pytest.mark.parametrize("bad", [[1.2], [-0.1], [[0.1, 0.2]]])
def test_rejects_what_is_not_a_p_value(adjust, bad):
    with pytest.raises(InputError):
        adjust(bad)
