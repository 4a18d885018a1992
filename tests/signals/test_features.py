"""Word representations against hidden states taken one sentence at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from mspgt.errors import InputError
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.signals.features import word_features
from mspgt.text.treebank import LabelledSentence
from tests.lm.tiny import tiny_model


def sentence(text: str, words: list[str]) -> LabelledSentence:
    spans, at = [], 0
    for word in words:
        at = text.index(word, at)
        spans.append((at, at + len(word)))
        at += len(word)
    return LabelledSentence(text, "d", text, tuple(words), tuple(spans), None, None, None)


SENTENCES = [
    sentence("The unbelievable dog barked.", ["The", "unbelievable", "dog", "barked", "."]),
    sentence(
        "Rain fell on the roof all night, didn't it?",
        ["Rain", "fell", "on", "the", "roof", "all", "night", ",", "did", "n't", "it", "?"],
    ),
    sentence("No.", ["No", "."]),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny"), layers=3)


@pytest.fixture(scope="module")
def lm(folder: Path) -> LanguageModel:
    return load(folder, device="cpu")


def test_last_subtoken_of_every_word_at_every_layer(folder: Path, lm: LanguageModel) -> None:
    found = word_features(lm, SENTENCES, context="sentence", batch_tokens=30)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    expected = []
    for each in SENTENCES:
        table = tokenizer(each.text, return_offsets_mapping=True, return_tensors="pt")
        # All but the last state, which is taken after the final norm.
        with torch.no_grad():
            states = model(table["input_ids"], output_hidden_states=True).hidden_states[:-1]
        for start, end in each.spans:
            inside = [
                i
                for i, (a, b) in enumerate(table["offset_mapping"][0].tolist())
                if b > a and a < end and b > start
            ]
            expected.append(torch.stack([state[0, max(inside)] for state in states]))
    assert found.values.shape == (4, sum(len(s.words) for s in SENTENCES), 32)
    assert torch.allclose(found.values[:3], torch.stack(expected, dim=1), rtol=1e-4, atol=1e-4)
    assert found.kept.all()
    assert not found.dropped


def in_one_document(lm: LanguageModel) -> torch.Tensor:
    """All words of the sentences joined by spaces, behind the start token, from transformers itself."""
    text = " ".join(each.text for each in SENTENCES)
    table = lm.tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
    with torch.no_grad():
        states = lm.model(table["input_ids"], output_hidden_states=True).hidden_states[:-1]
    expected, begin = [], 0
    for each in SENTENCES:
        for _, end in each.spans:
            ends = [i for i, (a, b) in enumerate(table["offset_mapping"][0].tolist()) if a < begin + end <= b]
            expected.append(torch.stack([state[0, max(ends)] for state in states]))
        begin += len(each.text) + 1
    return torch.stack(expected, dim=1)


def test_a_word_sees_its_document(lm: LanguageModel) -> None:
    found = word_features(lm, SENTENCES)
    assert torch.allclose(found.values[:3], in_one_document(lm), rtol=1e-4, atol=1e-4)
    assert found.kept.all()
    apart = word_features(lm, [replace(each, document=each.text) for each in SENTENCES]).values
    alone = word_features(lm, SENTENCES, context="sentence").values
    assert torch.allclose(apart, alone, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(found.values, alone, rtol=1e-4, atol=1e-4)


def test_batches_change_nothing(lm: LanguageModel) -> None:
    one, other = (word_features(lm, SENTENCES, batch_tokens=tokens).values for tokens in (1, 1000))
    assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def test_sentences_that_cannot_be_represented_are_left_out_whole(lm: LanguageModel) -> None:
    long = sentence("word " * 80, ["word"] * 80)
    odd = LabelledSentence("x", "d", "No.", ("No", "?"), ((0, 2), (9, 12)), None, None, None)
    found = word_features(lm, [SENTENCES[2], long, odd, SENTENCES[0]], context="sentence")
    assert found.dropped == {"longer than the context": 1, "a word without a token": 1}
    assert np.flatnonzero(~found.kept).tolist() == list(range(2, 84))
    assert torch.equal(found.values[:, ~found.kept], torch.zeros(4, 82, 32))
    alone = word_features(lm, [SENTENCES[0]], context="sentence")
    assert torch.allclose(found.values[:, 84:], alone.values, rtol=1e-4, atol=1e-4)


def test_half_precision_stays_half(tmp_path: Path) -> None:
    lm = load(tiny_model(tmp_path, layers=2, dtype=torch.bfloat16), device="cpu")
    found = word_features(lm, SENTENCES)
    assert found.values.dtype == torch.bfloat16


def test_nothing_to_represent_is_refused(lm: LanguageModel) -> None:
    with pytest.raises(InputError, match="found none; give the treebank"):
        word_features(lm, [])
    with pytest.raises(InputError, match="longer than the context"):
        word_features(lm, [sentence("word " * 80, ["word"] * 80)])
