import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon

import mspgt.signals.attention
from mspgt.errors import InputError
from mspgt.signals.attention import attention_drift, jensen_shannon, row_drift


def rows(rng, *shape):
    return rng.dirichlet(np.full(shape[-1], 0.3), size=shape[:-1])


def test_equals_scipy_squared():
    rng = np.random.default_rng(0)
    p, q = rows(rng, 50, 12), rows(rng, 50, 12)
    p[0, 3:] = 0
    expected = [jensenshannon(a, b, base=2) ** 2 for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(jensen_shannon(p, q), expected, rtol=1e-9)


def test_of_a_distribution_with_itself_is_exactly_zero():
    p = rows(np.random.default_rng(1), 20, 7)
    assert (jensen_shannon(p, p) == 0).all()


def test_is_symmetric_and_one_for_disjoint_supports():
    p, q = rows(np.random.default_rng(2), 2, 9)
    assert jensen_shannon(p, q) == jensen_shannon(q, p)
    assert jensen_shannon([1, 0, 0], [0, 0.5, 0.5]) == 1.0


def test_never_exceeds_one_by_rounding():
    p, q = np.zeros((2, 20_000, 14))
    p[:, :7], q[:, 7:] = np.random.default_rng(0).random((2, 20_000, 7))
    found = jensen_shannon(p, q)
    assert found.max() == 1.0
    assert found.min() == pytest.approx(1.0, abs=1e-14)


def test_keeps_its_digits_when_the_divergence_is_tiny():
    p = np.array([0.25, 0.25, 0.5])
    step = np.array([1.0, -1.0, 0.0])
    for size in (1e-3, 1e-5, 1e-7):
        # Second order: JS ≈ Σ d²/(8 p ln 2), here with an error of relative order `size`.
        expected = (size**2 / 0.25 * 2) / (8 * np.log(2))
        assert jensen_shannon(p, p + size * step) == pytest.approx(expected, rel=10 * size + 1e-9)


@pytest.mark.parametrize("bad", [[[-0.1, 1.1]], [[0.0, 0.0]], [[np.nan, 1.0]]])
def test_refuses_what_is_no_distribution(bad):
    with pytest.raises(InputError):
        jensen_shannon(bad, [[0.5, 0.5]])


def causal_attention(rng, layers, batch, length):
    weights = np.tril(rng.gamma(0.4, size=(layers, batch, length, length)))
    return weights / weights.sum(-1, keepdims=True)


def test_drift_equals_brute_force_with_masks_and_sinks():
    rng = np.random.default_rng(3)
    layers, batch, length = 4, 3, 9
    maps = causal_attention(rng, layers, batch, length)
    lengths = [9, 6, 4]
    keys = np.array([[0 < t < n for t in range(length)] for n in lengths])
    keys[0, 4] = False
    found, counts = attention_drift(torch.from_numpy(maps), torch.from_numpy(keys), torch.from_numpy(keys))
    for b in range(batch):
        for l in range(layers - 1):
            values = []
            for t in range(length):
                columns = [k for k in range(t + 1) if keys[b, k]]
                if keys[b, t] and len(columns) >= 2:
                    p, q = maps[l, b, t, columns], maps[l + 1, b, t, columns]
                    values.append(jensenshannon(p, q, base=2) ** 2)
            assert counts[b, l] == len(values)
            assert found[b, l].item() == pytest.approx(np.mean(values), abs=1e-6)


def test_drift_of_equal_layers_is_exactly_zero_and_of_a_sentence_without_rows_not_a_number():
    maps = torch.from_numpy(causal_attention(np.random.default_rng(4), 1, 2, 5)).repeat(3, 1, 1, 1).float()
    keys = torch.tensor([[True] * 5, [True, False, False, False, False]])
    found, counts = attention_drift(maps, keys, keys)
    assert (found[0] == 0).all()
    assert found[1].isnan().all()
    assert (counts[1] == 0).all()


def test_single_precision_is_enough():
    maps = causal_attention(np.random.default_rng(5), 3, 2, 20)
    keys = torch.ones(2, 20, dtype=torch.bool)
    exact, _ = attention_drift(torch.from_numpy(maps), keys, keys)
    single, _ = attention_drift(torch.from_numpy(maps).float(), keys, keys)
    assert (exact - single).abs().max() < 1e-6


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
def test_a_text_drifts_as_it_does_alone_wherever_it_stands_in_a_batch(order, monkeypatch):
    """Of 40, 17, 3 and no tokens, behind padding or before it; a few queries at a time."""
    monkeypatch.setitem(mspgt.signals.attention._AT_ONCE, "cpu", 1)
    lengths = np.array([40, 17, 3, 0])[order]
    maps = np.tril(np.random.default_rng(0).random((3, 4, 40, 40))).astype(np.float32)
    for side in ("right", "left"):
        place = np.arange(40) if side == "right" else np.arange(40)[::-1]
        keys = torch.from_numpy(place[None] < lengths[:, None])
        whole = row_drift(torch.from_numpy(maps), keys, keys)
        for text, length in enumerate(lengths):
            own = slice(0, length) if side == "right" else slice(40 - length, 40)
            alone = torch.from_numpy(maps[:, text : text + 1, own, own])
            everything = torch.ones(1, length, dtype=torch.bool)
            found = row_drift(alone, everything, everything) if length else whole[:, text : text + 1, own]
            torch.testing.assert_close(whole[:, text, own], found[:, 0], atol=1e-7, rtol=1e-6, equal_nan=True)
            assert whole[:, text].isfinite().sum() == 2 * max(0, length - 1)
