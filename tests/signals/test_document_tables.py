"""CKA from document tables against its definitions: matrices for all tokens, enumeration across documents."""

from itertools import permutations, product

import numpy as np
import pytest
import torch

from mspgt.errors import InputError
from mspgt.signals.cka import cka
from mspgt.signals.document_tables import layer_tables, tuples_of_distinct
from tests.signals.test_cka import reference_cka


def layers_with_massive_activation(seed, tokens=160, width=24, layers=4):
    rng = np.random.default_rng(seed)
    hidden = [rng.normal(size=(tokens, width)) + 0.3]
    for _ in range(layers - 1):
        hidden.append(0.9 * hidden[-1] + 0.4 * rng.normal(size=(tokens, width)))
    stack = np.stack(hidden)
    stack[:, ::32, 3] += 300.0
    return stack


def tables_of(stack, documents, count, across, dtype=torch.float64, split=False):
    hidden = torch.from_numpy(stack)
    centred = (hidden - hidden.mean(1, keepdim=True)).to(dtype)
    return layer_tables(
        lambda layer: centred[layer],
        len(stack),
        torch.as_tensor(documents),
        count,
        across=across,
        split=split,
    )


def enumerated_hsic(k, l, documents, weights):
    """The U-statistic, one tuple of tokens of distinct documents at a time; every tuple by its documents' weights."""
    tokens, w = range(len(documents)), np.asarray(weights, dtype=float)[documents]

    def mean(size, term):
        total = count = 0.0
        for one in product(tokens, repeat=size):
            if len({documents[i] for i in one}) == size:
                weight = np.prod(w[list(one)])
                total, count = total + weight * term(*one), count + weight
        return total / count

    return (
        mean(2, lambda i, j: k[i, j] * l[i, j])
        - 2 * mean(3, lambda i, j, m: k[i, j] * l[j, m])
        + mean(4, lambda i, j, m, n: k[i, j] * l[m, n])
    )


def enumerated_cka(x, y, documents, weights):
    k, l = x @ x.T, y @ y.T
    cross, own_x, own_y = (enumerated_hsic(*p, documents, weights) for p in ((k, l), (k, k), (l, l)))
    return cross / np.sqrt(own_x * own_y)


