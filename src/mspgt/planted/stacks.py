"""Planted activation stacks, measured and searched by the reducers, bootstrap and detectors of a real model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mspgt.boundaries.find import Findings, find_boundaries
from mspgt.signals.attention import attention_drift
from mspgt.signals.geometry import reduce_shards
from mspgt.signals.measure import DRIFT_SETS, Shard
from mspgt.signals.probes import ProbeResults, TaskResult
from mspgt.signals.profiles import Signals
from mspgt.synthetic.stacks import Stack, plant, sample_stack
from mspgt.vocabulary import KINDS, MODES


def signals_of(stack: Stack, documents: int) -> Signals:
    """What measuring a model would have left of the stack, its sentences dealt to so many documents.

    S1 and S3 take the reducers of a real model; S2 takes, in place of trained probes, two least-squares readers
    a layer, each fitted on another third of the documents and counted on the last.
    """
    layers, sentences, positions, width = stack.hidden.shape
    document = np.arange(sentences) * documents // sentences
    drift, _ = attention_drift(
        torch.from_numpy(stack.attention),
        torch.ones(sentences, positions, dtype=torch.bool),
        torch.ones(sentences, positions, dtype=torch.bool),
    )
    # A stack has no embedding: layer 0 is the first block's output once more.
    hidden = np.concatenate([stack.hidden[:1], stack.hidden]).transpose(1, 2, 0, 3)
    tokens = torch.from_numpy(hidden.reshape(-1, layers + 1, width).astype(np.float32))
    shard = Shard(
        dict.fromkeys(DRIFT_SETS, drift.numpy().astype(np.float32)),
        document,
        dict.fromkeys(MODES, tokens),
        dict.fromkeys(MODES, np.repeat(document, positions)),
        0,
        len(tokens),
        *(np.ones(len(tokens), dtype=np.float32), np.zeros(len(tokens), dtype=np.int8)),
        np.zeros(len(tokens), dtype=bool),
    )
    return Signals(layers, reduce_shards([shard], np.arange(documents)), _readers(stack, document), {})


def _readers(stack: Stack, document: NDArray[np.int64]) -> ProbeResults:
    layers, _, positions, _ = stack.hidden.shape
    sign = 2.0 * stack.labels - 1
    third = document % 3
    test = third == 2
    counts = np.zeros((2, layers + 1, int(test.sum()), 3), dtype=np.int32)
    for seed in range(2):
        fit = third == seed
        for layer in range(layers + 1):
            x = stack.hidden[max(layer - 1, 0)]
            weights = np.linalg.lstsq(x[fit].reshape(-1, x.shape[-1]), sign[fit].ravel(), rcond=None)[0]
            right = ((x[test] @ weights > 0) == (sign[test] > 0)).sum(axis=1)
            counts[seed, layer] = np.stack([right, positions - right, positions - right], axis=1)
    accuracy = counts[..., 0].sum(-1) / (positions * test.sum())
    about: dict[str, Any] = {"best_epoch": np.ones((2, layers + 1), dtype=np.int64), "control": None}
    task = TaskResult(
        counts, accuracy, bits=None, classes=2, floor=0.5, examples={"test": int(test.sum())}, **about
    )
    _, numbered = np.unique(document[test], return_inverse=True)
    return ProbeResults({"label": task}, numbered.astype(np.int64), {})


def find_in_stack(
    layers: int,
    boundaries: Sequence[int],
    *,
    height: float,
    seed: int,
    drift: float = 0.0,
    sentences: int = 600,
    documents: int = 60,
    draws: int = 200,
    settings: Mapping[str, Any] | None = None,
) -> Findings:
    """Plant boundaries in a stack, draw it, measure it and look for them as in a model.

    Args:
        layers, boundaries, height, drift: as in `synthetic.stacks.plant`.
        settings: as in `find_boundaries`.
    """
    truth = plant(layers, boundaries, height=height, drift=drift, seed=seed)
    stack = sample_stack(truth, sentences=sentences, positions=6, width=12, seed=seed + 1)
    signals = signals_of(stack, documents)
    return find_boundaries(signals, draws=signals.bootstrap(draws, seed), settings=settings)


def claimed(findings: Findings) -> list[tuple[str, int]]:
    """Kind and layer of what the calibrated mode claims, by depth."""
    claims = [(kind, claim.layer) for kind in KINDS for claim in getattr(findings.calibrated, kind)]
    return sorted(claims, key=lambda one: one[1])
