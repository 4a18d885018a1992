"""Lexical richness and sentence structure, against their definitions written out the long way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mspgt.interventions.lexical import _mtld_forward, mattr, mtld, ttr
from mspgt.interventions.structure import length_moments, sentence_lengths, variance_within
from mspgt.text.words import words

TEXT = st.lists(st.sampled_from("abcdefgh"), max_size=60)


def test_words_are_words():
    assert words("Don't re-read THE naïve 3rd <b>edition</b>…") == [
        *("don't", "re", "read", "the", "naïve", "3rd", "b", "edition", "b"),
    ]
    assert words("?! -- '' \x00") == []


def test_ttr_by_hand():
    assert ttr(["a", "b", "a", "c"]) == 0.75
    assert ttr(["a"] * 199 + ["b"] * 200) == 2 / 200
    assert np.isnan(ttr([]))


@settings(max_examples=100, deadline=None)
@given(TEXT, st.integers(1, 20))
def test_mattr_is_the_mean_over_all_windows(tokens, window):
    windows = [tokens[i : i + window] for i in range(len(tokens) - window + 1)]
    expected = np.mean([len(set(part)) / window for part in windows]) if windows else np.nan
    assert mattr(tokens, window) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=100, deadline=None)
@given(TEXT)
def test_mtld_counts_factors_both_ways(tokens):
    def factors(sequence):
        full, start = 0, 0
        for end in range(1, len(sequence) + 1):
            part = sequence[start:end]
            if len(set(part)) / len(part) <= 0.72:
                full, start = full + 1, end
        rest = sequence[start:]
        return full + (1 - len(set(rest)) / len(rest)) / 0.28 if rest else full

    found = [factors(tokens), factors(tokens[::-1])]
    expected = np.mean([len(tokens) / count for count in found]) if all(found) else np.nan
    assert mtld(tokens) == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_sentence_lengths_and_their_variance():
    text = "It rained all day. Nobody came! ... The end"
    assert sentence_lengths(text).tolist() == [4, 2, 2]
    moments = length_moments([text, "One sentence only.", "", "He sat here. She ran. Stop!"])
    assert moments.tolist() == [[3, 8, 24], [1, 3, 9], [0, 0, 0], [3, 6, 14]]
    within = variance_within(moments)
    assert within[0] == pytest.approx(np.var([4, 2, 2], ddof=1))
    assert np.isnan(within[1:3]).all()
    assert within[3] == pytest.approx(1.0)


def test_a_ratio_of_exactly_72_percent_ends_a_factor():
    """18 words in 25 places, and then five new ones, which begin another."""
    words = [f"w{n}" for n in range(18)] + ["w0"] * 7 + [f"v{n}" for n in range(5)]
    assert _mtld_forward(words) == 30
