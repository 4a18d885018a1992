"""The exact reader against plain enumeration of documents."""

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.synthetic.bayes import surprisal
from mspgt.synthetic.triscale import TriScale

LANGUAGE = TriScale(topics=3, sentences=2)


def brute_force(language, sentences):
    """p(whole sentences) as a sum over topics and patterns, written out."""
    _, kinds = language.patterns
    total = 0.0
    for topic in range(language.topics):
        p = 1 / language.topics
        for words in sentences:
            each = 0.0
            for pattern, slots in enumerate(kinds):
                slots = slots[slots >= 0]
                if len(slots) != len(words):
                    continue
                q = language.pattern_given_topic[topic, pattern]
                for kind, word in zip(slots, words, strict=True):
                    q *= language.emissions[kind, topic, word]
                each += q
            p *= each
        total += p
    return total


def test_document_probability_is_the_brute_force_sum():
    sample = LANGUAGE.sample(40, 8)
    bits = np.nansum(surprisal(LANGUAGE, sample.words), axis=(1, 2))
    for words, got in zip(sample.words, bits, strict=True):
        truth = brute_force(LANGUAGE, [row[row >= 0] for row in words])
        assert got == pytest.approx(-np.log2(truth), rel=1e-10)


def test_impossible_text_is_refused():
    sample = LANGUAGE.sample(2, 1)
    sample.words[0, 0, :2] = sample.words[0, 0, 1::-1]
    with pytest.raises(InputError, match="1 sentences"):
        surprisal(LANGUAGE, sample.words)
