"""Effective attention length: maps done by hand, and a model whose window is its limit."""

import numpy as np
import pytest

from mspgt.errors import InputError, ModelError
from mspgt.lm.load import load
from mspgt.lm.observe import observe
from mspgt.lm.reading import read
from mspgt.lm.tokenize import batches
from mspgt.signals.measure import measure_scales
from mspgt.theory.reach import attended_distance, attention_reach
from tests.lm.tiny import TEXTS, tiny_model

ALL = np.ones(5, dtype=bool)


def test_distances_of_maps_by_hand():
    uniform = np.tril(np.ones((5, 5))) / np.arange(1, 6)[:, None]
    np.testing.assert_allclose(attended_distance(uniform, ALL), np.arange(5) / 2)
    np.testing.assert_array_equal(attended_distance(np.eye(5), ALL), 0)
    back_two = np.eye(5, k=-2) + np.diag([1, 1, 0, 0, 0])
    np.testing.assert_array_equal(attended_distance(back_two, ALL), [0, 0, 2, 2, 2])


def test_a_sink_takes_no_distance_and_what_is_left_is_scaled():
    """Nine tenths of every query's attention lie on the first token, the rest on itself and the one before."""
    weights = 0.05 * np.eye(5) + 0.05 * np.eye(5, k=-1)
    weights[:, 0] += 1 - weights.sum(1)
    keys = ALL.copy()
    keys[0] = False
    assert attended_distance(weights, ALL)[4] == pytest.approx(0.9 * 4 + 0.05)
    np.testing.assert_allclose(attended_distance(weights, keys)[2:], 0.5)
    only_sink = np.zeros((5, 5))
    only_sink[:, 0] = 1
    assert np.isnan(attended_distance(only_sink, keys)).all()


@pytest.fixture(scope="module")
def read_by(tmp_path_factory):
    def one(kind, **how):
        lm = load(tiny_model(tmp_path_factory.mktemp(kind) / "model", kind, layers=3), device="cpu")
        reading = read(lm, [TEXTS * 3, TEXTS[::-1] * 3], window=48)
        scales = measure_scales(lm, reading, sample=100, sink_ratio=3.0, batch_tokens=400)
        windows = [one for one in reading.sequences if len(one.ids) > 24]
        return lm, windows, scales

    return one


def test_a_sliding_window_is_the_limit_and_full_attention_reaches_farther(read_by):
    def reach(kind):
        lm, windows, scales = read_by(kind)
        return attention_reach(lm, windows, scales, window=48, sink_ratio=1e9, batch_tokens=200)

    sliding, full = reach("mistral"), reach("llama")
    assert sliding.shape == full.shape
    assert (sliding < 4).all()
    assert (full > 8).all()


def test_a_window_is_what_its_own_map_says(read_by):
    """Every query of one window by itself, sinks by norm among its keys."""
    lm, windows, scales = read_by("llama")
    found = attention_reach(lm, windows, scales, window=48, sink_ratio=1.5, batch_tokens=10_000)
    (batch,) = batches(windows[:1], max_tokens=10_000)
    seen = observe(lm, batch)
    ratios = [
        h[0].float().norm(dim=-1).numpy() / m for h, m in zip(seen.hidden, scales.median_norm, strict=True)
    ]
    kept = np.max(ratios, axis=0) <= 1.5
    assert 0 < kept.sum() < len(kept)
    for layer in range(3):
        w = seen.attention[layer, 0].numpy() * kept
        own = [
            sum(w[i, j] * (i - j) for j in range(i + 1)) / w[i].sum() for i in range(24, len(kept)) if kept[i]
        ]
        assert found[0, layer] == pytest.approx(np.mean(own), rel=1e-5)


def test_what_cannot_be_seen_is_refused(read_by):
    lm, windows, scales = read_by("mamba")
    with pytest.raises(ModelError, match="cannot be seen"):
        attention_reach(lm, windows, scales, window=48, sink_ratio=3.0, batch_tokens=200)
    lm, _, scales = read_by("llama")
    with pytest.raises(InputError, match="more than 24 tokens"):
        attention_reach(lm, [], scales, window=48, sink_ratio=3.0, batch_tokens=200)
