"""The measuring pass against a brute-force pass that shares nothing with it but the model."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon

from mspgt.lm.load import load
from mspgt.lm.observe import observe
from mspgt.lm.tokenize import encode
from mspgt.signals import measure
from mspgt.signals.geometry import calibrated_s1, paper_s1, reduce_shards
from mspgt.signals.measure import measure_scales, measure_shard
from mspgt.signals.tokens import draw_tokens, read_corpus
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document
from tests.lm.tiny import TEXTS, tiny_model

DOCUMENTS = (TEXTS[:2], TEXTS[2:4], TEXTS[4:])
CORPUS = Corpus("five sentences", tuple(Document(str(i), "", tuple(d)) for i, d in enumerate(DOCUMENTS)), "x")
SETTINGS = {"sink_ratio": 10.0, "batch_tokens": 64}


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def lm(request, tmp_path_factory):
    folder: Path = tiny_model(tmp_path_factory.mktemp(request.param) / "m", request.param, layers=4)
    return load(folder, device="cpu", dtype="float64")  # so that only the signals can differ


def measured(lm, documents=range(3), limit=10_000, unit="token", settings=SETTINGS):
    encoded = encode(lm, [s for d in CORPUS.documents for s in d.sentences])
    tokens = draw_tokens(CORPUS, encoded, limit=limit, unit=unit, seed=0)
    scales = measure_scales(lm, encoded, sample=100, **settings)
    return tokens, scales, measure_shard(lm, tokens, documents, scales, **settings, unit=unit)


def by_hand(lm, text):
    """Layers 0..L of one unpadded sentence and its head-mean attention, from transformers itself."""
    ids = lm.tokenizer(text, return_tensors="pt")["input_ids"]
    hidden = []
    hooks = [
        b.register_forward_hook(lambda m, i, o: hidden.append(o[0] if isinstance(o, tuple) else o))
        for b in lm.blocks
    ]
    first = lm.blocks[0].register_forward_pre_hook(
        lambda m, a, k: hidden.insert(0, a[0] if a else k["hidden_states"]), with_kwargs=True
    )
    lm.model.set_attn_implementation("eager")
    try:
        with torch.no_grad():
            out = lm.model(ids, output_attentions=True, use_cache=False)
    finally:
        lm.model.set_attn_implementation("sdpa")
        for hook in [*hooks, first]:
            hook.remove()
    return torch.stack([h[0] for h in hidden]), torch.stack([a[0].mean(0) for a in out.attentions])


def test_drift_of_every_sentence_equals_brute_force(lm):
    _, _, shard = measured(lm)
    for row, text in enumerate(TEXTS):
        _, maps = by_hand(lm, text)
        for l in range(lm.layers - 1):
            a, b = maps[l].double().numpy(), maps[l + 1].double().numpy()
            expected = np.mean(
                [jensenshannon(a[t, : t + 1], b[t, : t + 1], base=2) ** 2 for t in range(1, len(a))]
            )
            assert shard.drift["paper"][row, l] == pytest.approx(expected, abs=1e-6)


def test_calibrated_drift_leaves_out_the_first_column_and_special_tokens(lm):
    tokens, _, shard = measured(lm)
    for row, text in enumerate(TEXTS):
        special = tokens.encoded[row].special
        kept = [t for t in range(len(special)) if t > 0 and not special[t]]
        _, maps = by_hand(lm, text)
        values = []
        for t in kept:
            columns = [k for k in kept if k <= t]
            if len(columns) >= 2:
                p, q = (maps[i][t, columns].double().numpy() for i in (0, 1))
                values.append(jensenshannon(p, q, base=2) ** 2)
        if values:
            assert shard.drift["calibrated"][row, 0] == pytest.approx(np.mean(values), abs=1e-6)
        else:
            assert np.isnan(shard.drift["calibrated"][row, 0])


def test_all_tokens_reach_cka_and_equal_the_raw_residual_stream(lm):
    _, _, shard = measured(lm)
    expected = torch.cat([by_hand(lm, text)[0].transpose(0, 1) for text in TEXTS])
    torch.testing.assert_close(shard.hidden["paper"], expected, rtol=1e-4, atol=1e-4)


def test_word_final_tokens_are_the_calibrated_ones(lm):
    tokens, _, shard = measured(lm)
    assert len(shard.hidden["calibrated"]) == tokens.word_final
    for row, positions in enumerate(tokens.drawn["calibrated"]):
        for position in positions:
            end = tokens.encoded[row].offsets[position][1]
            assert end == len(TEXTS[row]) or not TEXTS[row][end - 1 : end + 1].isalpha()


def test_scales_equal_brute_force(lm):
    _, scales, _ = measured(lm)
    # The first position of a text, which attention rests on, is no yardstick.
    stack = torch.cat([by_hand(lm, text)[0][:, 1:] for text in TEXTS], dim=1).double()
    norms = stack.norm(dim=-1)
    np.testing.assert_allclose(scales.median_norm, np.median(norms.numpy(), axis=1), rtol=1e-4)
    kept = ~(norms > 10 * norms.median(1, keepdim=True).values).any(0)
    np.testing.assert_allclose(scales.std, stack[:, kept].flatten(1).std(1, correction=0), rtol=1e-4)


def test_a_planted_sink_is_seen_and_left_out_of_the_calibrated_signals(tmp_path):
    lm = load(tiny_model(tmp_path / "m", "llama", layers=3), device="cpu")
    tokens, _, clean = measured(lm)
    victim = int(tokens.encoded[0].ids[3])
    with torch.no_grad():
        lm.model.get_input_embeddings().weight[victim] *= 1000
    _, _, shard = measured(lm)
    count = sum(e.ids.count(victim) for e in tokens.encoded)
    assert shard.sinks == count > 0
    assert len(shard.hidden["paper"]) == len(clean.hidden["paper"])
    drawn = sum(
        int(e.ids[p] == victim)
        for e, ps in zip(tokens.encoded, tokens.drawn["calibrated"], strict=True)
        for p in ps
    )
    assert len(shard.hidden["calibrated"]) == len(clean.hidden["calibrated"])
    assert (shard.norm_ratio > SETTINGS["sink_ratio"]).sum() == drawn > 0


def test_shards_and_batches_change_nothing_beyond_rounding(lm):
    clusters = np.arange(3)
    _, _, whole = measured(lm)
    parts = [measured(lm, range(i, i + 1), settings={**SETTINGS, "batch_tokens": 7})[2] for i in range(3)]
    one, two = reduce_shards([whole], clusters), reduce_shards(parts, clusters)
    for name in ("paper", "calibrated"):
        np.testing.assert_allclose(one.cka(name), two.cka(name), rtol=1e-5)
        np.testing.assert_allclose(one.attention(name), two.attention(name), atol=1e-6)


def test_every_document_is_drawn_and_each_from_its_own_generator(lm):
    encoded = encode(lm, [s for d in CORPUS.documents for s in d.sentences])
    few = draw_tokens(CORPUS, encoded, limit=12, seed=0)
    assert sum(map(len, few.drawn["paper"])) == 12
    for d in range(3):
        assert sum(len(few.drawn["paper"][s]) for s in np.flatnonzero(few.document == d)) >= 1
    other = draw_tokens(CORPUS, encoded, limit=12, seed=1)
    assert any(
        (a.tolist() != b.tolist()) for a, b in zip(few.drawn["paper"], other.drawn["paper"], strict=True)
    )


def by_hand_in_a_window(lm, texts, ids):
    """Layers 0..L and head-mean attention of a window, and the span of each sentence in it."""
    text = " ".join(texts)
    hidden, maps = by_hand(lm, text)
    assert lm.tokenizer(text)["input_ids"] == list(ids)
    offsets = lm.tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    edges = np.cumsum([0, *(len(one) + 1 for one in texts)])
    owner = np.array([np.searchsorted(edges, end, side="left") - 1 for _, end in offsets])
    return hidden, maps, owner


def test_sentences_in_a_window_equal_brute_force(lm):
    documents = (TEXTS[:2], [TEXTS[4], TEXTS[1]])  # as long as fits the context
    corpus = Corpus(
        "four sentences", tuple(Document(str(i), "", tuple(d)) for i, d in enumerate(documents)), "x"
    )
    tokens = read_corpus(lm, corpus, limit=10_000, seed=0)
    reading = tokens.readings["calibrated"]
    assert len(reading.sequences) == 2
    scales = measure_scales(lm, reading, sample=100, **SETTINGS)
    shard = measure_shard(lm, tokens, range(2), scales, **SETTINGS)
    plain = measured(lm)[2]
    np.testing.assert_allclose(shard.drift["paper"][:2], plain.drift["paper"][:2], atol=1e-6)
    sentence, states = 0, []
    for texts, window in zip(documents, reading.sequences, strict=True):
        hidden, maps, owner = by_hand_in_a_window(lm, texts, window.ids)
        owner[0] = -1
        for here in range(len(texts)):
            positions = np.flatnonzero(owner == here)
            rows = []
            for t in positions:
                columns = np.arange(1, t + 1)
                if len(columns) >= 2:
                    p, q = (maps[layer][t, columns].double().numpy() for layer in (1, 2))
                    rows.append(jensenshannon(p, q, base=2) ** 2)
            assert shard.drift["calibrated"][sentence, 1] == pytest.approx(np.mean(rows), abs=5e-6)
            states.append(hidden[:, positions[tokens.drawn["calibrated"][sentence]]].transpose(0, 1))
            sentence += 1
    torch.testing.assert_close(shard.hidden["calibrated"], torch.cat(states), rtol=1e-4, atol=1e-4)
    parts = [
        measure_shard(lm, tokens, range(i, i + 1), scales, **{**SETTINGS, "batch_tokens": 7})
        for i in range(2)
    ]
    np.testing.assert_allclose(
        np.concatenate([part.drift["calibrated"] for part in parts]), shard.drift["calibrated"], atol=1e-6
    )


def test_the_sentence_unit_gives_one_mean_a_sentence(lm):
    _, _, shard = measured(lm, unit="sentence")
    assert len(shard.hidden["paper"]) == len(TEXTS)
    expected = by_hand(lm, TEXTS[2])[0].mean(1)
    torch.testing.assert_close(shard.hidden["paper"][2], expected, rtol=1e-4, atol=1e-4)


def test_s1_is_clipped_and_clips_are_counted():
    value, clips = paper_s1(np.array([0.5, 1e-5, -0.2, 1.0]))
    np.testing.assert_allclose(value, [2.0, 1000.0, 1000.0, 1.0])
    assert clips == 2
    value, clips = calibrated_s1(np.array([1.0, np.exp(-1), -0.2, np.nan]))
    np.testing.assert_allclose(value, [0.0, 1.0, -np.log(1e-3), np.nan], atol=1e-12)
    assert clips == 1


@pytest.mark.parametrize("ratio", [10.0, 1.2])
def test_activation_scales_are_those_of_all_tokens_laid_side_by_side(lm, ratio):
    encoded = encode(lm, [s for d in CORPUS.documents for s in d.sentences])
    scales = measure_scales(lm, encoded, sample=100, sink_ratio=ratio, batch_tokens=64)
    whole = [by_hand(lm, text)[0].transpose(0, 1).numpy() for text in TEXTS]
    every, inner = np.concatenate(whole), np.concatenate([one[1:] for one in whole])
    assert len(inner) == scales.tokens
    norms = np.linalg.norm(inner, axis=-1)
    kept = ~(norms > ratio * np.median(norms, axis=0)).any(axis=1)
    assert scales.sinks == (~kept).sum()
    assert (scales.sinks > 0) == (ratio < 2)
    np.testing.assert_allclose(scales.std_all, every.std(axis=(0, 2)), rtol=1e-6)
    np.testing.assert_allclose(scales.std, inner[kept].std(axis=(0, 2)), rtol=1e-6)
    np.testing.assert_allclose(scales.std_dimension, inner[kept].std(axis=0), rtol=1e-6)


@pytest.mark.parametrize("ratio", [10.0, 1.2])
def test_scales_are_the_same_to_the_bit_whether_states_are_kept_or_seen_again(lm, ratio, monkeypatch):
    encoded = encode(lm, [s for d in CORPUS.documents for s in d.sentences])
    seen = []
    monkeypatch.setattr(measure, "observe", lambda *a, **k: seen.append(1) or observe(*a, **k))
    found = {}
    for room in (2**30, 0):
        monkeypatch.setattr(measure, "_MOST_STATES", room)
        scales = measure_scales(lm, encoded, sample=100, sink_ratio=ratio, batch_tokens=64)
        found[room] = scales, len(seen)
        seen.clear()
    (kept, once), (again, twice) = found.values()
    assert twice == 2 * once
    assert (kept.sinks > 0) == (ratio < 10)
    for name in ("median_norm", "std", "std_all", "std_dimension"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(again, name))
