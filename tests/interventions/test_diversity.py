"""Self-BLEU against NLTK, whose sentence BLEU with every other text as a reference is what it abbreviates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from mspgt.errors import InputError
from mspgt.interventions.diversity import self_bleu, self_bleu_scores


def by_nltk(texts: list[list[str]]) -> list[float]:
    smoothing = SmoothingFunction().method1
    return [
        sentence_bleu(texts[:at] + texts[at + 1 :], text, smoothing_function=smoothing)
        for at, text in enumerate(texts)
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=12), min_size=2, max_size=8))
def test_small_texts_in_every_shape(texts):
    np.testing.assert_allclose(self_bleu_scores(texts), by_nltk(texts), rtol=0, atol=1e-9)


def test_longer_texts_with_a_long_tail_of_words():
    rng = np.random.default_rng(0)
    texts = [[f"w{k}" for k in rng.zipf(1.3, size=rng.integers(1, 60))] for _ in range(60)]
    np.testing.assert_allclose(self_bleu_scores(texts), by_nltk(texts), rtol=0, atol=1e-9)
    assert self_bleu(texts) == pytest.approx(np.mean(by_nltk(texts)), abs=1e-9)


def test_strings_are_split_into_words_and_marks():
    texts = ["It rains, it pours.", "It rains – it pours!", "Nobody came."]
    split = [
        ["It", "rains", ",", "it", "pours", "."],
        ["It", "rains", "–", "it", "pours", "!"],
        ["Nobody", "came", "."],
    ]
    assert self_bleu_scores(texts).tolist() == self_bleu_scores(split).tolist()


def test_the_extremes():
    assert self_bleu(["the cat sat on the mat"] * 3) == 1.0
    assert self_bleu(["a b c d e", "f g h i j"]) == 0.0


def test_order_changes_nothing_and_repeating_a_text_raises_the_score():
    texts = ["a b c d e f", "a b c x y z", "u v w d e f", "a b q q q q"]
    assert self_bleu(texts[::-1]) == pytest.approx(self_bleu(texts), abs=1e-15)
    assert self_bleu([*texts, texts[0]]) > self_bleu(texts)


def test_empty_texts_have_no_score_and_are_no_references():
    scores = self_bleu_scores(["a b c d", "", " \n ", "a b c d"])
    assert np.isnan(scores[1:3]).all()
    assert scores[[0, 3]].tolist() == [1.0, 1.0]
    assert np.isnan(self_bleu_scores(["alone", ""])).all()
    for nothing in ([], ["one"], ["", ""]):
        with pytest.raises(InputError, match="at least two"):
            self_bleu(nothing)
    with pytest.raises(InputError, match="single string"):
        self_bleu("a b c")
