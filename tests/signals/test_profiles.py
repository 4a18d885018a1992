"""Bootstrap draws of the profiles where the labels of the test split are few."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mspgt.boundaries.find import find_boundaries
from mspgt.planted.stacks import signals_of
from mspgt.signals.probes import ProbeResults
from mspgt.signals.profiles import Signals
from mspgt.synthetic.stacks import plant, sample_stack


@pytest.fixture(scope="module")
def planted() -> Signals:
    stack = sample_stack(plant(12, (5,), height=6.0, seed=4), sentences=60, positions=4, width=8, seed=5)
    signals: Signals = signals_of(stack, 20)
    return signals


def with_labels_in(signals: Signals, documents: int) -> Signals:
    """The signals where only the first so many test documents hold a label of the task."""
    assert signals.probes is not None
    task = signals.probes.results["label"]
    counts = task.counts * (signals.probes.document < documents)[:, None]
    rare = replace(task, counts=counts.astype(np.int32))
    return replace(signals, probes=ProbeResults({"label": rare}, signals.probes.document, {}))


def test_draws_without_s2_are_left_out_and_counted(planted: Signals) -> None:
    signals = with_labels_in(planted, 3)
    draws = signals.bootstrap(200, 1)
    left = len(draws.paper)
    assert draws.drawn is not None
    assert 100 <= left == len(draws.calibrated) == len(draws.drawn) < 200
    assert np.isfinite(draws.paper).all()
    assert draws.notes[0].startswith(f"{200 - left} of 200 draws of test documents hold no label of any task")
    whole = planted.bootstrap(200, 1)
    assert whole.drawn is None
    assert whole.notes == ()
    np.testing.assert_array_equal(draws.paper[:, 0], whole.paper[draws.drawn, 0])
    assert find_boundaries(signals, draws=draws).paper.accepted is not None


def test_too_few_draws_with_s2_hold_it_at_its_value(planted: Signals) -> None:
    assert planted.probes is not None
    counts = planted.probes.results["label"].counts.copy()
    # Each of three layers is right in one document only, so F1 is 0 there where a draw lacks that document.
    for document, layer in enumerate((2, 4, 6)):
        counts[:, layer, planted.probes.document != document] = [0, 1, 1]
    task = replace(planted.probes.results["label"], counts=counts)
    signals = replace(planted, probes=ProbeResults({"label": task}, planted.probes.document, {}))
    draws = signals.bootstrap(200, 2)
    assert "too few are left: S2 is held" in draws.notes[0]
    assert len(draws.paper) == 200
    assert np.isnan(draws.paper[:, 1]).all()
    assert np.isfinite(draws.paper[:, [0, 2]]).all()
    found = find_boundaries(signals, draws=draws)
    assert found.paper.accepted is not None
    assert found.calibrated.noise_ratio["S2"] is None


def test_a_step_from_an_f1_of_0_is_told_as_the_reason(planted: Signals) -> None:
    assert planted.probes is not None
    counts = planted.probes.results["label"].counts.copy()
    counts[:, 4] = [0, 1, 1]
    task = replace(planted.probes.results["label"], counts=counts)
    signals = replace(planted, probes=ProbeResults({"label": task}, planted.probes.document, {}))
    found = find_boundaries(signals, draws=signals.bootstrap(50, 2))
    (note,) = [note for note in found.notes if note.startswith("S2")]
    assert note.startswith("S2 has no value at transition 4: F1 of the probes is 0")
    assert "embedding" not in note
