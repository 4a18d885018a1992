"""One small classifier on every layer at once: the layers are the batch dimension of each matrix product."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

# Fixed in advance for every layer, task and model. With a batch that grows with the data, and a rate that falls to
# zero, four epochs reach what forty at a constant rate do, from 1,000 examples to 34,000.
LEARNING_RATE = 5e-3
WARM_UP = 0.1  # of all steps
SMALLEST, LARGEST = 16, 128  # examples a batch
SLICE = 4096  # examples answered at a time

Criterion = Literal["f1", "loss"]


@dataclass(frozen=True)
class Recipe:
    """Hidden units, passes over the data, and batches in each as long as the size of a batch allows."""

    hidden: int = 128
    epochs: int = 4
    batches: int = 128


@dataclass(frozen=True)
class Labelled:
    """Examples over a table of words; the input of an example is the concatenation of its parts.

    table: (words, layers, width). rows: (examples, parts) places in it. labels: (examples,).
    """

    table: Tensor
    rows: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: slice | Tensor) -> Labelled:
        return Labelled(self.table, self.rows[chosen], self.labels[chosen])

    def inputs(self) -> Tensor:
        """(layers, examples, parts · width)."""
        words = self.table.index_select(0, self.rows.flatten()).unflatten(0, self.rows.shape)
        return words.permute(2, 0, 1, 3).flatten(2)

    def slices(self) -> list[Labelled]:
        return [self[start : start + SLICE] for start in range(0, len(self), SLICE)]


@dataclass(frozen=True)
class Classifier:
    """A ReLU layer and a linear one for each layer of a model.

    weights: (layers, inputs, hidden), (layers, 1, hidden), (layers, hidden, classes), (layers, 1, classes).
    best_epoch: (layers,) the epoch kept, from 1.
    """

    weights: tuple[Tensor, ...]
    best_epoch: NDArray[np.int64]

    @torch.no_grad()
    def answers(self, data: Labelled) -> NDArray[np.int64]:
        """The likeliest class of each example, (layers, examples)."""
        parts = [_logits(self.weights, part).argmax(-1).cpu() for part in data.slices()]
        return torch.cat(parts, dim=1).numpy()

    @torch.no_grad()
    def bits(self, data: Labelled) -> NDArray[np.float64]:
        """Bits that the labels cost under the predicted probabilities, (layers,)."""
        return self.label_bits(data).sum(1)

    @torch.no_grad()
    def label_bits(self, data: Labelled) -> NDArray[np.float64]:
        """Bits that each label costs under the predicted probabilities, (layers, examples)."""
        nats = torch.cat([_losses(self.weights, part).double().cpu() for part in data.slices()], dim=1)
        return nats.numpy() / math.log(2)


def fit(
    train: Labelled,
    dev: Labelled,
    classes: int,
    recipe: Recipe,
    rng: np.random.Generator,
    *,
    keep: Criterion = "f1",
    outside: int = -1,
) -> Classifier:
    """Train by Adam on cross-entropy; keep of each layer the epoch that does best on dev.

    Initial weights and batches are the same for all layers: a layer's classifier does not depend on which others
    train beside it, and layers differ by their inputs only.

    Args:
        train, dev: with labels below `classes`.
        keep: by micro F1 of all labels but `outside` (accuracy, if there is none), or by loss. Of equals, the later.
    """
    device = train.table.device
    _, layers, width = train.table.shape
    inputs = train.rows.shape[1] * width
    weights = [
        torch.from_numpy(start).to(device).expand(layers, -1, -1).clone().requires_grad_()
        for start in (
            _glorot(rng, inputs, recipe.hidden),
            _zeros(recipe.hidden),
            _glorot(rng, recipe.hidden, classes),
            _zeros(classes),
        )
    ]
    optimizer = torch.optim.Adam(weights, fused=True)
    size = min(max(len(train) // recipe.batches, SMALLEST), LARGEST)
    steps, step = recipe.epochs * math.ceil(len(train) / size), 0
    best = [w.detach().clone() for w in weights]
    score = torch.full((layers,), -torch.inf, device=device)
    best_epoch = torch.zeros(layers, dtype=torch.int64, device=device)
    for epoch in range(1, recipe.epochs + 1):
        order = torch.from_numpy(rng.permutation(len(train))).to(device)
        for batch in order.split(size):
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * _schedule((step + 1) / (steps + 1))
            optimizer.zero_grad()
            with torch.enable_grad():
                (_losses(weights, train[batch]).sum() / len(batch)).backward()
            optimizer.step()
            step += 1
        now = _score(weights, dev, keep, outside)
        better = now >= score
        score, best_epoch = now.where(better, score), best_epoch.masked_fill(better, epoch)
        best = [w.detach().where(better[:, None, None], b) for w, b in zip(weights, best, strict=True)]
    return Classifier(tuple(best), best_epoch.cpu().numpy())


def _glorot(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float32]:
    bound = math.sqrt(6 / (rows + columns))
    return rng.uniform(-bound, bound, (1, rows, columns)).astype(np.float32)


def _zeros(columns: int) -> NDArray[np.float32]:
    return np.zeros((1, 1, columns), dtype=np.float32)


def _schedule(progress: float) -> float:
    return min(progress / WARM_UP, (1 - progress) / (1 - WARM_UP))


def _logits(weights: tuple[Tensor, ...] | list[Tensor], data: Labelled) -> Tensor:
    inner, inner_bias, outer, outer_bias = weights
    return torch.baddbmm(outer_bias, torch.baddbmm(inner_bias, data.inputs(), inner).relu(), outer)


def _losses(weights: tuple[Tensor, ...] | list[Tensor], data: Labelled) -> Tensor:
    """Cross-entropy in nats, (layers, examples)."""
    logits = _logits(weights, data)
    labels = data.labels.repeat(len(logits))
    return functional.cross_entropy(logits.flatten(0, 1), labels, reduction="none").view(len(logits), -1)


@torch.no_grad()
def _score(weights: list[Tensor], dev: Labelled, keep: Criterion, outside: int) -> Tensor:
    """Higher is better, (layers,)."""
    if keep == "loss":
        return -torch.stack([_losses(weights, part).sum(1) for part in dev.slices()]).sum(0)
    answers = torch.cat([_logits(weights, part).argmax(-1) for part in dev.slices()], dim=1)
    found, expected = answers != outside, dev.labels != outside
    return 2 * ((answers == dev.labels) & found).sum(1) / (found.sum(1) + expected.sum())
