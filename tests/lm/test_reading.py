"""How sentences reach a model: windows of documents behind a start token."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mspgt.errors import InputError, ModelError
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.reading import Reading, read, read_plainly, window_length
from mspgt.lm.start import start_token
from mspgt.lm.tokenize import encode

from .tiny import TEXTS, tiny_model

Make = Callable[..., LanguageModel]
DOCUMENTS = [TEXTS[:3], TEXTS[3:]]


def test_windows_are_the_text_of_the_document_and_every_sentence_has_its_place(tiny_lm: Make) -> None:
    lm = tiny_lm("llama")
    reading = read(lm, DOCUMENTS, window=40)
    start = lm.tokenizer.bos_token_id
    assert all(window.ids[0] == start and window.special[0] for window in reading.sequences)
    assert all(len(window.ids) <= 40 for window in reading.sequences)
    # Joined, the windows of a document are its tokens.
    owner = [0, 0, 0, 1, 1]
    for document, sentences in enumerate(DOCUMENTS):
        (whole,) = encode(lm, [" ".join(sentences)], front=None, too_long="never")
        windows = sorted({int(reading.place[s, 0]) for s in range(5) if owner[s] == document})
        joined = [token for w in windows for token in reading.sequences[w].ids[1:]]
        assert joined == list(whole.ids)
    assert len({int(sequence) for sequence in reading.place[:, 0]}) == len(reading.sequences) > 2
    for text, tokens, (sequence, at) in zip(TEXTS, reading.sentences, reading.place.tolist(), strict=True):
        assert reading.sequences[sequence].ids[at : at + len(tokens.ids)] == tokens.ids
        covered = {place for a, b in tokens.offsets for place in range(a, b)}
        assert covered == set(range(len(text)))
    members = [sentence for some in reading.members() for sentence in some]
    assert members == list(range(5))


def test_a_window_never_holds_two_documents(tiny_lm: Make) -> None:
    reading = read(tiny_lm("llama"), [[text] for text in TEXTS], window=64)
    assert [len(some) for some in reading.members()] == [1] * 5


def test_sentences_one_by_one_are_the_tokenizers_own_where_it_adds_the_start_token(tiny_lm: Make) -> None:
    lm = tiny_lm("llama")
    plain = read_plainly(lm, DOCUMENTS)
    assert read(lm, DOCUMENTS, context="sentence").same_as(plain)
    assert not read(lm, DOCUMENTS, context="sentence", start="none").same_as(plain)
    assert not read(lm, DOCUMENTS).same_as(plain)


def test_windows_and_sentences_that_do_not_fit(tiny_lm: Make) -> None:
    lm = tiny_lm("llama")
    assert window_length(lm) == 64
    with pytest.raises(InputError, match=r"window of 65 tokens.*64"):
        read(lm, DOCUMENTS, window=65)
    with pytest.raises(InputError, match="A sentence has"):
        read(lm, [["q" * 80]], window=32)
    cut = read(lm, [["q" * 80, "fine"]], window=32, too_long="cut")
    assert [len(window.ids) for window in cut.sequences] == [32, 1 + len(cut.sentences[1].ids)]
    assert cut.sentences[0].cut == 80 - 31


def test_about_so_many_sentences_are_spread_over_all_windows(tiny_lm: Make) -> None:
    reading = read(tiny_lm("llama"), [["One word."] * 6] * 5, window=64)
    assert len(reading.sequences) == 5
    assert len(reading.spread(30)) == 5
    assert reading.spread(12) == [reading.sequences[0], reading.sequences[4]]
    one_by_one = Reading.of(reading.sentences)
    assert len(one_by_one.spread(12)) == 12


def start_of(folder: Path, **settings: object) -> str:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    found = start_token(load(folder, device="cpu"))
    assert found is not None
    return found.token


def test_where_a_start_token_comes_from(tiny_lm: Make, tmp_path: Path) -> None:
    assert start_token(tiny_lm("llama")).token == "<s>"  # type: ignore[union-attr]
    assert start_token(tiny_lm("llama"), "none") is None
    assert start_token(tiny_lm("llama"), "a").id == tiny_lm("llama").tokenizer.convert_tokens_to_ids("a")  # type: ignore[union-attr]
    without = tiny_model(tmp_path / "m", bos=False)
    assert start_of(without, bos_token="<s>") == "<s>"  # named, though not added
    assert start_of(without, bos_token=None) == "</s>"
    assert start_of(without, text_start="a") == "a"
    with pytest.raises(ModelError, match="expected one"):
        start_of(without, text_start="two words")
    with pytest.raises(ModelError, match=r"measure\.start=none"):
        start_of(without, text_start=None, eos_token=None)
    with pytest.raises(ModelError, match="no token 'no-such'"):
        start_token(tiny_lm("llama"), "no-such")
