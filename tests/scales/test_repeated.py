"""Parts of the evidence, each judged alone."""

from mspgt.scales.decide import decide_scales
from mspgt.scales.repeated import halves, repeat_scales
from tests.scales.planted import planted_gains

ORDERED = {"L": 0.15, "I": 0.4, "G": 0.65}
WHAT = ["half 1 of the documents", "half 2 of the documents", "readers of deal 1", "readers of deal 2"]


def test_every_part_of_successive_scales_finds_both_boundaries_within_a_layer():
    gains = planted_gains(ORDERED)
    whole, parts = decide_scales(gains, draws=200), repeat_scales(gains)
    assert [part.what for part in parts] == WHAT
    assert [part.documents for part in parts] == [60, 60, 120, 120]
    for part in parts:
        assert part.verdict == "L < I < G supported"
        assert abs(part.LI - whole.LI.layer) <= 1
        assert abs(part.IG - whole.IG.layer) <= 1


def test_an_order_that_one_deal_of_the_readers_makes_is_seen_in_that_deal_alone():
    gains = planted_gains(ORDERED)
    tied = planted_gains(dict.fromkeys("LIG", 0.4))
    gains.sums[1] = tied.sums[1]
    first, second = repeat_scales(gains)[2:]
    assert first.LI is not None
    assert second.LI is None
    assert "unordered" in second.LI_reason


def test_a_scale_that_half_of_the_documents_carries_is_defined_in_the_half_that_holds_it():
    gains = planted_gains(ORDERED)
    flat = planted_gains(ORDERED, amplitude={"G": 0.0})
    first, second = halves(120, 0)
    assert sorted([*first, *second]) == list(range(120))
    gains.sums[:, second] = flat.sums[:, second]
    with_global, without = repeat_scales(gains)[:2]
    assert with_global.IG is not None
    assert without.IG is None
    assert "G is undefined" in without.IG_reason


def test_few_documents_are_not_halved():
    assert [part.what for part in repeat_scales(planted_gains(ORDERED, documents=16))] == WHAT[2:]
    assert repeat_scales(planted_gains(ORDERED, documents=16, seeds=1)) == []
