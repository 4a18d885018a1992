import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspgt.text.align import last_subtokens
from mspgt.text.corpus import load_corpus
from mspgt.text.trees import read_conllu
from mspgt.text.words import word_spans

MODELS = ("stories260K", "babyllama-105", "llama-a", "qwen-a", "llama-deep", "qwen-deep")


@pytest.fixture(params=MODELS)
def tokenizer(request, data):
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(data / "models" / request.param)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Lily's café cost 1,000.5 €.", ["Lily's", "café", "cost", "1,000.5", "€", "."]),
        ('"Don’t!" (he said)...', ['"', "Don’t", "!", '"', "(", "he", "said", ")", "..."]),
        (
            "well-known co-op -- 3–4, a.b",
            ["well", "-", "known", "co", "-", "op", "--", "3", "–", "4", ",", "a", ".", "b"],
        ),
        ("cafe\u0301 नमस्ते a_b dogs'", ["cafe\u0301", "नमस्ते", "a_b", "dogs", "'"]),
        (" \n\t", []),
    ],
)
def test_words_of_plain_text(text, words):
    assert [text[start:end] for start, end in word_spans(text)] == words


@given(st.text(max_size=60))
def test_words_cover_everything_but_space(text):
    spans = word_spans(text)
    assert "".join(text[start:end] for start, end in spans) == "".join(text.split())
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_spaces_bytes_and_specials():
    #          <s>     ▁A      Ġlong   er      space   é in two bytes  ."      </s>
    offsets = [(0, 0), (0, 1), (1, 6), (6, 8), (8, 9), (9, 10), (9, 10), (10, 12), (0, 0)]
    spans = [(0, 1), (2, 8), (9, 10), (10, 11), (11, 12)]  # A longer é . "
    assert last_subtokens(offsets, spans) == [1, 3, 6, 7, 7]


def test_words_without_a_token_are_marked():
    assert last_subtokens([(0, 0), (0, 3)], [(0, 3), (4, 6), (2, 2)]) == [1, -1, -1]
    assert last_subtokens([], [(0, 3)]) == [-1]
    assert last_subtokens([(0, 3)], []) == []


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted).map(tuple), max_size=8),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted).map(tuple), max_size=5),
)
def test_is_the_last_token_that_shares_a_character(offsets, spans):
    found = last_subtokens(offsets, spans)
    for (start, end), index in zip(spans, found, strict=True):
        sharing = [i for i, (a, b) in enumerate(offsets) if set(range(a, b)) & set(range(start, end))]
        assert index == max(sharing, default=-1)


def test_real_tokenizers_end_words_where_they_end(tokenizer, data):
    """Every word of real sentences has a token, and that token holds the word's last character."""
    corpus = load_corpus(data / "wikitext" / "wiki.valid.raw", max_sentences=100)
    samples = [(text, word_spans(text)) for document in corpus.documents for text in document.sentences]
    trees = [sentence for _, sentence in read_conllu(data / "ewt" / "en_ewt-ud-dev.conllu")]
    samples += [(sentence.text, list(sentence.spans)) for sentence in trees[::10]]
    exact = total = 0
    for text, spans in samples:
        encoded = tokenizer(text, return_offsets_mapping=True)
        ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
        special = tokenizer.get_special_tokens_mask(ids, already_has_special_tokens=True)
        for (start, end), index in zip(spans, last_subtokens(offsets, spans), strict=True):
            assert index >= 0, text[start:end]
            assert offsets[index][0] < end <= offsets[index][1]
            following = offsets[index + 1 :]
            assert all(begin >= end for begin, stop in following if stop > begin)
            assert not special[index] or ids[index] == tokenizer.unk_token_id
            exact += offsets[index][1] == end
            total += 1
    assert exact / total > 0.97
