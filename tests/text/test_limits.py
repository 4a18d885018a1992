from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspgt.errors import InputError
from mspgt.text.limits import evenly_spread


@given(st.integers(0, 500), st.integers(1, 600))
def test_spread_is_even_and_complete(n, limit):
    taken = evenly_spread(range(n), limit)
    assert len(taken) == min(n, limit)
    assert taken == sorted(set(taken))
    if taken:
        gaps = {b - a for a, b in pairwise(taken)}
        assert max(gaps, default=0) - min(gaps, default=0) <= 1
        assert abs(taken[0] - (n - 1 - taken[-1])) <= 1, "one end is favoured"


def test_no_limit_and_a_senseless_one():
    assert evenly_spread("abc", None) == ["a", "b", "c"]
    with pytest.raises(InputError, match="at least 1, found 0"):
        evenly_spread("abc", 0)
