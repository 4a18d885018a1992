"""Self-BLEU under exchange: every exchange against texts laid out anew, and a test that keeps its level."""

import numpy as np
import pytest
from scipy import stats

from mspgt.interventions.diversity import self_bleu, self_bleu_scores
from mspgt.interventions.effects import effect, label_swap_range
from mspgt.interventions.exchange import _swaps, differences, exchanged_self_bleu
from mspgt.interventions.metrics import Scores, mean_scores


def texts(rng, count, letters="abcdefgh", longest=15):
    return [list(rng.choice(list(letters), rng.integers(1, longest))) for _ in range(count)]


def test_every_exchange_is_what_self_bleu_says_of_the_texts_laid_out_anew():
    rng = np.random.default_rng(0)
    first, second = texts(rng, 12), texts(rng, 12, "abcdefghijkl", 9)
    swaps = rng.random((30, 12)) < 0.5
    found = differences(first, second, swaps)
    for one, row in zip(found, swaps, strict=True):
        left = [b if moved else a for a, b, moved in zip(first, second, row, strict=True)]
        right = [a if moved else b for a, b, moved in zip(first, second, row, strict=True)]
        assert one == pytest.approx(self_bleu(right) - self_bleu(left), abs=1e-9)


def test_documents_change_places_whole_and_few_of_them_are_enumerated():
    rng = np.random.default_rng(1)
    first, second = ([" ".join(words) for words in texts(rng, 8)] for _ in range(2))
    groups = [0, 0, 1, 1, 2, 2, 3, 3]
    found = exchanged_self_bleu(first, second, groups, draws=99)
    assert len(found) == 16
    assert found[0] == pytest.approx(self_bleu(second) - self_bleu(first), abs=1e-9)
    # Whoever exchanges all has exchanged none, with the sign turned.
    np.testing.assert_allclose(np.sort(found), np.sort(-found), atol=1e-12)
    drawn = exchanged_self_bleu(first, second, np.arange(8), draws=99, seed=3)
    assert len(drawn) == 100
    assert set(np.round(found, 12)) <= set(np.round(exchanged_self_bleu(first, second, np.arange(8)), 12))


def test_all_exchanges_stand_once_where_they_are_no_more_than_draws_and_one():
    every = _swaps(3, 7, 0)
    assert len({tuple(row) for row in every.tolist()}) == len(every) == 8
    drawn = _swaps(3, 6, 0)
    assert drawn.shape == (7, 3)
    assert not every[0].any()
    assert not drawn[0].any()
    assert _swaps(63, 2, 0).shape == (3, 63)


def test_texts_without_a_word_take_no_part():
    first, second = ["a b c", "", "a c b", "b"], ["a b", "a", "c b a", "b a"]
    found = exchanged_self_bleu(first, second, np.arange(4), draws=99)
    kept = [0, 2, 3]
    expected = self_bleu([second[at] for at in kept]) - self_bleu([first[at] for at in kept])
    assert found[0] == pytest.approx(expected, abs=1e-9)
    assert np.isnan(exchanged_self_bleu(["a", ""], ["b", "c"], [0, 1])).all()


def test_two_arms_that_differ_by_chance_alone_are_told_apart_in_one_case_of_twenty():
    """Texts of a document share words. Exchanged shares of a text (the old test) reject in 8 % and more."""
    rng = np.random.default_rng(2)
    runs, documents = 250, np.repeat(np.arange(12), 2)
    words = np.array([f"w{k}" for k in range(60)])
    law = 1 / np.arange(1, 61)
    rejected = outside = 0
    for run in range(runs):
        own = [rng.permutation(law) + 2 * law for _ in range(12)]
        arms = [
            [" ".join(rng.choice(words, 20, p=own[d] / own[d].sum())) for d in documents] for _ in range(2)
        ]
        scores = [mean_scores(self_bleu_scores(arm)) for arm in arms]
        swapped = exchanged_self_bleu(*arms, documents, draws=199, seed=run)
        arm = Scores(scores[1].law, scores[1].sums, swapped)
        found = effect(scores[0], arm, documents, draws=100, seed=run)
        rejected += found.p_permutation <= 0.05
        low, high = label_swap_range(scores[0], arm, documents)
        outside += not low <= found.percent <= high
    assert stats.binomtest(rejected, runs, 0.05).pvalue > 0.01
    assert stats.binomtest(outside, runs, 0.05).pvalue > 0.01


def test_an_arm_that_repeats_itself_is_seen():
    rng = np.random.default_rng(3)
    varied, poor = (
        [" ".join(words) for words in texts(rng, 24, kinds, 30)] for kinds in ("abcdefghijk", "ab")
    )
    found = exchanged_self_bleu(varied, poor, np.arange(24), draws=499)
    assert (np.abs(found) >= abs(found[0])).sum() == 1
