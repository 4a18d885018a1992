import tracemalloc

import numpy as np
import pytest
import torch
from scipy.stats import ortho_group

import mspgt.signals.cka
from mspgt.errors import InputError
from mspgt.signals.cka import cka


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


@pytest.mark.parametrize("unbiased", [True, False])
def test_cka_of_very_small_and_very_large_numbers(unbiased):
    x, y = np.random.default_rng(4).normal(size=(2, 30, 5))
    for small, large in ((1e-9, 1.0), (1e-20, 1e-30), (1e20, 1e-20), (1e30, 1e30)):
        found = cka(small * x, large * y, unbiased=unbiased)
        assert found == pytest.approx(cka(x, y, unbiased=unbiased), abs=1e-12)


@pytest.mark.parametrize("value", [1.0, 0.1])  # 0.1 is not the mean of equal ones in double precision
def test_cka_of_a_constant_is_not_a_number(value):
    constant, other = np.full((41, 3), value), np.random.default_rng(0).normal(size=(41, 3))
    for pair in ((constant, other), (other, constant), (constant, constant)):
        assert np.isnan(cka(*pair))


def test_four_examples_are_enough():
    x, y = np.random.default_rng(4).normal(size=(2, 4, 3))
    assert cka(x, x) == pytest.approx(1.0)
    assert cka(x, y) == pytest.approx(reference_cka(x, y, True))


def layers_of(shape, seed=5, massive=False):
    """A random walk of states; with `massive`, one dimension of some examples outweighs all others."""
    x = np.random.default_rng(seed).normal(size=shape).cumsum(0) + 1.0
    x[shape[0] // 2 :, ::32, 0] += 800.0 * massive
    return x


# More examples than features of all layers, fewer, and in between.
@pytest.mark.parametrize("shape", [(4, 150, 7), (6, 40, 90), (8, 90, 12)])
@pytest.mark.parametrize("room", [2**24, 2**10, 1])
@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("massive", [True, False])
def test_all_pairs_at_once_are_the_pairs_one_by_one(shape, room, unbiased, massive, monkeypatch):
    monkeypatch.setattr(mspgt.signals.cka, "_ROOM", room)
    layers = layers_of(shape, massive=massive)
    found = cka(layers, unbiased=unbiased)
    assert (found == found.T).all()
    np.testing.assert_allclose(np.diag(found), 1.0, atol=1e-14)
    for i, j in zip(*np.triu_indices(len(layers), 1), strict=True):
        pair = cka(layers[i], layers[j], unbiased=unbiased)
        assert found[i, j] == pytest.approx(pair, rel=1e-12, abs=1e-13)
    for i, j in ((0, 1), (1, len(layers) - 1)):
        expected = reference_cka(layers[i], layers[j], unbiased)
        assert 1 - found[i, j] == pytest.approx(1 - expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("room", [2**24, 100])
@pytest.mark.parametrize("examples", [30, 80])
def test_representations_of_several_widths_and_constants_among_them(room, examples, monkeypatch):
    monkeypatch.setattr(mspgt.signals.cka, "_ROOM", room)
    rng = np.random.default_rng(6)
    many = [rng.normal(size=(examples, width)) + 0.1 for width in (3, 70, 1, 20)]
    many.insert(1, np.full((examples, 4), 0.1))
    many.append(many[0] @ ortho_group.rvs(3, random_state=2) - 5)
    found = cka(many)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[:, 1]).all()
    assert found[0, -1] == pytest.approx(1.0, abs=1e-12)
    for i in (0, 2, 3, 4):
        for j in (0, 2, 3, 4):
            assert found[i, j] == pytest.approx(reference_cka(many[i], many[j], True), abs=1e-11)


def test_all_pairs_of_tensors_and_lists_and_one_alone():
    layers = layers_of((3, 20, 4))
    half = torch.from_numpy(layers).bfloat16().requires_grad_()
    np.testing.assert_array_equal(cka(half), cka(half.detach().double().numpy()))
    np.testing.assert_array_equal(cka(layer for layer in layers.tolist()), cka(layers))
    np.testing.assert_allclose(cka(layers[:1]), [[1.0]], atol=1e-14)


@pytest.mark.parametrize("shape", [(24, 1200, 60), (6, 1200, 60)])
def test_memory_of_all_pairs_is_bounded(shape, monkeypatch):
    """All Gram matrices would be 276 MB, and all features in double precision 14 MB."""
    monkeypatch.setattr(mspgt.signals.cka, "_ROOM", 2**16)
    layers = layers_of(shape).astype(np.float32)
    tracemalloc.start()
    cka(layers)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    one = 8 * shape[1] * shape[2]
    assert peak < 8 * 2**16 + 5 * one


@pytest.mark.parametrize(
    ("many", "message"),
    [
        ([], "at least one representation"),
        (np.zeros((5, 2)), r"x\[0\] must have shape"),
        ([np.ones((5, 2)), np.zeros((6, 2))], r"x\[0\] and x\[1\] must describe the same examples"),
        ([np.ones((5, 2)), np.full((5, 2), np.inf)], r"x\[1\] holds NaN"),
        (np.zeros((2, 3, 2)), "at least 4"),
        (None, "Give x and y"),
        (7, "Give x and y"),
    ],
)
def test_all_pairs_refuse_what_they_cannot_measure(many, message):
    with pytest.raises(InputError, match=message):
        cka(many)


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


@pytest.mark.parametrize("exponent", [-1000, -500, -250, 250, 500, 1000])
@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("width", [5, 80])
def test_what_squares_cannot_hold_is_measured_to_the_last_bit(exponent, unbiased, width):
    """In either form of the products; numbers themselves are within double precision."""
    rng = np.random.default_rng(3)
    x, y = -rng.exponential(size=(50, width)), rng.normal(size=(50, width))
    assert cka(2.0**exponent * x, y, unbiased=unbiased) == cka(x, y, unbiased=unbiased)
    assert cka([y, y + x, 2.0**exponent * x])[0, 2] == cka([y, y + x, x])[0, 2]
