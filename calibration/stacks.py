"""Planted activation stacks through the code of a real model, in both modes.

`python -m calibration stacks` draws stacks with boundaries at random layers, measures them with the reducers
that measure models, bootstraps documents, finds boundaries in both modes, and stores what was found.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from calibration.detector import RESULTS, write_atomically

from mspgt.boundaries.find import Findings, find_boundaries
from mspgt.errors import InputError
from mspgt.signals.attention import attention_drift
from mspgt.signals.geometry import reduce_shards
from mspgt.signals.measure import DRIFT_SETS, Shard
from mspgt.signals.probes import ProbeResults, TaskResult
from mspgt.signals.profiles import Signals
from mspgt.stats.nulls import KINDS
from mspgt.synthetic.stacks import Stack, plant, sample_stack

SEED = 31_000_003
RESULT = RESULTS / "stacks.json"
MODES = ("paper", "calibrated")


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


def _readers(stack: Stack, document: np.ndarray) -> ProbeResults:
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
    sentences: int = 600,
    documents: int = 60,
    draws: int = 200,
) -> Findings:
    """Plant boundaries in a stack, draw it, measure it and look for them as in a model."""
    truth = plant(layers, boundaries, height=height, seed=seed)
    stack = sample_stack(truth, sentences=sentences, positions=6, width=12, seed=seed + 1)
    signals = signals_of(stack, documents)
    return find_boundaries(signals, draws=signals.bootstrap(draws, seed))


def claimed(findings: Findings) -> list[tuple[str, int]]:
    """Kind and layer of what the calibrated mode claims, by depth."""
    claims = [(kind, claim.layer) for kind in KINDS for claim in getattr(findings.calibrated, kind)]
    return sorted(claims, key=lambda one: one[1])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration stacks", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="a third of the stacks")
    parser.add_argument("--layers", type=int, nargs="+", default=(12, 24, 32, 48))
    options = parser.parse_args(arguments)
    runs = 12 if options.brief else 40
    report: dict[str, Any] = {"seed": SEED, "height": 6.0, "runs": runs, "depths": {}}
    for layers in options.layers:
        if layers < 8:
            raise InputError(f"two boundaries need 8 layers or more; found {layers}")
        rng = np.random.default_rng([SEED, layers])
        rows = []
        for run in range(runs):
            low = int(rng.integers(round(0.2 * layers), round(0.45 * layers)))
            truth = [low, int(rng.integers(low + 4, round(0.85 * layers)))]
            if run % 4 == 3:
                truth = []
            found = find_in_stack(layers, truth, height=6.0, seed=int(rng.integers(1 << 30)))
            paper = found.paper
            rows.append(
                {
                    "planted": truth,
                    "calibrated": claimed(found),
                    "paper": [None if b is None else b.layer for b in (paper.LI, paper.IG)],
                    "paper_accepted": paper.accepted,
                }
            )
        report["depths"][str(layers)] = rows
        print(f"{layers:3d} layers: {runs} stacks", file=sys.stderr, flush=True)
    write_atomically(RESULT, json.loads(json.dumps(report)))


if __name__ == "__main__":
    main()
