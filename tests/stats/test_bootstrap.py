import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mspgt.errors import InputError
from mspgt.stats.bootstrap import (
    MAX_CLUSTERS,
    document_clusters,
    document_weights,
    expanded_interval,
    percentile_interval,
    too_few,
)
from mspgt.study.stages import document_groups
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document


def test_weights_are_counts_of_a_resample():
    weights = document_weights(12, 400, seed=3)
    assert weights.shape == (400, 12)
    assert weights.dtype == np.float64
    assert (weights.sum(axis=1) == 12).all()
    assert (weights == np.round(weights)).all()
    # A multinomial count has mean 1 and variance 1 − 1/n; both within five standard errors.
    assert abs(weights.mean(axis=0) - 1).max() < 5 / 400**0.5
    assert abs(weights.var() - 11 / 12) < 0.1


def test_weights_follow_the_seed():
    assert (document_weights(5, 9, seed=1) == document_weights(5, 9, seed=1)).all()
    assert (document_weights(5, 9, seed=1) != document_weights(5, 9, seed=2)).any()
    assert document_weights(2, 1, seed=1).shape == (1, 2)


@pytest.mark.parametrize(("documents", "draws"), [(0, 10), (1, 10), (5, 0)])
def test_too_little_to_resample(documents, draws):
    with pytest.raises(InputError):
        document_weights(documents, draws, seed=0)


def test_interval_over_documents_covers_where_sentences_do_not():
    """Sentences share their document's offset: the claim for which the document is the unit."""
    rng = np.random.default_rng(0)
    covered = {"documents": 0, "sentences": 0}
    trials, documents, sentences = 200, 30, 8
    for trial in range(trials):
        values = rng.normal(size=(documents, 1)) + rng.normal(size=(documents, sentences))
        means = values.mean(axis=1)
        draws = document_weights(documents, 200, seed=trial) @ means / documents
        low, high = percentile_interval(draws)
        covered["documents"] += low <= 0 <= high
        draws = document_weights(values.size, 200, seed=trial) @ values.ravel() / values.size
        low, high = percentile_interval(draws)
        covered["sentences"] += low <= 0 <= high
    assert covered["documents"] / trials > 0.89
    assert covered["sentences"] / trials < 0.75


@given(st.lists(st.integers(1, 50), min_size=1, max_size=300), st.integers(2, 100))
def test_clusters_are_deterministic_complete_and_balanced(sizes, at_most):
    labels = document_clusters(sizes, at_most)
    assert (labels == document_clusters(sizes, at_most)).all()
    assert set(labels) == set(range(min(len(sizes), at_most)))
    if len(sizes) > at_most:
        totals = np.bincount(labels, weights=sizes)
        # Greedy filling: no cluster exceeds another by more than the largest document.
        assert totals.max() - totals.min() <= max(sizes)


def test_as_many_documents_as_clusters_keep_their_order():
    assert document_clusters([3, 1, 2], at_most=3).tolist() == [0, 1, 2]
    # The largest first, each into the smallest so far: 9 | 3 | 2, 1.
    assert document_clusters([3, 1, 2, 9], at_most=3).tolist() == [1, 2, 2, 0]


def test_a_measurement_in_memory_and_a_study_resample_the_same_groups():
    assert len(set(document_clusters([1] * 250))) == MAX_CLUSTERS == 64
    documents = tuple(Document(str(i), "", ("One sentence.",) * (1 + i % 7)) for i in range(250))
    sizes = [len(document.sentences) for document in documents]
    groups = document_groups(Corpus("many", documents, ""))
    assert (groups == document_clusters(sizes)).all()
    with pytest.raises(InputError):
        document_clusters([1, 2, 3], at_most=1)


def test_percentile_interval_of_known_quantiles():
    low, high = percentile_interval(np.arange(101.0), level=0.9)
    assert (low, high) == pytest.approx((5, 95))
    draws = np.random.default_rng(0).normal(size=(50, 2, 3))
    assert percentile_interval(draws, axis=1).shape == (2, 50, 3)


