"""States of words against a plain pass over the model, and the whole way on tiny models of other kinds."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from mspgt.lm.blocks import find_blocks
from mspgt.lm.observe import observe
from mspgt.lm.start import start_token
from mspgt.lm.tokenize import batches, encode
from mspgt.scales.documents import draw_documents
from mspgt.scales.find import find_scales
from mspgt.scales.gains import measure_gains
from mspgt.scales.states import running_mean, word_states
from mspgt.synthetic.corpora import sample_treebank
from mspgt.synthetic.triscale import TriScale


@pytest.fixture(scope="module")
def treebank():
    return sample_treebank(TriScale(), 0, train=4, dev=200, test=200)


def test_states_are_those_of_the_last_sub_token_of_each_word(tiny_lm, treebank):
    lm = tiny_lm("llama", layers=4, max_position_embeddings=512)
    text = draw_documents(treebank, documents=12)
    with word_states(lm, text, batch_tokens=400) as states:
        encoded = encode(lm, [text.documents[3].text])
        seen = observe(lm, next(batches(encoded, max_tokens=999)), attention=False).hidden
        own = np.flatnonzero(states.document == 3)
        for place, (_, end) in zip(own, text.documents[3].spans, strict=True):
            token = max(i for i, (a, b) in enumerate(encoded[0].offsets) if a < end <= b)
            for layer in (0, 2, 4):
                plain = seen[layer][0, token]
                plain = plain / plain.square().mean().sqrt()
                np.testing.assert_allclose(states.layer(layer)[place], plain, atol=4e-3)
        assert states.start == "<s>"


def test_states_on_disk_have_no_name_that_a_kill_could_leave_behind(tiny_lm, treebank, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with word_states(tiny_lm("llama", layers=4), draw_documents(treebank, documents=12)) as states:
        assert states.layer(4).any()
        assert list(tmp_path.iterdir()) == []


def test_words_beyond_the_context_are_not_present(tiny_lm, treebank):
    lm = tiny_lm("llama", layers=4)  # a context of 64
    text = draw_documents(treebank, documents=12)
    with word_states(lm, text) as states:
        assert 0 < states.present.mean() < 1
        assert not states.layer(1)[~states.present].any()


def test_documents_stand_behind_the_start_token_that_was_asked_for(tiny_lm, treebank):
    text = draw_documents(treebank, documents=12)
    lm = tiny_lm("llama", layers=4, bos=False, max_position_embeddings=512)
    with word_states(lm, text) as auto, word_states(lm, text, start="none") as bare:
        assert (auto.start, bare.start) == (start_token(lm).token, "")
        encoded = encode(lm, [text.documents[3].text], front=start_token(lm).id)
        seen = observe(lm, next(batches(encoded, max_tokens=999)), attention=False).hidden[4][0]
        own = np.flatnonzero(auto.document == 3)[0]
        end = text.documents[3].spans[0][1]
        token = max(i for i, (a, b) in enumerate(encoded[0].offsets) if a < end <= b)
        plain = seen[token] / seen[token].square().mean().sqrt()
        np.testing.assert_allclose(auto.layer(4)[own], plain, atol=4e-3)
        assert not np.allclose(bare.layer(4)[own], plain, atol=4e-3)


def test_the_bag_is_the_mean_so_far_of_the_same_document():
    values = np.arange(10.0, dtype=np.float32).reshape(5, 2)
    found = running_mean(values.copy, np.array([0, 0, 0, 1, 1]))
    np.testing.assert_allclose(found[:, 0], [0, 1, 2, 6, 7])


def test_a_sink_is_dropped_and_counted(tiny_lm, treebank):
    text = draw_documents(treebank, documents=12)
    with word_states(tiny_lm("llama", layers=4, max_position_embeddings=512), text) as states:
        assert states.sinks(1e6).sum() == 0
        states.norms[2, 5] = 100 * np.median(states.norms[2])
        assert list(np.flatnonzero(states.sinks(20.0))) == [5]


@pytest.mark.parametrize("family", ["mamba", "gpt2"])
def test_models_without_attention_and_of_other_families_are_measured(tiny_lm, treebank, family):
    lm = tiny_lm(family, layers=4)
    found = find_scales(lm, treebank, documents=40, seeds=1, draws=100, twin=False)
    assert len(found.tasks["relation"].gain) == 5
    assert "below 8 no boundary" in found.LI.reason
    assert found.tasks["word"].gain[0] > 1  # the embedding tells the word


def test_wide_states_are_projected_and_still_tell_the_word(tiny_lm, treebank):
    lm = tiny_lm("llama", layers=2, hidden_size=2048, max_position_embeddings=512)
    gains = measure_gains(lm, draw_documents(treebank, documents=24), seeds=1)
    word = gains.tasks.index("word")
    assert gains.bits()[word, 0] > 2
    assert np.isfinite(gains.sums).all()


def test_batches_change_nothing(tiny_lm, treebank):
    lm = tiny_lm("llama", layers=4, max_position_embeddings=512)
    text = draw_documents(treebank, documents=24)
    one, two = (measure_gains(lm, text, seeds=1, batch_tokens=n) for n in (200, 4000))
    np.testing.assert_allclose(one.bits(), two.bits(), atol=0.02)


def test_without_context_every_gain_is_zero(tiny_lm, treebank):
    """Every word its own document: what a layer holds beyond the word alone is nothing."""
    lm = tiny_lm("llama", layers=8, max_position_embeddings=512, initializer_range=0.05)
    text = draw_documents(treebank, documents=60)
    gains = measure_gains(_blind(lm), text, seeds=1)
    asked = [i for i, name in enumerate(gains.tasks) if name in ("previous", "relation", "head", "depth")]
    assert np.abs(gains.bits()[asked]).max() < 0.02


def _blind(lm):
    """The model with every attention output cut off: a token sees itself alone."""
    model = copy.deepcopy(lm.model)
    for block in model.model.layers:
        block.self_attn.o_proj.weight.data.zero_()
    return replace(lm, model=model, blocks=find_blocks(model))
