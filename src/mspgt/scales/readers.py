"""Cross-fitted readers: how many bits of a label a state holds beyond what is known without it.

A reader is a multinomial logistic regression that starts from the logits of a baseline (its offset) and takes three
steps of the bound-optimisation method of Böhning (1992), preconditioned by the covariance of the states plus a ridge
that shrinks from step to step. How far to go, and whether at all, is decided on documents apart: a step is taken only
if it lowers their loss by more than its standard error over documents. So what tells nothing adds 0 bits, not noise.

Documents are dealt into five folds; each is read by readers that learnt from three others and were checked on a
fourth. All tasks share the factorisations of a fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FOLDS = 5
RIDGES = (5.0, 0.5, 0.05)
LENGTHS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
WIDEST = 1024  # wider states are read through a fixed random projection on so many dimensions
LEAST_CHECKED = 10  # labels of a task in the fold that chooses the length

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """What is asked of the same words by every task, arranged by fold.

    order: (words,) rows by fold; cuts: where folds begin and end in it. labels: per task (words,) in that order, −1
    where a word has none. document: (words,) in that order.
    """

    order: Ints
    cuts: Ints
    labels: tuple[Tensor, ...]
    classes: tuple[int, ...]
    document: Tensor

    def part(self, values: Tensor, fold: int) -> Tensor:
        return values[int(self.cuts[fold]) : int(self.cuts[fold + 1])]


def arrange(
    labels: Sequence[Ints], classes: Sequence[int], document: Ints, seed: int, device: torch.device
) -> Reading:
    """Deal documents into folds by `seed`."""
    present = np.unique(document)
    fold_of = np.zeros(int(document.max()) + 1, dtype=np.int64)
    fold_of[np.random.default_rng(seed).permutation(present)] = np.arange(len(present)) % FOLDS
    fold = fold_of[document]
    order = np.argsort(fold, kind="stable")
    return Reading(
        order,
        np.concatenate([[0], np.cumsum(np.bincount(fold, minlength=FOLDS))]),
        tuple(torch.from_numpy(each[order]).to(device) for each in labels),
        tuple(classes),
        torch.from_numpy(document[order]).to(device),
    )


def prior(reading: Reading) -> list[Tensor]:
    """Log frequencies of the classes in the other folds, per task (words, classes)."""
    found = []
    for labels, classes in zip(reading.labels, reading.classes, strict=True):
        table = torch.zeros((len(labels), classes), device=labels.device)
        for fold in range(FOLDS):
            inside = torch.zeros(len(labels), dtype=torch.bool, device=labels.device)
            reading.part(inside, fold).fill_(True)
            counts = torch.bincount(labels[~inside & (labels >= 0)], minlength=classes) + 0.5
            reading.part(table, fold).copy_((counts / counts.sum()).log())
        found.append(table)
    return found


def projected(states: Tensor, seed: int = 0) -> Tensor:
    """States of more than 1,024 dimensions on 1,024 random directions, the same at every layer; others as they are.

    Dimensions are standardised before, so that the largest does not fill every direction.
    """
    width = states.shape[1]
    if width <= WIDEST:
        return states
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn((width, WIDEST), generator=generator) / WIDEST**0.5
    return standardised(states) @ directions.to(states.device)


def standardised(states: Tensor) -> Tensor:
    """Every dimension at mean 0 and variance 1; one that does not vary is 0."""
    std, mean = torch.std_mean(states, dim=0, correction=0)
    return (states - mean) / torch.where(std > 0, std, torch.ones_like(std))


def crossfit(states: Tensor, reading: Reading, offsets: Sequence[Tensor]) -> list[Tensor]:
    """Log-probabilities (nats) of every class of every task, from readers that saw none of the word's document.

    Args:
        states: (words, width) float32, in the order of `reading`.
        offsets: per task (words, classes) log-probabilities that are known without the states.
    """
    values = standardised(states)
    parts = [reading.part(values, fold) for fold in range(FOLDS)]
    grams = [part.T @ part for part in parts]
    totals = [part.sum(0) for part in parts]
    columns = np.concatenate([[0], np.cumsum(reading.classes)])
    start = torch.cat([offset.log_softmax(1) for offset in offsets], dim=1)
    answer = torch.empty_like(start)
    for test in range(FOLDS):
        check = (test + 1) % FOLDS
        learn = [fold for fold in range(FOLDS) if fold not in (test, check)]
        known = sum(len(parts[fold]) for fold in learn)
        # About the mean of what is learnt from: a direction that varies in other documents alone has no weight.
        middle = torch.stack([totals[fold] for fold in learn]).sum(0) / known
        gram = torch.stack([grams[fold] for fold in learn]).sum(0) / known - torch.outer(middle, middle)
        logits = [reading.part(start, fold).clone() for fold in range(FOLDS)]
        for number, ridge in enumerate(RIDGES):
            weights = _direction(parts, middle, reading, logits, learn, columns, gram, ridge)
            moves = parts[check] @ weights - middle @ weights
            lengths = _lengths(logits[check], moves, reading, check, columns)
            scaled = weights * torch.repeat_interleave(
                torch.tensor(lengths, device=weights.device),
                torch.tensor(reading.classes, device=weights.device),
            )
            used = [test, check] if number == len(RIDGES) - 1 else range(FOLDS)
            for fold in used:
                logits[fold] += parts[fold] @ scaled - middle @ scaled
        for first, last in pairwise(columns):
            reading.part(answer, test)[:, first:last] = logits[test][:, first:last].log_softmax(1)
    return [answer[:, first:last] for first, last in pairwise(columns)]


def _direction(
    parts: Sequence[Tensor],
    middle: Tensor,
    reading: Reading,
    logits: Sequence[Tensor],
    learn: Sequence[int],
    columns: Ints,
    gram: Tensor,
    ridge: float,
) -> Tensor:
    """The preconditioned gradient of every task side by side, (width, classes of all tasks)."""
    slope = torch.zeros((gram.shape[0], int(columns[-1])), device=gram.device)
    known = [sum(int((reading.part(labels, fold) >= 0).sum()) for fold in learn) for labels in reading.labels]
    for fold in learn:
        residual = torch.empty_like(logits[fold])
        for task, labels in enumerate(reading.labels):
            first, last = columns[task], columns[task + 1]
            own = reading.part(labels, fold)
            held = (own >= 0).unsqueeze(1)
            share = -logits[fold][:, first:last].softmax(1)
            share.scatter_add_(1, own.clamp_min(0).unsqueeze(1), held.float())
            # 2: the bound of Böhning on the curvature is half the covariance.
            residual[:, first:last] = torch.where(held, share, 0.0) * (2.0 / max(known[task], 1))
        slope += parts[fold].T @ residual - torch.outer(middle, residual.sum(0))
    ridged = gram + ridge * torch.eye(gram.shape[0], device=gram.device)
    return torch.cholesky_solve(slope, torch.linalg.cholesky(ridged))


def _lengths(logits: Tensor, moves: Tensor, reading: Reading, check: int, columns: Ints) -> list[float]:
    """How far each task goes along its direction: the best on the documents apart, 0 unless surely better."""
    documents = reading.part(reading.document, check)
    found = []
    for task, labels in enumerate(reading.labels):
        own = reading.part(labels, check)
        rows = torch.nonzero(own >= 0).squeeze(1)
        if len(rows) < LEAST_CHECKED:
            found.append(0.0)
            continue
        part = slice(int(columns[task]), int(columns[task + 1]))
        start, move, right = logits[rows, part], moves[rows, part], own[rows].unsqueeze(1)

        def loss(length: float, start: Tensor = start, move: Tensor = move, right: Tensor = right) -> Tensor:
            moved = start + length * move
            return moved.logsumexp(1) - moved.gather(1, right).squeeze(1)

        losses = [float(loss(length).mean()) for length in LENGTHS]
        length = _refined(losses)
        gain = loss(0.0) - loss(length)
        found.append(length if length > 0 and _surely_positive(gain, documents[rows]) else 0.0)
    return found


def _refined(losses: Sequence[float]) -> float:
    """The length of least loss, by a parabola through the best and its neighbours."""
    best = int(np.argmin(losses))
    if not 0 < best < len(LENGTHS) - 1:
        return LENGTHS[best]
    before, at, after = losses[best - 1 : best + 2]
    bend = before - 2 * at + after
    shift = 0.5 * (before - after) / bend if bend > 0 else 0.0
    return float(np.interp(best + shift, np.arange(len(LENGTHS)), LENGTHS))


def _surely_positive(gain: Tensor, document: Tensor) -> bool:
    """Whether a mean over words is more than its standard error (over documents) above 0."""
    sums = torch.bincount(document, weights=gain.double())
    counts = torch.bincount(document)
    held = counts > 0
    sums, counts = sums[held], counts[held].double()
    mean = sums.sum() / counts.sum()
    if len(sums) < 2:
        return False
    scatter = (sums - mean * counts).square().sum() * len(sums) / (len(sums) - 1)
    return bool(mean > scatter.sqrt() / counts.sum())
