"""Intervals of profiles: over how many documents, and which are as wide as few documents ask."""

from __future__ import annotations

import numpy as np

from mspgt.planted.stacks import signals_of
from mspgt.stats.bootstrap import percentile_interval
from mspgt.study.intervals import of_draws, of_signals, too_few_for
from mspgt.synthetic.stacks import plant, sample_stack

STACK = sample_stack(plant(12, (5,), height=6.0, seed=4), sentences=60, positions=4, width=8, seed=5)


def test_the_papers_are_plain_percentiles_and_ours_as_much_wider_as_few_documents_ask() -> None:
    signals = signals_of(STACK, 20)
    draws = signals.bootstrap(200, 1)
    outer, inner = of_signals(signals, draws)
    assert list(too_few_for(signals)) == []
    for i, name in enumerate(("S1", "S2", "S3")):
        plain = percentile_interval(draws.paper[:, i]).T
        np.testing.assert_array_equal(outer[name]["paper"], plain)
        bands = inner[name]["calibrated"]
        assert bands is not None
        assert set(bands) == {"80", "50"}
    for i, name in ((1, "S2"), (2, "S3")):
        ours, plain = np.array(outer[name]["calibrated"]), percentile_interval(draws.calibrated[:, i]).T
        assert (ours[:, 0] <= plain[:, 0]).all()
        assert (ours[:, 1] >= plain[:, 1]).all()
        if name == "S2":  # attention of the planted stack is the same in every document
            assert np.ptp(ours, axis=1).mean() > 1.05 * np.ptp(plain, axis=1).mean()


def test_four_documents_have_no_interval_and_say_so() -> None:
    few = "4 documents: an interval needs at least 6"
    signals = signals_of(STACK, 4)
    outer, _ = of_signals(signals, signals.bootstrap(200, 1))
    assert outer["S3"]["paper"] is not None
    assert outer["S3"]["calibrated"] is None
    assert dict(too_few_for(signals)) == {"S3": few}
    signals = signals_of(STACK, 12)  # a third of them is the test split of the labels
    outer, _ = of_signals(signals, signals.bootstrap(200, 1))
    assert outer["S2"]["paper"] is not None
    assert outer["S2"]["calibrated"] is None is not outer["S3"]["calibrated"]
    assert dict(too_few_for(signals)) == {"S2": few}
    assert of_draws(np.ones((200, 3)), 4) == (None, None)