def test_a_failed_draw_is_not_skipped_in_silence():
    draws = np.ones((10, 2))
    draws[3, 1] = np.nan
    ends = percentile_interval(draws)
    assert (ends[:, 0] == 1).all()
    assert np.isnan(ends[:, 1]).all()


@pytest.mark.parametrize(("draws", "level"), [([], 0.95), ([1.0, 2.0], 1.0), ([1.0, 2.0], 0.0), (3.0, 0.9)])
def test_interval_rejects(draws, level):
    with pytest.raises(InputError):
        percentile_interval(draws, level)


@pytest.mark.parametrize("documents", [6, 10, 40])
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_expanded_percentiles_of_a_mean_are_the_ends_of_students_interval(documents, level):
    values = np.random.default_rng(documents).normal(3, 2, documents)
    # What draws of a bootstrap would be without end, were the documents' mean normal: its error is the plug-in one.
    draws = values.mean() + values.std() / documents**0.5 * stats.norm.ppf(
        (np.arange(200_000) + 0.5) / 200_000
    )
    wanted = stats.t.interval(level, documents - 1, values.mean(), values.std(ddof=1) / documents**0.5)
    np.testing.assert_allclose(expanded_interval(draws, documents, level), wanted, atol=2e-3)


def test_expanded_percentiles_cover_where_plain_ones_do_not():
    """Planted: plain percentiles over 10 documents, which are too short by a fifth."""
    rng, covered = np.random.default_rng(3), {"expanded": 0, "plain": 0}
    for world in range(600):
        draws = document_weights(10, 300, world) @ rng.normal(size=10) / 10
        for name, (low, high) in (
            ("expanded", expanded_interval(draws, 10)),
            ("plain", percentile_interval(draws)),
        ):
            covered[name] += low <= 0 <= high
    assert covered["expanded"] > 0.92 * 600
    assert covered["plain"] < 0.92 * 600


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_below_ten_documents_an_interval_reaches_as_far_as_students_and_as_percentiles(level):
    """One document of six is far off: percentiles alone end short of Student's below, and beyond it above."""
    values = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 6.0])
    draws = document_weights(6, 4000, 1) @ values / 6
    student = stats.t.interval(level, 5, values.mean(), values.std(ddof=1) / 6**0.5)
    low, high = expanded_interval(draws, 6, level)
    plain = percentile_interval(draws, level)
    assert low < min(student[0] + 0.1, plain[0])
    assert high > max(student[1] - 0.1, plain[1])
    if level == 0.95:
        assert low == pytest.approx(student[0], abs=0.1)
        assert high > student[1] + 0.3


def test_few_documents_keep_what_a_draw_says():
    draws = np.random.default_rng(0).normal(size=(500, 3))
    draws[3, 1], draws[4, 2] = np.nan, np.inf
    low, high = expanded_interval(draws, 7)
    assert np.isfinite([low[0], high[0]]).all()
    assert np.isnan([low[1], high[1]]).all()
    assert np.isfinite(low[2])
    assert not np.isnan(high[2])


def test_why_there_is_no_interval():
    assert too_few(1) == "one document: an interval needs at least 6"
    assert too_few(5) == "5 documents: an interval needs at least 6"


def test_many_documents_need_no_expansion_and_fewer_than_six_have_no_interval():
    draws = np.random.default_rng(0).normal(size=(2000, 3))
    np.testing.assert_allclose(expanded_interval(draws, 10**7), percentile_interval(draws), atol=0.05)
    assert np.isfinite(expanded_interval(draws, 6)).all()
    assert np.isnan(expanded_interval(draws, 5)).all()
    assert expanded_interval(draws, 5).shape == (2, 3)
    draws[7, 1] = np.nan
    assert np.isnan(expanded_interval(draws, 30)).any(axis=0).tolist() == [False, True, False]
    for documents in (5, 30):
        with pytest.raises(InputError, match="level"):
            expanded_interval(draws, documents, 1.0)