@pytest.mark.parametrize("weights", [(1, 1, 1, 1, 1, 1), (2, 1, 0, 3, 1, 1)])
def test_cka_across_documents_equals_enumeration_of_its_tuples(weights):
    rng = np.random.default_rng(0)
    documents = np.array([0, 0, 0, 1, 2, 2, 3, 4, 4, 5])
    topic = rng.normal(size=(6, 4))[documents]
    stack = (rng.normal(size=(3, 10, 4)) + topic).cumsum(0)
    stack -= stack.mean(1, keepdims=True)
    found = tables_of(stack, documents, 6, True).cka(weights)
    expected = [enumerated_cka(stack[l], stack[l + 1], documents, weights) for l in range(2)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_one_token_a_document_is_the_estimator_of_independent_examples():
    stack = layers_with_massive_activation(3, tokens=40)
    found = tables_of(stack, np.arange(40), 40, True).cka()
    expected = [reference_cka(stack[l], stack[l + 1], True) for l in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    np.testing.assert_allclose(1 - found, 1 - np.array(expected), rtol=1e-4)


def test_tuples_of_distinct_documents_are_counted_right():
    m = np.array([[2.0, 0.0, 3.0, 1.0, 5.0, 4.0]])
    for size, found in zip((2, 3, 4), tuples_of_distinct(m), strict=True):
        expected = sum(np.prod(m[0, list(one)]) for one in permutations(range(6), size))
        assert found[0] == pytest.approx(expected, rel=1e-12)
    assert np.isnan(tuples_of_distinct(np.array([[1.0, 2.0, 3.0, 0.0]]))[0][0])


def test_fewer_than_four_documents_are_not_measurable_across_and_are_in_paper_mode():
    stack = layers_with_massive_activation(4)
    assert np.isnan(tables_of(stack, np.arange(160) // 54, 3, True).cka()).all()
    assert np.isfinite(tables_of(stack, np.arange(160) // 54, 3, False).cka()).all()
    four = tables_of(stack, np.arange(160) // 40, 4, True)
    assert np.isfinite(four.cka()).all()
    assert np.isnan(four.cka([2, 1, 1, 0])).all()


def test_biased_tables_reproduce_direct_cka_of_all_tokens():
    stack = layers_with_massive_activation(4)
    found = tables_of(stack, np.arange(160) // 23, 7, False).cka()
    expected = np.array([reference_cka(stack[l], stack[l + 1], False) for l in range(3)])
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(1 - found, 1 - expected, rtol=1e-4)


def test_single_precision_of_normalised_states_keeps_four_digits_of_the_distance_from_one():
    """What the calibrated estimate is computed in; a massive activation is there before normalisation."""
    stack = layers_with_massive_activation(6, tokens=800, width=64)
    stack = stack[:1] + 0.05 * (stack - stack[:1])  # neighbours as alike as in a real model
    stack /= np.sqrt((stack**2).mean(-1, keepdims=True))
    documents = np.arange(800) // 20
    exact = tables_of(stack, documents, 40, True).cka()
    found = tables_of(stack, documents, 40, True, torch.float32).cka()
    assert (1 - exact < 0.01).all()
    np.testing.assert_allclose(found, exact, rtol=1e-6)
    np.testing.assert_allclose(1 - found, 1 - exact, rtol=1e-4)


@pytest.mark.parametrize("size", [0.0, 3000.0])
def test_split_precision_keeps_four_digits_of_the_distance_from_one_next_to_a_massive_activation(size):
    """Two dimensions that a few tokens drive far up; single precision throughout loses the rest."""
    rng = np.random.default_rng(9)
    stack = rng.normal(size=(1, 800, 64)) + 0.02 * rng.normal(size=(4, 800, 64)).cumsum(0)
    stack[:, ::40, 3] += size
    stack[:, ::25, 50] -= 0.4 * size
    documents = np.arange(800) // 20
    exact = tables_of(stack, documents, 40, False)
    found = tables_of(stack, documents, 40, False, split=True)
    np.testing.assert_allclose(found.cka(), exact.cka(), rtol=1e-6)
    np.testing.assert_allclose(1 - found.cka(), 1 - exact.cka(), rtol=1e-4)
    weights = rng.multinomial(40, np.full(40, 1 / 40), size=20)
    np.testing.assert_allclose(1 - found.cka(weights), 1 - exact.cka(weights), rtol=1e-3)
    single = tables_of(stack, documents, 40, False, torch.float32)
    if size:
        assert np.abs((1 - single.cka()) / (1 - exact.cka()) - 1).max() > 1e-2


def test_split_tables_are_those_of_one_precision_where_every_dimension_is_large_or_none():
    for scales in (np.ones(12), np.r_[np.zeros(7), np.ones(5)]):
        stack = np.random.default_rng(10).normal(size=(2, 90, 12)) * scales
        exact = tables_of(stack, np.arange(90) // 10, 9, False)
        found = tables_of(stack, np.arange(90) // 10, 9, False, split=True)
        for table in ("total", "self_pair", "next_pair"):
            np.testing.assert_allclose(getattr(found, table), getattr(exact, table), rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(found.cka(), exact.cka(), rtol=1e-6)


def test_biased_tables_under_weights_equal_repeating_documents():
    stack = layers_with_massive_activation(5, tokens=60)
    documents = np.sort(np.random.default_rng(1).integers(0, 5, 60))
    weights = np.array([2, 0, 1, 3, 1])
    tables = tables_of(stack, documents, 5, False)
    repeated = np.concatenate(
        [np.tile(stack[:, documents == d], (1, w, 1)) for d, w in enumerate(weights)], 1
    )
    expected = [reference_cka(repeated[l], repeated[l + 1], False) for l in range(3)]
    np.testing.assert_allclose(tables.cka(weights), expected, rtol=1e-6)


def test_topics_of_documents_do_not_pass_for_similarity():
    """Two layers that share no token-level structure, in documents whose topics differ from layer to layer."""
    rng = np.random.default_rng(7)
    documents = np.arange(600) // 15
    stack = rng.normal(size=(2, 600, 60)) + 1.5 * rng.normal(size=(2, 40, 60))[:, documents]
    across = tables_of(stack, documents, 40, True)
    assert abs(across.cka()[0]) < 0.05 < 0.3 < cka(stack[0], stack[1])
    draws = across.cka(rng.multinomial(40, np.full(40, 1 / 40), size=500))
    assert abs(draws.mean() - across.cka()[0]) < 0.02


def test_tables_refuse_unsorted_tokens_and_accept_an_empty_document():
    stack = np.random.default_rng(8).normal(size=(2, 15, 3))
    with pytest.raises(InputError, match="sorted"):
        tables_of(stack, [0, 1, 0, *[1] * 12], 2, True)
    sparse = tables_of(stack, np.array([0, 2, 3, 4, 5]).repeat(3), 6, True)
    dense = tables_of(stack, np.arange(5).repeat(3), 5, True)
    np.testing.assert_allclose(sparse.cka([1, 5, 2, 1, 1, 2]), dense.cka([1, 2, 1, 1, 2]))
