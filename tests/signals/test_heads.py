"""Head matching against every permutation, and matched drift against SciPy, sentence by sentence."""

from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon

from mspgt.lm.load import load
from mspgt.lm.tokenize import encode
from mspgt.signals.attention import matched_drift
from mspgt.signals.heads import match_heads
from mspgt.signals.measure import measure_scales, measure_shard
from mspgt.signals.tokens import draw_tokens
from tests.lm.tiny import TEXTS, tiny_model
from tests.signals.test_measure import CORPUS, SETTINGS


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def lm(request, tmp_path_factory):
    folder = tiny_model(tmp_path_factory.mktemp(request.param) / "m", request.param, layers=4)
    return load(folder, device="cpu", dtype="float64")


def by_head(lm, text):
    """(layers, heads, positions, positions) of one unpadded sentence, from transformers itself."""
    ids = lm.tokenizer(text, return_tensors="pt")["input_ids"]
    lm.model.set_attn_implementation("eager")
    try:
        with torch.no_grad():
            out = lm.model(ids, output_attentions=True, use_cache=False)
    finally:
        lm.model.set_attn_implementation("sdpa")
    return torch.stack([a[0] for a in out.attentions]).double().numpy()


def drift(p, q, kept):
    """Mean over positions of the divergence between two heads' rows over the kept columns; NaN without any."""
    rows = []
    for t in kept:
        columns = [k for k in kept if k <= t]
        if len(columns) >= 2:
            rows.append(jensenshannon(p[t, columns], q[t, columns], base=2) ** 2)
    return np.mean(rows) if rows else np.nan


def test_pairing_and_drift_equal_brute_force(lm):
    encoded = encode(lm, TEXTS)
    scales = measure_scales(lm, encoded, sample=100, **SETTINGS)
    pairing = match_heads(lm, encoded, scales, sample=100, **SETTINGS)
    maps = [by_head(lm, text) for text in TEXTS]
    kept = [[t for t, special in enumerate(e.special) if t > 0 and not special] for e in encoded]
    table = np.array(
        [
            [[[drift(m[l, i], m[l + 1, j], k) for j in range(4)] for i in range(4)] for l in range(3)]
            for m, k in zip(maps, kept, strict=True)
        ]
    )  # (sentences, transitions, heads, heads)
    cost = np.nansum(table, axis=0)
    for l in range(3):
        totals = {p: sum(cost[l, h, p[h]] for h in range(4)) for p in permutations(range(4))}
        assert tuple(pairing[l]) == min(totals, key=totals.get)

    tokens = draw_tokens(CORPUS, encoded, limit=1000, seed=0)
    shard = measure_shard(lm, tokens, range(3), scales, **SETTINGS, pairing=pairing)
    expected = np.array(
        [[np.mean([s[l, h, pairing[l, h]] for h in range(4)]) for l in range(3)] for s in table]
    )
    np.testing.assert_allclose(shard.drift["calibrated"], expected, atol=1e-6)
    whole = [[np.mean([drift(m[l, h], m[l + 1, pairing[l, h]], range(m.shape[-1])) for h in range(4)])
              for l in range(3)] for m in maps]  # fmt: skip
    np.testing.assert_allclose(shard.drift["paper"], whole, atol=1e-6)


def test_heads_that_change_places_do_not_drift():
    rng = np.random.default_rng(0)
    maps = np.tril(rng.gamma(0.4, size=(2, 5, 7, 7)))
    maps = torch.from_numpy(maps / maps.sum(-1, keepdims=True))
    order = torch.tensor([3, 0, 4, 1, 2])
    every = torch.ones(2, 7, dtype=torch.bool)
    assert (matched_drift(maps, maps[:, order], torch.argsort(order), every, every)[:, 1:] == 0).all()
    assert (matched_drift(maps, maps[:, order], torch.arange(5), every, every)[:, 1:].mean(1) > 0.1).all()


def test_a_sentence_without_a_usable_row_is_nan():
    maps = torch.eye(3).expand(2, 4, 3, 3).clone()
    keys = torch.tensor([[True, True, True], [False, False, True]])
    found = matched_drift(maps, maps, torch.arange(4), keys, keys)
    assert found[0, 1:].tolist() == [0, 0]
    assert torch.isnan(found[0, 0])
    assert torch.isnan(found[1]).all()
