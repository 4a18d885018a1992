"""The probe's derivatives against automatic differentiation, and its answers against a plain module."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mspgt.signals import classifier
from mspgt.signals.classifier import Labelled, Recipe, fit


def data(seed: int, n: int, parts: int) -> Labelled:
    torch.manual_seed(seed)
    return Labelled(torch.randn(2, 30, 4), torch.randint(30, (n, parts)), torch.randint(3, (n,)))


@pytest.mark.parametrize("parts", [1, 2])
def test_slopes_are_the_derivatives_of_the_mean_loss(parts: int) -> None:
    batch = data(0, 7, parts)
    shapes = classifier._shapes(4 * parts, 5, 3)
    rows = torch.randn(2, sum(a * b for a, b in shapes), requires_grad=True)
    classifier._losses(classifier._views(rows * 1, shapes), batch).mean(1).sum().backward()
    found = torch.full_like(rows, torch.nan).detach()
    classifier._slopes(classifier._views(rows.detach(), shapes), batch, classifier._views(found, shapes))
    torch.testing.assert_close(found, rows.grad)


def test_answers_are_those_of_a_plain_network_over_concatenated_words() -> None:
    train, dev = data(1, 200, 2), data(2, 50, 2)
    probe = fit(train, dev, 3, Recipe(hidden=6, epochs=2), np.random.default_rng(0))
    inner, inner_bias, outer, outer_bias = probe.weights
    for layer, answers in enumerate(probe.answers(dev)):
        words = dev.table[layer][dev.rows].flatten(1)
        logits = torch.relu(words @ inner[layer] + inner_bias[layer]) @ outer[layer] + outer_bias[layer]
        assert answers.tolist() == logits.argmax(1).tolist()
    bits = probe.bits(dev)[1]
    assert bits == pytest.approx(
        float(torch.nn.functional.cross_entropy(logits, dev.labels, reduction="sum")) / np.log(2), rel=1e-5
    )


def test_a_dev_split_with_nothing_to_find_keeps_trained_weights() -> None:
    train, dev = data(1, 2000, 1), data(2, 50, 1)
    train.labels[:] = 0
    dev.labels[:] = 0
    probe = fit(train, dev, 3, Recipe(hidden=6, epochs=3), np.random.default_rng(0), outside=0)
    assert (probe.answers(dev) == 0).all()
    assert probe.best_epoch.tolist() == [3, 3]
