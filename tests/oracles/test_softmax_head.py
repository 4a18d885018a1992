"""Fisher information of a softmax head against automatic differentiation, sampled labels and small noise."""

import numpy as np
import pytest
import torch
from calibration.oracles.softmax_head import SoftmaxHead

from mspgt.errors import InputError

RNG = np.random.default_rng(0)
HEAD = SoftmaxHead(RNG.standard_normal((5, 3)), RNG.standard_normal(5))
H = RNG.standard_normal((4, 3))


def loss(h, label):
    logits = torch.from_numpy(HEAD.weights) @ h + torch.from_numpy(HEAD.bias)
    return -torch.log_softmax(logits, 0)[label]


def test_fisher_is_the_hessian_of_the_loss_at_any_label():
    fisher = HEAD.fisher(H)
    for row, expected in zip(H, fisher, strict=True):
        for label in (0, 3):
            hessian = torch.autograd.functional.hessian(lambda h, y=label: loss(h, y), torch.from_numpy(row))
            np.testing.assert_allclose(hessian.numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(HEAD.fisher_trace(H), np.trace(fisher, axis1=1, axis2=2), atol=1e-12)


def test_empirical_fisher_of_its_own_labels_is_fisher_and_of_others_is_not():
    many = np.repeat(H[:1], 100_000, axis=0)
    own = HEAD.empirical_fisher_trace(many, HEAD.sample_labels(many, 0)).mean()
    assert own == pytest.approx(HEAD.fisher_trace(H[:1])[0], rel=0.02)
    likeliest = HEAD.log_probabilities(H[:1]).argmax(1)
    assert HEAD.empirical_fisher_trace(H[:1], likeliest)[0] < 0.8 * own
    row = torch.from_numpy(H[1]).requires_grad_()
    loss(row, 2).backward()
    assert HEAD.empirical_fisher_trace(H[1:2], np.array([2]))[0] == pytest.approx(float((row.grad**2).sum()))


def test_half_the_trace_is_the_slope_of_the_divergence_over_the_variance():
    sigma = 0.02
    noise = np.random.default_rng(1).standard_normal((200_000, 3))
    clean = HEAD.log_probabilities(H[:1])
    noisy = [HEAD.log_probabilities(H[:1] + sign * sigma * noise) for sign in (1, -1)]
    kl = np.mean([(np.exp(clean) * (clean - each)).sum(1).mean() for each in noisy])
    assert 2 * kl / sigma**2 == pytest.approx(HEAD.fisher_trace(H[:1])[0], rel=0.02)


def test_one_class_is_refused():
    with pytest.raises(InputError, match="two classes"):
        SoftmaxHead(np.ones((1, 3)), np.ones(1))
