"""Sums of products in single precision against the same in double."""

import numpy as np
import torch

from mspgt.signals.products import moment, own_products, sum_over_rows


def drawn(rows, columns, seed=0):
    """Numbers of a large common part, so that sums lose digits where they are careless."""
    return torch.from_numpy(np.random.default_rng(seed).normal(3, 1, size=(rows, columns))).float()


def test_a_matrix_with_itself_is_its_product_with_a_copy_and_symmetric():
    for x in (drawn(30, 700), drawn(700, 30).T):
        found = own_products(x)
        assert torch.equal(found, found.T)
        np.testing.assert_allclose(found, x.double() @ x.double().T, rtol=2e-6)


def test_moments_over_many_tokens_keep_single_precision():
    x, y = drawn(5_000, 20), drawn(5_000, 20, 1)
    np.testing.assert_allclose(moment(x, y), x.double().T @ y.double(), rtol=1e-6)
    np.testing.assert_allclose(moment(x, x), x.double().T @ x.double(), rtol=1e-6)


def test_sums_over_documents_that_cancel_keep_their_digits():
    for rows in (1, 3, 100):
        x = drawn(rows, 24).view(rows, 4, 6)
        x[:, 0] -= x[:, 0].mean(0)
        exact = x.double().sum(0)
        np.testing.assert_allclose(sum_over_rows(x), exact, rtol=1e-6, atol=2e-6 * rows**0.5)
