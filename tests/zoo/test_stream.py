"""The training text carries the exact reader's predictions, position by position."""

import numpy as np
import pytest

from mspgt.synthetic.bayes import surprisal
from mspgt.synthetic.triscale import TriScale
from mspgt.zoo.stream import Stream
from mspgt.zoo.vocabulary import build_tokenizer

LANGUAGE = TriScale()


@pytest.mark.parametrize("bos", [True, False])
def test_predictions_are_the_exact_readers(bos):
    tokenizer = build_tokenizer(LANGUAGE, bos=bos)
    block = Stream(LANGUAGE, tokenizer, bos=bos).draw(6, 200, seed=[4, 2])
    np.testing.assert_allclose(block.predictive.sum(-1), 1, atol=1e-5)
    given = np.take_along_axis(block.predictive, block.tokens[..., None], -1)[..., 0]
    index = {word: i for i, word in enumerate(LANGUAGE.vocabulary)}
    compared = 0
    for tokens, p in zip(block.tokens, given, strict=True):
        position = int(bos)
        for line in tokenizer.decode(tokens.tolist(), skip_special_tokens=True).split("\n")[:-1]:
            sentences = [[*s.split(), "."] for s in line.split(".") if s]
            words = np.full((1, len(sentences), 10), -1)
            for row, sentence in zip(words[0], sentences, strict=True):
                row[: len(sentence)] = [index[w] for w in sentence]
            bits = surprisal(LANGUAGE, words)
            bits = bits[~np.isnan(bits)]
            np.testing.assert_allclose(-np.log2(p[position : position + len(bits)]), bits, atol=1e-4)
            assert p[position + len(bits)] == 1  # a line ends after four sentences, for certain
            position += len(bits) + 1
            compared += len(bits)
    assert compared > 600


def test_text_is_what_the_tokenizer_makes_of_it_and_repeats():
    tokenizer = build_tokenizer(LANGUAGE, bos=True)
    stream = Stream(LANGUAGE, tokenizer, bos=True)
    one, two = stream.draw(5, 100, [1, 1]), stream.draw(5, 100, [1, 1])
    assert (one.tokens == two.tokens).all()
    assert (one.tokens != stream.draw(5, 100, [1, 2]).tokens).any()
    for tokens in one.tokens.tolist():
        assert tokenizer.encode(tokenizer.decode(tokens, skip_special_tokens=True)).ids == tokens
