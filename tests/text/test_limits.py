from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspgt.errors import InputError
from mspgt.text.limits import STRETCH, evenly_spread, in_stretches


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


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 300))
def test_stretches_follow_each_other_and_fill_the_limit(sizes, limit):
    groups = [group for group, size in enumerate(sizes) for _ in range(size)]
    taken = in_stretches(groups, limit)
    assert len(taken) == min(len(groups), limit)
    assert taken == sorted(set(taken))
    starts = [sum(sizes[:group]) for group in range(len(sizes))]
    for group, start in enumerate(starts):
        mine = [place for place in taken if groups[place] == group]
        assert mine == list(range(start, start + len(mine))), "a hole in running text"


def test_stretches_keep_many_groups_and_single_items_spread():
    groups = [group for group in range(100) for _ in range(50)]
    taken = in_stretches(groups, 200)
    kept = [groups[place] for place in taken]
    assert len(set(kept)) == 200 // STRETCH
    assert abs(min(kept) - (99 - max(kept))) <= 1, "one end is favoured"
    # Without documents each sentence stands alone: then as sentences always were taken.
    assert in_stretches(range(1000), 7) == evenly_spread(range(1000), 7)
    with pytest.raises(InputError, match="at least 1, found 0"):
        in_stretches(groups, 0)
    # A limit that stretches of this length cannot fill takes longer ones of every group.
    assert [
        sum(g == group for g in (groups[p] for p in in_stretches(groups, 1000))) for group in (0, 99)
    ] == [10, 10]
