from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mspgt.errors import InputError
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.tokenize import Encoded, batches, encode

from .tiny import TEXTS

Make = Callable[..., LanguageModel]


@pytest.mark.parametrize("bos", [True, False])
def test_offsets_spell_the_text(tiny_lm: Make, bos: bool) -> None:
    lm = tiny_lm("llama", bos=bos)
    for text, encoded in zip(TEXTS, encode(lm, TEXTS), strict=True):
        assert encoded.special == (bos,) + (False,) * (len(encoded.ids) - 1)
        covered = {place for start, end in encoded.offsets for place in range(start, end)}
        assert covered == set(range(len(text)))
        assert lm.tokenizer.decode(encoded.ids[int(bos) :]) == text


def test_special_tokens_of_a_tokenizer_without_words(real_models: dict[str, Path]) -> None:
    lm = load(real_models["stories260K"], device="cpu")
    (encoded,) = encode(lm, ["Once upon a time."])
    assert encoded.special[0]
    assert not any(encoded.special[1:])
    assert encoded.offsets[-1] == (16, 17)


def test_the_name_of_a_special_token_is_text(tiny_lm: Make) -> None:
    lm = tiny_lm("llama")
    (encoded,) = encode(lm, ["a </s> b <s>"])
    assert not {0, 1} & set(encoded.ids[1:])
    assert sum(encoded.special) == 1


def test_longer_than_the_context(tiny_lm: Make) -> None:
    lm = tiny_lm("llama")
    long = "q" * 200
    with pytest.raises(InputError, match=r"Text 1 has 201 tokens.*takes 64"):
        encode(lm, ["fine", long])
    fine, cut = encode(lm, ["fine", long], too_long="cut")
    assert (fine.cut, cut.cut) == (0, 137)
    assert len(cut.ids) == len(cut.offsets) == len(cut.special) == 64


def test_many_texts_are_as_each_alone_and_hold_equal_pairs_once(tiny_lm: Make) -> None:
    lm = tiny_lm("llama")
    texts = [f"{TEXTS[i % len(TEXTS)][:20]} {i}" for i in range(600)]
    encoded = encode(lm, texts)
    assert [encoded[i] for i in (0, 255, 256, 599)] == [encode(lm, [texts[i]])[0] for i in (0, 255, 256, 599)]
    pairs = [pair for text in encoded for pair in text.offsets]
    assert len({id(pair) for pair in pairs}) == len(set(pairs)) < len(pairs) / 50
    with pytest.raises(InputError, match="Text 577 has 201 tokens"):
        encode(lm, [*texts[:577], "q" * 200])


def test_texts_that_cannot_be_encoded(tiny_lm: Make) -> None:
    assert encode(tiny_lm("llama"), []) == []
    assert encode(tiny_lm("llama"), [""])[0].special == (True,)
    with pytest.raises(InputError, match="no tokens"):
        encode(tiny_lm("llama", bos=False), ["fine", ""])
    with pytest.raises(InputError, match="single string"):
        encode(tiny_lm("llama"), "one text")
    with pytest.raises(InputError, match="at least 1"):
        next(batches(encode(tiny_lm("llama"), TEXTS), max_tokens=0))


@given(lengths=st.lists(st.integers(1, 30), max_size=40), max_tokens=st.integers(1, 120))
def test_batches_hold_every_text_once(lengths: list[int], max_tokens: int) -> None:
    encoded = [
        Encoded(tuple(range(100 * i, 100 * i + n)), ((i, n),) * n, (True,) + (False,) * (n - 1))
        for i, n in enumerate(lengths)
    ]
    seen: list[int] = []
    widths: list[int] = []
    for batch in batches(encoded, max_tokens=max_tokens, pad_id=9):
        rows, width = batch.input_ids.shape
        assert rows * width <= max_tokens or rows == 1
        widths.append(width)
        for row, place in enumerate(batch.indices):
            n = lengths[place]
            assert batch.input_ids[row, :n].tolist() == list(encoded[place].ids)
            assert bool((batch.input_ids[row, n:] == 9).all())
            assert batch.attention_mask[row].tolist() == [1] * n + [0] * (width - n)
            assert batch.special[row].tolist() == [True] + [False] * (width - 1)
            assert batch.offsets[row] == list(encoded[place].offsets)
        seen += batch.indices
    assert sorted(seen) == list(range(len(lengths)))
    assert widths == sorted(widths, reverse=True)


def test_batch_types(tiny_lm: Make) -> None:
    (batch,) = batches(encode(tiny_lm("llama"), TEXTS), max_tokens=1000)
    assert batch.input_ids.dtype == batch.attention_mask.dtype == torch.int64
    assert batch.special.dtype == torch.bool
