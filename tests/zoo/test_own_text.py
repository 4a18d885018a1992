"""A family on one's own text."""

import dataclasses
import json

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from mspgt.errors import InputError
from mspgt.synthetic.corpora import sample_corpus
from mspgt.synthetic.triscale import TriScale
from mspgt.zoo.own_text import train_corpus
from mspgt.zoo.recipes import Recipe

TINY = Recipe("llama", 1, layers=2, width=32, inner=32, heads=2, steps=40, tokens_a_step=256, warmup=5)


def write(path, documents):
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in documents))
    return path


@pytest.fixture(scope="module")
def documents():
    return [" ".join(d.sentences) for d in sample_corpus(TriScale(), 200, 1).documents]


def test_a_family_learns_its_text_and_loads_again(documents, tmp_path):
    file = write(tmp_path / "text.jsonl", documents)
    folders = train_corpus([file], tmp_path / "out", runs=1, vocabulary=400, settings=TINY)
    assert [f.name for f in folders] == ["own-llama-1", "own-qwen2-1"]
    for folder in folders:
        card = json.loads((folder / "recipe.json").read_text())
        assert card["curve"][-1] < 0.7 * card["curve"][0]
        assert card["held_out_bits_a_token"] == pytest.approx(card["curve"][-1], rel=0.2)
        model = AutoModelForCausalLM.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = tokenizer(documents[0], return_tensors="pt")["input_ids"]
        assert ids.max() < model.config.vocab_size
        assert tokenizer.decode(ids[0], skip_special_tokens=True) == documents[0]


def test_too_little_text_is_refused(documents, tmp_path):
    with pytest.raises(InputError, match="at least 20 documents"):
        train_corpus([write(tmp_path / "few.jsonl", documents[:5])], tmp_path, settings=TINY)
    long = dataclasses.replace(TINY, steps=100_000)
    with pytest.raises(InputError, match="Give more text"):
        train_corpus([write(tmp_path / "all.jsonl", documents)], tmp_path, settings=long)


def test_text_that_does_not_come_back_is_refused(documents, tmp_path):
    bad = "The <s> guard is old now."
    with pytest.raises(InputError, match="does not give the text back"):
        train_corpus([write(tmp_path / "bad.jsonl", [*documents, bad])], tmp_path, settings=TINY)
