"""S2: how far probe performance jumps from block to block, by the paper's formula and without the noise's share.

The size of a noisy difference is positive where nothing jumps. Products of two seeds' differences do not mend that:
the seeds answer the same test documents and err together (with two seeds and 75 documents up to 94 % of them are
positive, `calibration/results/jumps.json`). Taking the documents' part of the product out as well, by halving them
or by the jackknife, leaves a square whose mean is right and which is negative in two of three cases, since chance
squares lean to the left. So what is taken out is the *median* square that noise of both kinds would give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError

if TYPE_CHECKING:
    from mspgt.signals.probes import ProbeResults

Array = NDArray[np.float64]

# Median of the square of a standard normal variable.
MEDIAN_SQUARE = 0.4549364231195724
# Of true positives, false positives, false negatives: F1 = 2 TP / (counts @ SIZE).
SIZE = np.array([2.0, 1.0, 1.0])
# Bootstrap draws whose documents are held in memory at a time.
DRAWS_AT_ONCE = 16


@dataclass(frozen=True)
class JumpSignal:
    """S2 under one weighting of the test documents, or under each of many (leading axis draws).

    P is the mean over the tasks that the weighted documents hold a label of: a draw without the few documents that
    have entities says nothing about entities. Where it holds none of any task, all is NaN.

    paper: (…, transitions) |P(l+1) − P(l)| / P(l) of equation 4, P the mean over tasks and seeds of F1; NaN
        where P(l) is 0.
    calibrated: (…, transitions) the same jump with the noise's share taken out: the root, with its sign, of the
        squared jump less the median square that noise alone would give. Where nothing jumps it is positive as often
        as negative. NaN with a single seed, or where a single document holds all the weight.
    floor: (…, transitions) mean of `paper` where nothing jumps: what chance among seeds and among test documents
        makes of it. NaN where `calibrated` is.
    embedding: "paper", "calibrated" and "floor" → (…,) the step from layer 0 to block 1, which is in none of these.
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
    tables = [_by_document(r.counts, probes.document, weights.shape[-1]) for r in probes.results.values()]
    totals = [_weighted(table, weights) for table in tables]
    f1 = np.stack([_known_f1(total) for total in totals])
    by_seed = _mean_of_known(f1)
    score = by_seed.mean(-2)
    jumps = np.diff(by_seed)
    noise = _noise(jumps, _document_noise(tables, totals, f1, weights))
    paper = _relative(np.abs(np.diff(score)), score)
    calibrated = _relative(_signed_root(jumps.mean(-2) ** 2 - MEDIAN_SQUARE * noise), score)
    floor = _relative(np.sqrt(2 / math.pi * noise), score)
    by_name = {"paper": paper, "calibrated": calibrated, "floor": floor}
    return JumpSignal(
        **{name: values[..., 1:] for name, values in by_name.items()},
        embedding={name: values[..., 0] for name, values in by_name.items()},
        score=score,
        f1={task: f1[number].mean(-2) for number, task in enumerate(probes.tasks)},
    )


def _by_document(counts: NDArray[np.int32], document: NDArray[np.int64], documents: int) -> Array:
    """Counts (seeds, layers, sentences, 3) summed by document: (documents, seeds, layers, 3)."""
    seeds, layers, _, cells = counts.shape
    table = np.zeros((documents, seeds, layers, cells))
    np.add.at(table, document, np.moveaxis(counts, 2, 0))
    return table


def _weighted(table: Array, weights: Array) -> Array:
    """Weighted sum over documents, (…, seeds, layers, 3)."""
    total: Array = weights @ table.reshape(len(table), -1)
    return total.reshape(*weights.shape[:-1], *table.shape[1:])


def _known_f1(total: Array) -> Array:
    """F1 (…, seeds, layers) of counts (…, seeds, layers, 3); NaN where the documents hold nothing to find.

    There a wrong answer of a few layers would give them an F1 of 0, and a jump to their neighbours.
    """
    to_find = (total[..., 0] + total[..., 2] > 0).any(axis=(-2, -1), keepdims=True)
    return np.where(to_find, task_f1(total), np.nan)


def _mean_of_known(f1: Array) -> Array:
    """Mean over the first axis of what is not NaN; NaN where all of it is."""
    known = ~np.isnan(f1)
    count = known.sum(0)
    total = np.where(known, f1, 0.0).sum(0)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _document_noise(tables: Sequence[Array], totals: Sequence[Array], f1: Array, weights: Array) -> Array:
    """Share of the variance of P(l+1) − P(l) that the seeds have in common, from their test documents, (…, steps).

    The covariance of two seeds' jumps by the infinitesimal jackknife: what they would share anew if other
    documents were drawn. It may be negative by chance. NaN with a single seed or a single document.
    """
    draws = weights.reshape(-1, weights.shape[-1])
    seeds, layers = f1.shape[-2:]
    rates = f1.reshape(len(f1), len(draws), seeds, layers)
    sizes = [(total @ SIZE).reshape(len(draws), seeds, layers) for total in totals]
    parts = [(2 * table[..., 0], table @ SIZE) for table in tables]
    shared = np.full((len(draws), layers - 1), np.nan)
    held = (draws > 0).sum(1)
    several = np.divide(held, held - 1, out=np.full(len(draws), np.nan), where=held > 1)
    if seeds > 1:
        for start in range(0, len(draws), DRAWS_AT_ONCE):
            here = slice(start, start + DRAWS_AT_ONCE)
            with np.errstate(invalid="ignore", divide="ignore"):
                pull = sum(
                    _pull(right, size, total[here], rate[here])
                    for (right, size), total, rate in zip(parts, sizes, rates, strict=True)
                )
                pull /= (~np.isnan(rates[:, here])).sum(0)[:, None]
                jumps = np.diff(pull)
                products = jumps.sum(2) ** 2 - (jumps**2).sum(2)
                square = np.einsum("bd,bdl->bl", draws[here] ** 2, products)
            shared[here] = square * several[here, None] / (seeds * (seeds - 1))
    return shared.reshape(*weights.shape[:-1], layers - 1)


def _pull(right: Array, size: Array, total: Array, rate: Array) -> Array:
    """How far each document of weight 1 pulls a task's F1, (draws, documents, seeds, layers); 0 where F1 is NaN."""
    scale = np.where(np.isnan(rate), 0.0, 1 / total)
    pull = right[None] * scale[:, None]
    pull -= size[None] * np.nan_to_num(rate * scale)[:, None]
    return pull


def _noise(jumps: Array, documents: Array) -> Array:
    """Variance of the mean over seeds of jumps (…, seeds, steps) where nothing jumps, (…, steps).

    Chance among seeds, and what the seeds share of chance among `documents` (…, steps). The scatter of seeds is
    pooled over steps, that from the embedding apart: with three seeds, that of one step alone is off by half.
    """
    seeds = jumps.shape[-2]
    if seeds < 2:
        return np.full_like(documents, np.nan)
    own = jumps.var(-2, ddof=1) / seeds
    later = own[..., 1:].mean(-1, keepdims=True) if own.shape[-1] > 1 else own
    own = np.concatenate([own[..., :1], np.broadcast_to(later, own[..., 1:].shape)], axis=-1)
    return np.maximum(own + documents, 0.0)


def _signed_root(squares: Array) -> Array:
    return np.sign(squares) * np.sqrt(np.abs(squares))


def _relative(jumps: Array, score: Array) -> Array:
    """Over P of the layer that the step leaves; NaN where P is 0."""
    before = score[..., :-1]
    return np.divide(jumps, before, out=np.full_like(before, np.nan), where=before > 0)
