"""Similarity of updates against pairs of tokens enumerated one by one."""

import numpy as np
import pytest
import torch

from mspgt.signals import similarity
from mspgt.signals.similarity import largest_lag, update_similarity


def stack(seed, sizes, layers=5, width=12, topic=1.0):
    rng = np.random.default_rng(seed)
    documents = np.repeat(np.arange(len(sizes)), sizes)
    hidden = [rng.normal(size=(len(documents), width))]
    for _ in range(layers):
        shared = rng.normal(size=(len(sizes), width))[documents]
        hidden.append(hidden[-1] + 0.5 * rng.normal(size=(len(documents), width)) + topic * shared)
    return np.stack(hidden), documents


def by_pairs(features, documents, weights):
    """C_ij over pairs of tokens of different documents, one pair at a time."""
    layers, tokens, _ = features.shape
    sums = np.zeros((layers, layers))
    for s in range(tokens):
        for t in range(tokens):
            if documents[s] != documents[t]:
                kernel = np.einsum("ld,ld->l", features[:, s], features[:, t])
                sums += weights[documents[s]] * weights[documents[t]] * np.outer(kernel, kernel)
    own = np.sqrt(np.diag(sums))
    return sums / np.outer(own, own)


def unit(x):
    return x / np.sqrt((x**2).mean(-1, keepdims=True))


def centred(x):
    return x - x.mean(1, keepdims=True)


def found(hidden, documents, kept):
    return update_similarity(torch.from_numpy(hidden), torch.from_numpy(documents), documents.max() + 1, kept)


@pytest.fixture(scope="module")
def case():
    hidden, documents = stack(0, (5, 3, 7, 1, 4))
    rng = np.random.default_rng(1)
    kept = {name: rng.random(len(documents)) < 0.8 for name in ("limit_2", "without_top_word")}
    return hidden, documents, kept, found(hidden, documents, kept)


def test_every_variant_equals_enumeration(case):
    hidden, documents, kept, result = case
    ones = np.ones(documents.max() + 1)
    updates = unit(np.diff(hidden, axis=0))
    main = centred(updates)
    np.testing.assert_allclose(result.matrices["main"], by_pairs(main, documents, ones), atol=2e-6)
    for name, mask in kept.items():
        expected = by_pairs(centred(updates[:, mask]), documents[mask], ones)
        np.testing.assert_allclose(result.matrices[name], expected, atol=2e-6)
    scaled = main / main.std(1, keepdims=True)
    np.testing.assert_allclose(result.matrices["standardised"], by_pairs(scaled, documents, ones), atol=2e-6)
    np.testing.assert_allclose(result.states, by_pairs(centred(unit(hidden)), documents, ones), atol=2e-6)
    assert set(result.matrices) == {"main", "limit_2", "without_top_word", "standardised"}
    assert result.tokens["limit_2"] == kept["limit_2"].sum()
    assert result.tokens["main"] == len(documents)


def test_copies_of_a_document_form_no_pair(case):
    hidden, documents, _, result = case
    weights = np.array([2, 0, 1, 3, 1])
    expected = by_pairs(centred(unit(np.diff(hidden, axis=0))), documents, weights)
    band = result.band(np.stack([weights, np.ones(5)]))
    assert band.shape == (2, 5, largest_lag(5) + 1)
    for lag in range(result.lags + 1):
        np.testing.assert_allclose(band[0, : 5 - lag, lag], np.diagonal(expected, lag), atol=5e-6)
        assert np.isnan(band[0, 5 - lag :, lag]).all()
    np.testing.assert_allclose(result.band()[:4, 1], np.diagonal(result.matrices["main"], 1), atol=5e-6)


def test_documents_that_form_no_pair_have_no_similarity(case):
    with np.errstate(all="raise"):  # NaN, and not by dividing nothing by nothing
        assert np.isnan(case[-1].band(np.array([0.0, 0.0, 3.0, 0.0, 0.0]))).all()


def test_scaling_a_blocks_update_changes_nothing():
    hidden, documents = stack(2, (6, 6, 6, 6))
    updates = np.diff(hidden, axis=0)
    updates[2] *= 40
    louder = np.concatenate([hidden[:1], hidden[:1] + updates.cumsum(0)])
    same, other = found(hidden, documents, {}), found(louder, documents, {})
    np.testing.assert_allclose(same.matrices["main"], other.matrices["main"], atol=1e-4)


def test_topics_of_documents_do_not_pass_for_similarity():
    """Updates of different blocks that share nothing but which document they are in."""
    hidden, documents = stack(3, (20,) * 30, layers=3, width=64, topic=1.5)
    result = found(hidden, documents, {}).matrices["main"]
    assert np.abs(result[np.triu_indices(3, 1)]).max() < 0.15
    rng = np.random.default_rng(4)
    shuffled = rng.permutation(documents)  # documents that mean nothing: every pair counts but a few
    order = np.argsort(shuffled, kind="stable")
    everything = found(hidden[:, order], shuffled[order], {}).matrices["main"]
    assert everything[np.triu_indices(3, 1)].min() > np.abs(result[np.triu_indices(3, 1)]).max()


def test_one_document_is_not_measurable():
    hidden, documents = stack(5, (9,))
    assert np.isnan(found(hidden, documents, {}).matrices["main"]).all()


def test_the_largest_lag_is_a_third_of_the_depth_within_bounds():
    assert [largest_lag(layers) for layers in (2, 5, 12, 18, 24, 80)] == [1, 4, 4, 6, 8, 8]


def test_small_sums_are_sums_and_a_step_that_does_nothing_has_no_similarity():
    sums = np.array([[0.25, 0.1, 0.0], [0.1, 0.5, 0.0], [0.0, 0.0, 0.0]])
    found = similarity._normalised(sums)
    np.testing.assert_allclose(found[:2, :2], [[1, 0.1 / 0.125**0.5], [0.1 / 0.125**0.5, 1]])
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()
