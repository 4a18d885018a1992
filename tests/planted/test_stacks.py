"""Stacks with boundaries at known layers, measured and searched by the code of a real model."""

from dataclasses import replace

import numpy as np
import pytest

from mspgt.boundaries.find import find_boundaries
from mspgt.planted.stacks import claimed, find_in_stack, signals_of
from mspgt.planted.updates import measured, tokens_of
from mspgt.synthetic.stacks import plant, sample_stack


@pytest.mark.parametrize(("layers", "planted"), [(26, [6, 19]), (33, [11, 24])])
def test_both_modes_find_what_was_planted(layers, planted):
    found = find_in_stack(layers, planted, height=7.0, seed=layers, sentences=300, documents=30)
    assert [layer for _, layer in claimed(found)] == planted
    assert [kind for kind, _ in claimed(found)] == ["spike", "spike"]
    assert found.calibrated.chosen["LI"].layer == planted[0]
    assert found.calibrated.chosen["IG"].layer == planted[1]
    assert [found.paper.LI.layer, found.paper.IG.layer] == planted


def test_a_stack_without_boundaries_yields_none_in_calibrated_mode():
    for seed in (1, 2):
        found = find_in_stack(24, [], height=0.0, seed=seed, sentences=150, documents=15, draws=50)
        assert claimed(found) == []


def test_signals_of_a_stack_are_the_planted_profiles():
    truth = plant(14, (5,), height=6.0, seed=4)
    stack = sample_stack(truth, sentences=400, positions=6, width=8, seed=5)
    s1, s2, s3 = signals_of(stack, 20).calibrated()
    assert s3 == pytest.approx(truth.js, rel=1e-4)
    assert s1 == pytest.approx(-np.log(truth.cka), rel=0.25)
    assert s1.argmax() == 4
    assert s2.shape == s1.shape


def test_findings_carry_phases_or_the_reason_why_there_are_none():
    """A planted stack has no embedding: what its first block writes is nothing, and has no similarity."""
    layers, place = 16, 8
    truth = plant(layers, [place], height=7.0, seed=2)
    signals = signals_of(sample_stack(truth, sentences=60, positions=4, width=8, seed=3), 12)
    found = find_boundaries(signals)
    assert found.phases is None
    assert "writes nothing" in found.no_phases

    rng = np.random.default_rng(0)
    steps = np.full(layers - 1, 0.05)
    steps[place - 1] += 1.0
    tokens = tokens_of(steps, documents=20, tokens=300, rng=rng)
    geometry = replace(signals.geometry, similarity=measured(tokens, rng))
    found = find_boundaries(replace(signals, geometry=geometry))
    assert [one.layer for one in found.phases.boundaries] == [place]
    assert found.no_phases == ""
