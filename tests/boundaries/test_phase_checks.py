"""What a claim must stand, on stacks of tokens whose similarity and boundaries are known."""

import numpy as np
import pytest
import torch

from mspgt.boundaries.phase_checks import document_error, from_band, model_phases
from mspgt.boundaries.phases import find_phases
from mspgt.planted.updates import ALONE, measured, tokens_of
from mspgt.signals.similarity import MAIN, update_similarity
from mspgt.stats.bootstrap import document_weights

LAYERS, PLACE = 24, 12


def steps(jump: float = 0.0) -> np.ndarray:
    even = np.full(LAYERS - 1, 1 / (LAYERS - 1))
    even[PLACE - 1] += jump
    return even


def expected(change: np.ndarray) -> np.ndarray:
    """The similarity (L, L) that tokens are drawn with."""
    path = np.concatenate([[0.0], np.cumsum(change)])
    similarity = np.exp(-ALONE - np.abs(path[:, None] - path))
    np.fill_diagonal(similarity, 1)
    return similarity


def stack(change: np.ndarray, seed: int, **sizes: float):
    """Measured similarity of a stack of tokens."""
    rng = np.random.default_rng(seed)
    return measured(tokens_of(change, rng=rng, **sizes), rng)


@pytest.fixture(scope="module")
def planted():
    return stack(steps(0.6), 1)


@pytest.fixture(scope="module")
def tokens():
    """(layers+1, tokens, width) states of 20 documents, and the document of each token."""
    rng = np.random.default_rng(4)
    document = np.sort(rng.integers(0, 20, 200))
    hidden = np.cumsum(rng.standard_normal((LAYERS + 1, 200, 16)), axis=0)
    return hidden.astype(np.float32), document


def test_similarity_of_tokens_is_that_of_the_process(planted):
    error = (planted.matrices[MAIN] - expected(steps(0.6)))[~np.eye(LAYERS, dtype=bool)]
    assert abs(error.mean()) < 0.01
    assert np.abs(error).max() < 0.05


def test_a_boundary_of_all_tokens_stands(planted):
    seen = planted
    found = model_phases(seen, weights=document_weights(len(seen.sizes), 60, 0))
    assert [one.phase.layer for one in found.boundaries] == [PLACE]
    assert set(found.boundaries[0].robust.values()) == {True}
    assert found.candidates == ()
    assert found.unmade == {}


def test_a_boundary_of_one_word_is_a_candidate_with_its_reason():
    """The main matrix shows a boundary that is not there once the word is left out."""
    seen, word = stack(steps(), 2), stack(steps(1.0), 3)
    seen.matrices[MAIN][:] = word.matrices[MAIN]
    found = model_phases(seen)
    assert found.boundaries == ()
    assert [one.phase.layer for one in found.candidates] == [PLACE]
    assert found.candidates[0].reasons[0] == "one word"


def test_the_halves_are_of_the_documents(planted):
    seen = planted
    found = model_phases(seen)
    odd = seen.band(np.arange(len(seen.sizes)) % 2 == 0)
    np.testing.assert_allclose(
        found.checks["odd_documents"].step, find_phases(from_band(odd), least_error=0.02 * 2**0.5).step
    )


def test_the_error_of_documents_falls_with_their_number():
    few = stack(steps(), 5, documents=12, tokens=200)
    many = stack(steps(), 5, documents=60, tokens=1000)
    spread = [document_error(one, document_weights(len(one.sizes), 100, 0)).mean() for one in (few, many)]
    assert spread[0] > 1.5 * spread[1]


def similarity(hidden: np.ndarray, document: np.ndarray) -> np.ndarray:
    order = np.argsort(document, kind="stable")
    return update_similarity(
        torch.from_numpy(np.ascontiguousarray(hidden[:, order])),
        torch.from_numpy(document[order]),
        int(document.max()) + 1,
        {},
    ).matrices[MAIN]


def test_labels_and_order_of_documents_change_nothing(tokens):
    hidden, document = tokens
    other = np.random.default_rng(0).permutation(20)[document]
    np.testing.assert_allclose(similarity(hidden, other), similarity(hidden, document), atol=1e-5)


def test_the_size_of_a_blocks_update_changes_nothing(tokens):
    hidden, document = tokens
    update = np.diff(hidden, axis=0)
    sizes = np.exp(np.random.default_rng(1).standard_normal((LAYERS, 1, 1))).astype(np.float32)
    resized = np.concatenate([hidden[:1], hidden[:1] + np.cumsum(sizes * update, axis=0)])
    np.testing.assert_allclose(similarity(resized, document), similarity(hidden, document), atol=1e-4)


def test_pairs_within_a_document_would_make_blocks_alike():
    """What leaving them out is for: over all pairs the same stack seems more alike by a twentieth."""
    rng = np.random.default_rng(6)
    tokens = tokens_of(steps(), documents=60, tokens=600, rng=rng)
    apart = ~np.eye(LAYERS, dtype=bool)
    truth = expected(steps())
    assert abs((measured(tokens, rng).matrices[MAIN] - truth)[apart].mean()) < 0.01

    updates = np.diff(tokens.hidden.astype(np.float64), axis=0)
    updates /= np.sqrt((updates**2).mean(axis=2, keepdims=True))
    updates -= updates.mean(axis=1, keepdims=True)
    grams = (updates @ updates.transpose(0, 2, 1)).reshape(LAYERS, -1)
    size = np.linalg.norm(grams, axis=1)
    assert np.abs(grams @ grams.T / np.outer(size, size) - truth)[apart].mean() > 0.05
