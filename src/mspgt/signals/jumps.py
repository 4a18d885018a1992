"""S2: how far probe performance jumps from block to block, by the paper's formula and without the noise's share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError

if TYPE_CHECKING:
    from mspgt.signals.probes import ProbeResults

Array = NDArray[np.float64]


@dataclass(frozen=True)
class JumpSignal:
    """S2 under one weighting of the test documents, or under each of many (leading axis draws).

    P is the mean over the tasks that the weighted documents hold a label of: a draw without the few documents that
    have entities says nothing about entities. Where it holds none of any task, all is NaN.

    paper: (…, transitions) |P(l+1) − P(l)| / P(l) of equation 4, P the mean over tasks and seeds of F1; NaN
        where P(l) is 0.
    calibrated: (…, transitions) the same jump from products of differences of different seeds, whose mean is the
        squared jump without noise; its root, with its sign: scattered around zero where nothing jumps. NaN with a
        single seed.
    floor: (…, transitions) mean of `paper` where nothing jumps and only the seeds differ. NaN with a single seed.
    embedding: "paper" and "calibrated" → (…,) the step from layer 0 to block 1, which is in neither signal.
    score: (…, layers) P(l), l = 0..L.
    f1: task → (…, layers) mean over seeds; NaN at every layer where no weighted document holds a label of it.
    """

    paper: Array
    calibrated: Array
    floor: Array
    embedding: dict[str, Array]
    score: Array
    f1: dict[str, Array]


def task_f1(counts: NDArray[np.integer] | Array) -> Array:
    """F1 = 2TP / (2TP + FP + FN) of counts (…, 3); NaN where there is nothing to find and nothing was found."""
    true, wrong, missed = np.moveaxis(np.asarray(counts, dtype=np.float64), -1, 0)
    size = 2 * true + wrong + missed
    return np.divide(2 * true, size, out=np.full_like(size, np.nan), where=size > 0)


def jump_signal(probes: ProbeResults, weights: Array | None = None) -> JumpSignal:
    """S2 of a model over transitions 1..L−1.

    Args:
        weights: how often each test document counts, (documents,) or (draws, documents); None for once each.

    Raises:
        InputError: weights of another number of documents.
    """
    weights = np.ones(probes.n_documents) if weights is None else np.asarray(weights, dtype=np.float64)
    if weights.shape[-1] != probes.n_documents:
        raise InputError(
            f"Expected weights of {probes.n_documents} test documents, found {weights.shape[-1]}."
        )
    f1 = np.stack([_weighted_f1(r.counts, probes.document, weights) for r in probes.results.values()])
    by_seed = _mean_of_known(f1)
    score = by_seed.mean(-2)
    paper = _relative(np.abs(np.diff(score)), score)
    calibrated = _relative(_signed_root(_squared_jump(np.diff(by_seed))), score)
    return JumpSignal(
        paper=paper[..., 1:],
        calibrated=calibrated[..., 1:],
        floor=_relative(_noise(np.diff(by_seed[..., 1:])), score[..., 1:]),
        embedding={"paper": paper[..., 0], "calibrated": calibrated[..., 0]},
        score=score,
        f1={task: f1[number].mean(-2) for number, task in enumerate(probes.tasks)},
    )


def _weighted_f1(counts: NDArray[np.int32], document: NDArray[np.int64], weights: Array) -> Array:
    """(…, seeds, layers) of counts (seeds, layers, sentences, 3); NaN where the documents hold nothing to find.

    There a wrong answer of a few layers would give them an F1 of 0, and a jump to their neighbours.
    """
    seeds, layers, _, cells = counts.shape
    table = np.zeros((weights.shape[-1], seeds, layers, cells))
    np.add.at(table, document, np.moveaxis(counts, 2, 0))
    total = (weights @ table.reshape(len(table), -1)).reshape(*weights.shape[:-1], seeds, layers, cells)
    to_find = (total[..., 0] + total[..., 2] > 0).any(axis=(-2, -1), keepdims=True)
    return np.where(to_find, task_f1(total), np.nan)


def _mean_of_known(f1: Array) -> Array:
    """Mean over the first axis of what is not NaN; NaN where all of it is."""
    known = ~np.isnan(f1)
    count = known.sum(0)
    total = np.where(known, f1, 0.0).sum(0)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _squared_jump(differences: Array) -> Array:
    """Mean product of two different seeds' differences, (…, seeds, steps) → (…, steps); NaN with a single seed."""
    seeds = differences.shape[-2]
    if seeds < 2:
        return np.full_like(differences[..., 0, :], np.nan)
    return (differences.sum(-2) ** 2 - (differences**2).sum(-2)) / (seeds * (seeds - 1))


def _noise(differences: Array) -> Array:
    """E|mean over seeds| if the seeds' scatter were all there is: √(2/π) of its standard error.

    Scatter is pooled over transitions: with three seeds, that of one alone is off by half.
    """
    seeds, steps = differences.shape[-2:]
    if seeds < 2 or not steps:
        return np.full_like(differences[..., 0, :], np.nan)
    variance = differences.var(-2, ddof=1).mean(-1, keepdims=True)
    return np.broadcast_to(np.sqrt(2 / math.pi * variance / seeds), differences[..., 0, :].shape)


def _signed_root(squares: Array) -> Array:
    return np.sign(squares) * np.sqrt(np.abs(squares))


def _relative(jumps: Array, score: Array) -> Array:
    """Over P of the layer that the step leaves; NaN where P is 0."""
    before = score[..., :-1]
    return np.divide(jumps, before, out=np.full_like(before, np.nan), where=before > 0)
