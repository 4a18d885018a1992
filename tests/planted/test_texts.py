"""Texts in which one variable is replaced: drawn from its own law, it leaves texts that could change places."""

import numpy as np
import pytest
from scipy import stats

from mspgt.planted.texts import written_arms
from mspgt.synthetic.bayes import surprisal
from mspgt.synthetic.triscale import TriScale
from mspgt.vocabulary import SCALES

LANGUAGE = TriScale()


def drawn(steep=(), runs=12):
    arms = [written_arms(LANGUAGE, steep, seed) for seed in range(runs)]
    return {name: np.concatenate([one[name] for one in arms]) for name in arms[0]}


def bits(words):
    return np.nansum(surprisal(LANGUAGE, words), axis=(1, 2))


def test_arms_of_their_own_law_are_as_likely_as_the_baseline():
    arms = drawn()
    base = bits(arms["baseline"])
    for name in ("aa", *SCALES):
        assert not (arms[name] == arms["baseline"]).all()
        assert stats.ttest_rel(bits(arms[name]), base).pvalue > 0.01


@pytest.mark.parametrize("scale", SCALES)
def test_only_the_arm_of_the_replaced_variable_leaves_the_language(scale):
    arms = drawn((scale,), runs=4)
    base = bits(arms["baseline"]) / (arms["baseline"] >= 0).sum(axis=(1, 2))
    for name in SCALES:
        own = bits(arms[name]) / (arms[name] >= 0).sum(axis=(1, 2))
        assert (stats.ttest_rel(own, base).pvalue < 1e-3) == (name == scale)


def test_what_an_arm_does_not_replace_stays():
    arms = drawn(runs=1)
    shape = {name: (words >= 0).sum(axis=2) for name, words in arms.items()}
    assert (shape["local"] == shape["baseline"]).all()  # the same patterns, so the same slots
    assert (shape["global"] == shape["baseline"]).all()
    assert (shape["intermediate"] != shape["baseline"]).any()
