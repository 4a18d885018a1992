import numpy as np
import pytest
import torch
from scipy.stats import ortho_group

from mspgt.errors import InputError
from mspgt.signals.cka import cka, layer_tables


def reference_hsic(k, l, unbiased):
    """HSIC by its matrix definition (Gretton 2005; Song 2012), nothing shared with the code under test."""
    n = len(k)
    if not unbiased:
        h = np.eye(n) - 1 / n
        return np.trace(k @ h @ l @ h) / n**2
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    one = np.ones(n)
    total = np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
    return (total - 2 * (one @ k @ l @ one) / (n - 2)) / (n * (n - 3))


def reference_cka(x, y, unbiased):
    k, l = (np.asarray(v, dtype=np.longdouble) @ np.asarray(v, dtype=np.longdouble).T for v in (x, y))
    cross, own_x, own_y = (reference_hsic(*pair, unbiased) for pair in ((k, l), (k, k), (l, l)))
    return float(cross / np.sqrt(own_x * own_y))


def layers_with_massive_activation(seed, tokens=160, width=24, layers=4):
    rng = np.random.default_rng(seed)
    hidden = [rng.normal(size=(tokens, width)) + 0.3]
    for _ in range(layers - 1):
        hidden.append(0.9 * hidden[-1] + 0.4 * rng.normal(size=(tokens, width)))
    stack = np.stack(hidden)
    stack[:, ::32, 3] += 300.0
    return stack


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("massive", [True, False])
@pytest.mark.parametrize("widths", [(5, 9), (200, 40)])
def test_cka_equals_its_matrix_definition(unbiased, massive, widths):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(90, widths[0])) + 2.0
    y = np.concatenate([x[:, :4] * 3 + 0.1 * rng.normal(size=(90, 4)), rng.normal(size=(90, widths[1]))], 1)
    if massive:
        x[::32, 0] += 500.0
        y[::32, 0] += 500.0
    expected = reference_cka(x, y, unbiased)
    found = cka(x, y, unbiased=unbiased)
    assert found == pytest.approx(expected, rel=1e-6)
    assert 1 - found == pytest.approx(1 - expected, rel=1e-4)


def test_unbiased_cka_of_independent_data_is_zero_and_biased_is_d_over_n_plus_d():
    rng = np.random.default_rng(2)
    n, d = 1000, 4096
    values = [
        (cka(x, y), cka(x, y, unbiased=False)) for x, y in (rng.normal(size=(2, n, d)) for _ in range(3))
    ]
    unbiased, biased = np.mean(values, axis=0)
    assert abs(unbiased) <= 0.01
    assert biased == pytest.approx(d / (n + d), abs=0.02)


def test_cka_ignores_rotation_scale_and_shift():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 60, 7))
    rotated = 4.2 * y @ ortho_group.rvs(7, random_state=1) + 11
    assert cka(x, rotated) == pytest.approx(cka(x, y), abs=1e-10)
    assert cka(x, -x) == pytest.approx(1.0, abs=1e-12)


def test_cka_of_a_constant_is_not_a_number():
    assert np.isnan(cka(np.ones((10, 3)), np.random.default_rng(0).normal(size=(10, 3))))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((5, 2)), np.zeros((6, 2)), "same examples"),
        (np.zeros(5), np.zeros(5), "examples, features"),
        (np.full((5, 2), np.nan), np.zeros((5, 2)), "NaN"),
        (np.zeros((3, 2)), np.zeros((3, 2)), "at least 4"),
    ],
)
def test_cka_refuses_what_it_cannot_measure(x, y, message):
    with pytest.raises(InputError, match=message):
        cka(x, y)


@pytest.mark.parametrize("zero_diagonal", [True, False])
def test_tables_reproduce_direct_cka_of_all_tokens(zero_diagonal):
    stack = layers_with_massive_activation(4)
    documents = torch.arange(160) // 23
    tables = layer_tables(torch.from_numpy(stack), documents, 7, zero_diagonal=zero_diagonal)
    expected = [reference_cka(stack[l], stack[l + 1], zero_diagonal) for l in range(3)]
    np.testing.assert_allclose(tables.cka(), expected, rtol=1e-6)
    np.testing.assert_allclose(1 - tables.cka(), 1 - np.array(expected), rtol=1e-4)


def test_biased_tables_under_weights_equal_repeating_documents():
    stack = layers_with_massive_activation(5, tokens=60)
    documents = np.sort(np.random.default_rng(1).integers(0, 5, 60))
    weights = np.array([2, 0, 1, 3, 1])
    tables = layer_tables(torch.from_numpy(stack), torch.from_numpy(documents), 5, zero_diagonal=False)
    repeated = np.concatenate(
        [np.tile(stack[:, documents == d], (1, w, 1)) for d, w in enumerate(weights)], 1
    )
    expected = [reference_cka(repeated[l], repeated[l + 1], False) for l in range(3)]
    np.testing.assert_allclose(tables.cka(weights), expected, rtol=1e-6)


def test_unbiased_tables_under_weights_leave_out_a_token_paired_with_its_own_copy():
    stack = np.random.default_rng(6).normal(size=(3, 40, 6)).cumsum(0)
    stack -= stack.mean(1, keepdims=True)
    documents = np.arange(40) // 8
    weights = np.array([2, 0, 1, 3, 1])
    tables = layer_tables(torch.from_numpy(stack), torch.from_numpy(documents), 5, zero_diagonal=True)
    token = np.concatenate([np.tile(np.flatnonzero(documents == d), w) for d, w in enumerate(weights)])
    different = token[:, None] != token[None, :]
    n = len(token)

    def hsic(a, b):
        k, l = (a[token] @ a[token].T) * different, (b[token] @ b[token].T) * different
        one = np.ones(n)
        value = (k * l).sum() + k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 * one @ k @ l @ one / (n - 2)
        return value / (n * (n - 3))

    expected = [
        hsic(stack[l], stack[l + 1]) / np.sqrt(hsic(stack[l], stack[l]) * hsic(stack[l + 1], stack[l + 1]))
        for l in range(2)
    ]
    np.testing.assert_allclose(tables.cka(weights), expected, rtol=1e-6)


def test_document_bootstrap_of_unbiased_cka_has_no_bias():
    """Independent layers: CKA is 0, and must stay 0 on average when documents are drawn twice."""
    rng = np.random.default_rng(7)
    hidden = torch.from_numpy(rng.normal(size=(2, 400, 60)))
    tables = layer_tables(hidden, torch.arange(400) // 10, 40, zero_diagonal=True)
    draws = tables.cka(rng.multinomial(40, np.full(40, 1 / 40), size=500))
    assert abs(draws.mean() - tables.cka()[0]) < 0.01


def test_tables_refuse_unsorted_tokens_and_accept_an_empty_document():
    hidden = torch.from_numpy(np.random.default_rng(8).normal(size=(2, 6, 3)))
    with pytest.raises(InputError, match="sorted"):
        layer_tables(hidden, torch.tensor([0, 1, 0, 1, 1, 1]), 2, zero_diagonal=True)
    sparse = layer_tables(hidden, torch.tensor([0, 0, 0, 2, 2, 2]), 3, zero_diagonal=True)
    dense = layer_tables(hidden, torch.tensor([0, 0, 0, 1, 1, 1]), 2, zero_diagonal=True)
    np.testing.assert_allclose(sparse.cka([1, 5, 2]), dense.cka([1, 2]))
