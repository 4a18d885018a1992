"""P-order: the centre of gravity is where a score is gained, and the order is read off it."""

import numpy as np
import pytest

from mspgt.predictions.judging import verdicts
from mspgt.predictions.order import centre_of_gravity
from mspgt.predictions.rules import Rules
from tests.predictions.planted import model, probe, results
from tests.whole import measured


def test_a_step_lies_where_it_is():
    curve = np.where(np.arange(25) >= 9, 0.9, 0.5)
    assert centre_of_gravity(curve, np.full(25, 1e-6), seed=0).layer == pytest.approx(9, abs=0.01)


def test_a_ramp_is_gained_in_its_middle():
    found = centre_of_gravity(np.linspace(0.2, 0.8, 25), np.full(25, 1e-6), seed=0)
    assert found.layer == pytest.approx((1 + 24) / 2, abs=0.01)


def test_gains_of_very_different_size_at_one_place_are_rarely_told_apart():
    rng = np.random.default_rng(0)
    curve = 1 - np.exp(-np.arange(25) / 4)
    z = []
    for seed in range(150):
        one, other = (
            centre_of_gravity(0.5 + gain * curve + 0.01 * rng.standard_normal(25), np.full(25, 0.01), seed)
            for gain in (0.4, 0.1)
        )
        z.append((other.layer - one.layer) / np.hypot(one.error, other.error))
    assert np.mean(np.abs(z) > 1.645) <= 0.13


def test_a_score_that_is_all_in_the_embedding_has_no_centre():
    assert centre_of_gravity(np.full(25, 0.97), np.full(25, 0.01), seed=0) is None


def test_the_best_of_many_noisy_layers_is_no_gain():
    rng = np.random.default_rng(0)
    found = [
        centre_of_gravity(0.5 + 0.01 * rng.standard_normal(25), np.full(25, 0.01), seed) is not None
        for seed in range(300)
    ]
    assert np.mean(found) <= 0.08


def study(*centres, topic=None):
    one = model(
        "f", 24, probes=dict(zip(("pos", "dep", "srl"), (probe(24, c) for c in centres), strict=False))
    )
    if topic is not None:
        curve = probe(24, topic)
        one["theory"] = {"information": {"topical": {"bits": curve["f1"], "ci": curve["f1_ci"]}}}
    return verdicts(measured(results(a=one)), Rules(), specification=False)["P-order"]


def test_all_four_in_order_are_supported():
    found = study(3, 8, 13, topic=18)
    assert found.verdict == "supported"
    assert found.statistic == pytest.approx(5 / 24, abs=0.06)


def test_three_in_order_are_not_enough_and_say_so():
    found = study(3, 8, 13)
    assert found.verdict == "inconclusive"
    assert any("topic" in why for why in found.missing)
    assert any("not be supported" in why for why in found.why)


def test_one_reversal_is_enough_to_refute():
    assert study(13, 8, 15).verdict == "refuted"
    assert study(3, 8, 13, topic=5).verdict == "refuted"


def test_one_place_for_all_is_inconclusive():
    assert study(8, 8, 8, topic=8).verdict == "inconclusive"


def test_a_curve_with_gaps_is_missing_and_says_where():
    for gap in (0, 7):
        one = model("f", 24, probes={task: probe(24, c) for task, c in (("pos", 3), ("dep", 8), ("srl", 13))})
        one["probes"]["srl"]["f1_ci"][gap] = None
        found = verdicts(measured(results(a=one)), Rules(), specification=True)["P-order"]
        assert f"a: no curve over layers for srl: it has no interval at layer {gap}" in found.missing
        assert "a: no curve over layers for topic: it was not measured" in found.missing
