"""Tokenizers as transformers loads them: one token a word, offsets, round trip."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from mspgt.synthetic.corpora import sample_corpus
from mspgt.synthetic.triscale import TriScale
from mspgt.text.align import last_subtokens
from mspgt.text.words import word_spans
from mspgt.zoo.vocabulary import build_tokenizer, learn_tokenizer, save_tokenizer

LANGUAGE = TriScale()
RAW = build_tokenizer(LANGUAGE, bos=False)


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def tokenizer(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    bos = request.param == "llama"
    save_tokenizer(folder, build_tokenizer(LANGUAGE, bos=bos), bos=bos, max_length=160)
    (folder / "config.json").write_text(json.dumps({"model_type": request.param}))
    return AutoTokenizer.from_pretrained(folder)


def test_documents_come_back_and_every_word_is_one_token(tokenizer):
    bos = tokenizer.bos_token_id is not None
    for document in sample_corpus(LANGUAGE, 40, 3).documents:
        text = " ".join(document.sentences) + "\n" + document.sentences[0]
        encoded = tokenizer(text, return_offsets_mapping=True)
        assert tokenizer.decode(encoded["input_ids"], skip_special_tokens=True) == text
        spans = word_spans(text)
        assert len(encoded["input_ids"]) == len(spans) + 1 + bos
        owners = last_subtokens(encoded["offset_mapping"], spans)
        for owner, (start, end) in zip(owners, spans, strict=True):
            a, b = encoded["offset_mapping"][owner]
            assert text[a:b].strip() == text[start:end]


def test_only_llama_adds_a_first_token(tokenizer):
    first = tokenizer("The guard is old.")["input_ids"][0]
    assert (first == tokenizer.bos_token_id) is ("TokenizersBackend" in type(tokenizer).__name__)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Mn", "Mc", "Me", "Lm", "Lo"])))
def test_any_text_comes_back_in_normal_form(text):
    back = RAW.decode(RAW.encode(text).ids, skip_special_tokens=False)
    assert back == unicodedata.normalize("NFC", text)


def test_learnt_tokenizer_keeps_the_special_ids_and_compresses():
    texts = ["the cat sat on the mat. " * 50] * 3
    tokenizer = learn_tokenizer(texts, 300, bos=True)
    assert tokenizer.encode("the cat").ids[0] == 1
    assert len(tokenizer.encode(texts[0]).ids) < len(texts[0]) / 2
