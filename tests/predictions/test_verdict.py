"""Partial conjunctions hold their level, and a claim and its negation are each other's mirror."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspgt.predictions.verdict import (
    Finding,
    Unit,
    at_least,
    combined,
    decided_by,
    needed,
    outcome,
    shown_unit,
)
from mspgt.results.predictions import DecidedBy


def unit(support: float, refute: float = 1.0, statistic: float | None = 0.0) -> Unit:
    return Unit("u", statistic, None, support, refute, "models")


@pytest.mark.parametrize("true", [0, 1, 2])
def test_at_least_three_of_four_is_rarely_claimed_where_fewer_hold(true):
    rng = np.random.default_rng(3)
    p = rng.uniform(size=(20_000, 4))
    p[:, :true] *= 1e-6  # these hold beyond doubt
    rate = np.mean([at_least(row, 3) <= 0.05 for row in p.tolist()])
    assert rate <= 0.055


def test_the_three_quantifiers():
    p = [0.001, 0.01, 0.03, 0.4]
    assert at_least(p, 4) == 0.4
    assert at_least(p, 1) == pytest.approx(0.004)
    assert at_least(p, needed("most", 4)) == pytest.approx(2 * 0.03)
    assert [needed("most", n) for n in (1, 2, 3, 4)] == [1, 2, 2, 3]


@pytest.mark.parametrize(("quantifier", "support", "refute"), [("every", 0.2, 0.002), ("some", 0.002, 0.2)])
def test_a_claim_fails_when_too_few_are_left_to_hold(quantifier, support, refute):
    units = [unit(0.001, 0.2), unit(0.2, 0.001)]
    assert combined(units, quantifier) == (pytest.approx(support), pytest.approx(refute))


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=7),
    st.sampled_from(["every", "most", "some"]),
    st.floats(1, 5),
)
def test_counts_reach_what_is_needed_exactly_where_the_verdict_falls(p, quantifier, weight):
    units = [unit(support, refute) for support, refute in p]
    by = decided_by(units, quantifier, "middle", 0.05, (weight, weight))
    for side, raw in zip((by.supported, by.refuted), combined(units, quantifier), strict=True):
        if abs(weight * raw - 0.05) > 1e-12:
            assert (side.in_ >= side.needed) == (weight * raw <= 0.05)
    assert decided_by([], quantifier, "middle", 0.05, (1.0, 1.0)) == DecidedBy()


def test_a_claim_that_is_not_whole_may_fail_but_is_not_supported():
    whole, part = Finding((unit(0.0),)), Finding((unit(0.0),), whole=False)
    assert outcome(whole, 0.001, 1.0, 0.05) == "supported"
    assert outcome(part, 0.001, 1.0, 0.05) == "inconclusive"
    assert outcome(part, 1.0, 0.001, 0.05) == "refuted"
    assert outcome(Finding(), None, None, 0.05) == "not testable"


def test_the_unit_that_is_shown():
    units = [unit(1, statistic=v) for v in (3.0, 1.0, 2.0)] + [unit(1, statistic=None)]
    assert shown_unit(units, "largest").statistic == 3.0
    assert shown_unit(units[:3], "middle").statistic == 2.0
    assert shown_unit(units[:3], "smallest").statistic == 1.0
