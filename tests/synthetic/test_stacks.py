"""Stacks: what is drawn has the planted CKA, label accuracy and attention drift."""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from mspgt.errors import InputError
from mspgt.synthetic.stacks import Profiles, binary_js, plant, sample_stack


def biased_cka(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return np.sum((x.T @ y) ** 2) / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


@pytest.fixture(scope="module")
def planted():
    profiles = plant(7, (3,), height=8, seed=2)
    return profiles, sample_stack(profiles, sentences=1500, positions=8, width=8, seed=3)


def test_adjacent_cka_is_the_planted_one(planted):
    """At n = 12,000 and d = 8 the bias of biased CKA is d/n = 0.0007."""
    profiles, stack = planted
    flat = stack.hidden.reshape(len(stack.hidden), -1, stack.hidden.shape[-1])
    seen = [biased_cka(a, b) for a, b in itertools.pairwise(flat)]
    np.testing.assert_allclose(seen, profiles.cka, atol=0.01)


def test_the_best_linear_reader_has_the_planted_accuracy(planted):
    """Classes are Gaussian with one covariance, so least squares is the best reader."""
    profiles, stack = planted
    sign = 2.0 * stack.labels.ravel() - 1
    for layer, truth in zip(stack.hidden, profiles.accuracy, strict=True):
        x = layer.reshape(len(sign), -1)
        guess = x @ np.linalg.lstsq(x, sign, rcond=None)[0] > 0
        assert np.mean(guess == (sign > 0)) == pytest.approx(truth, abs=0.02)


def test_attention_is_causal_and_drifts_as_planted(planted):
    profiles, stack = planted
    assert np.all(np.triu(stack.attention[0, 0], 1) == 0)
    np.testing.assert_allclose(stack.attention.sum(-1), 1, atol=1e-12)
    for l, truth in enumerate(profiles.js):
        p, q = stack.attention[l, :20, 1:], stack.attention[l + 1, :20, 1:]
        np.testing.assert_allclose(jensenshannon(p, q, base=2, axis=-1) ** 2, truth, atol=1e-9)


def test_a_boundary_stands_out_by_its_height_and_nothing_else_does():
    flat, raised = plant(24, seed=5), plant(24, (9, 16), height=6, roughness=0.2, seed=5)
    quiet = plant(24, roughness=0.2, seed=5)
    shift = np.log(-np.log(raised.cka)) - np.log(-np.log(quiet.cka))
    np.testing.assert_allclose(shift[[8, 15]], 1.2)
    assert np.abs(np.delete(shift, [8, 15])).max() < 1e-9
    assert flat.accuracy.min() > 0.6
    assert raised.accuracy.max() < 0.9


def test_no_drift_is_no_drift():
    still = Profiles(np.full(3, 0.9), np.zeros(3), np.full(4, 0.7))
    stack = sample_stack(still, sentences=2, positions=5, width=4, seed=0)
    assert (stack.attention == stack.attention[:1]).all()


def test_binary_divergence_is_scipys():
    assert binary_js(0.2, 0.7) == pytest.approx(jensenshannon([0.2, 0.8], [0.7, 0.3], base=2) ** 2)


def test_what_cannot_be_planted_is_refused():
    good = plant(5, seed=0)
    for bad in (
        Profiles(good.cka[:2], good.js, good.accuracy),
        Profiles(good.cka, good.js + 0.5, good.accuracy),
        Profiles(good.cka, good.js, good.accuracy - 0.5),
        Profiles(np.full(4, 0.9999), good.js, np.array([0.6, 0.9, 0.6, 0.9, 0.6])),
    ):
        with pytest.raises(InputError):
            sample_stack(bad, sentences=2, positions=4, width=4, seed=0)
    with pytest.raises(InputError):
        plant(5, (5,), seed=0)
