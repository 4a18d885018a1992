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

# Fixed in advance for every layer, task and model. With a batch that grows with the data and a rate that falls to
# zero, three epochs come within 0.4 F1 points of eight, or lie above them, from 300 examples to 16,384.
LEARNING_RATE = 1e-2
DECAY = (0.9, 0.99)  # of Adam's averages: the second must settle within a few hundred steps
WARM_UP = 0.1  # of all steps
SMALLEST, LARGEST = 16, 128  # examples a batch
SLICE = 1024  # examples answered at a time

Criterion = Literal["f1", "loss"]
Weights = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Recipe:
    """Hidden units, passes over the data, and batches in each as long as the size of a batch allows."""

    hidden: int = 128
    epochs: int = 3
    batches: int = 128


@dataclass(frozen=True)
class Labelled:
    """Examples over a table of words; the input of an example is the concatenation of its parts.

    table: (layers, words, width). rows: (examples, parts) places in it. labels: (examples,).
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
        return self.table.index_select(1, self.rows.flatten()).view(len(self.table), len(self), -1)

    def slices(self) -> list[Labelled]:
        return [self[start : start + SLICE] for start in range(0, len(self), SLICE)]


@dataclass(frozen=True)
class Classifier:
    """A ReLU layer and a linear one for each layer of a model.

    weights: (layers, inputs, hidden), (layers, 1, hidden), (layers, hidden, classes), (layers, 1, classes).
    best_epoch: (layers,) the epoch kept, from 1.
    """

    weights: Weights
    best_epoch: NDArray[np.int64]

    def answers(self, data: Labelled) -> NDArray[np.int64]:
        """The likeliest class of each example, (layers, examples)."""
        return _answers(self.weights, data).cpu().numpy()

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
            Where dev has nothing but `outside`, F1 is 1 if nothing was found and 0 if something was.
    """
    device = train.table.device
    layers, _, width = train.table.shape
    shapes = _shapes(train.rows.shape[1] * width, recipe.hidden, classes)
    start = np.concatenate(
        [_glorot(rng, *shapes[0]), _zeros(*shapes[1]), _glorot(rng, *shapes[2]), _zeros(*shapes[3])]
    )
    # All weights of a layer lie in one row, so that the optimiser makes one pass over one tensor.
    rows = torch.from_numpy(start).to(device).repeat(layers, 1)
    rows.grad = torch.zeros_like(rows)
    weights, slopes = _views(rows, shapes), _views(rows.grad, shapes)
    optimizer = torch.optim.Adam([rows], betas=DECAY, fused=True)
    size = min(max(len(train) // recipe.batches, SMALLEST), LARGEST)
    steps, step = recipe.epochs * math.ceil(len(train) / size), 0
    best = rows.clone()
    score = torch.full((layers,), -torch.inf, device=device)
    best_epoch = torch.zeros(layers, dtype=torch.int64, device=device)
    for epoch in range(1, recipe.epochs + 1):
        order = torch.from_numpy(rng.permutation(len(train))).to(device)
        for batch in order.split(size):
            step += 1
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * _schedule(step / (steps + 1))
            _slopes(weights, train[batch], slopes)
            optimizer.step()
        now = _score(weights, dev, keep, outside)
        better = now >= score
        score, best_epoch = now.where(better, score), best_epoch.masked_fill(better, epoch)
        best = rows.where(better[:, None], best)
    return Classifier(_views(best, shapes), best_epoch.cpu().numpy())


def _shapes(inputs: int, hidden: int, classes: int) -> tuple[tuple[int, int], ...]:
    return (inputs, hidden), (1, hidden), (hidden, classes), (1, classes)


def _views(rows: Tensor, shapes: tuple[tuple[int, int], ...]) -> Weights:
    """The matrices that lie one after another in each row: (layers, *shape) each."""
    parts = rows.split([math.prod(shape) for shape in shapes], dim=1)
    inner, inner_bias, outer, outer_bias = (
        p.unflatten(1, shape) for p, shape in zip(parts, shapes, strict=True)
    )
    return inner, inner_bias, outer, outer_bias


def _glorot(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float32]:
    bound = math.sqrt(6 / (rows + columns))
    return rng.uniform(-bound, bound, rows * columns).astype(np.float32)


def _zeros(rows: int, columns: int) -> NDArray[np.float32]:
    return np.zeros(rows * columns, dtype=np.float32)


def _schedule(progress: float) -> float:
    return min(progress / WARM_UP, (1 - progress) / (1 - WARM_UP))


def _hidden(weights: Weights, inputs: Tensor) -> Tensor:
    return torch.bmm(inputs, weights[0]).add_(weights[1]).relu_()


def _logits(weights: Weights, hidden: Tensor) -> Tensor:
    return torch.bmm(hidden, weights[2]).add_(weights[3])


def _slopes(weights: Weights, data: Labelled, out: Weights) -> None:
    """Derivatives of the mean cross-entropy; twice as fast by hand as through recorded operations."""
    inputs = data.inputs()
    hidden = _hidden(weights, inputs)
    # ∂ loss / ∂ logits: probabilities, less one at the label.
    error = torch.softmax(_logits(weights, hidden), dim=-1)
    error.transpose(0, 1)[torch.arange(len(data), device=error.device), :, data.labels] -= 1
    error /= len(data)
    torch.bmm(hidden.transpose(1, 2), error, out=out[2])
    torch.sum(error, dim=1, keepdim=True, out=out[3])
    back = torch.ops.aten.threshold_backward(torch.bmm(error, weights[2].transpose(1, 2)), hidden, 0)
    torch.bmm(inputs.transpose(1, 2), back, out=out[0])
    torch.sum(back, dim=1, keepdim=True, out=out[1])


def _losses(weights: Weights, data: Labelled) -> Tensor:
    """Cross-entropy in nats, (layers, examples)."""
    logits = _logits(weights, _hidden(weights, data.inputs()))
    labels = data.labels.repeat(len(logits))
    return functional.cross_entropy(logits.flatten(0, 1), labels, reduction="none").view(len(logits), -1)


def _answers(weights: Weights, data: Labelled) -> Tensor:
    """The likeliest class of each example, (layers, examples)."""
    parts = [_logits(weights, _hidden(weights, part.inputs())).argmax(-1) for part in data.slices()]
    return torch.cat(parts, dim=1)


def _score(weights: Weights, dev: Labelled, keep: Criterion, outside: int) -> Tensor:
    """Higher is better, (layers,)."""
    if keep == "loss":
        return -torch.stack([_losses(weights, part).sum(1) for part in dev.slices()]).sum(0)
    answers = _answers(weights, dev)
    found, expected = answers != outside, dev.labels != outside
    size = found.sum(1) + expected.sum()
    return (2 * ((answers == dev.labels) & found).sum(1) / size).where(size > 0, 1.0)
