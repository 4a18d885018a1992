"""1,000 document draws of the three signals and both modes of detection: from tables, and by recomputing.

32 layers, 60 documents, 10,000 sentences, 8,192 tokens, 2,000 treebank sentences; bar: ≤ 2 s on two cores.
Wall time is the best of three, CPU time beside it: on a loaded machine only the latter says what the work is.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from bench.record import record
from mspgt.boundaries.find import find_boundaries
from mspgt.signals.cka import cka
from mspgt.signals.geometry import reduce_shards
from mspgt.signals.measure import DRIFT_SETS, Shard
from mspgt.signals.probes import ProbeResults, TaskResult
from mspgt.signals.profiles import Signals
from mspgt.stats.bootstrap import document_weights

LAYERS, DOCUMENTS, SENTENCES, TOKENS, WIDTH, DRAWS = 32, 60, 10_000, 8_192, 64, 1_000
TASKS, SEEDS, TREEBANK = ("pos", "deprel", "ner", "srl"), 3, 2_000


def synthetic_signals() -> tuple[Signals, torch.Tensor, np.ndarray]:
    """Signals of a random walk over layers, probe counts at random."""
    rng = np.random.default_rng(0)
    steps = torch.from_numpy(rng.normal(size=(TOKENS, LAYERS + 1, WIDTH)).astype(np.float32))
    hidden = steps.cumsum(1)
    token_document = np.sort(rng.integers(0, DOCUMENTS, TOKENS))
    drift = rng.gamma(2, 0.05, size=(SENTENCES, LAYERS - 1)).astype(np.float32)
    sentence_document = np.sort(rng.integers(0, DOCUMENTS, SENTENCES))
    both = ("paper", "calibrated")
    shard = Shard(
        dict.fromkeys(DRIFT_SETS, drift), sentence_document, dict.fromkeys(both, hidden),
        dict.fromkeys(both, token_document), 0, TOKENS,
        np.ones(TOKENS, dtype=np.float32), np.zeros(TOKENS, dtype=np.int8), np.zeros(TOKENS, dtype=bool),
    )  # fmt: skip
    geometry = reduce_shards([shard], np.arange(DOCUMENTS))
    return Signals(LAYERS, geometry, synthetic_probes(rng), {}), hidden, token_document


def synthetic_probes(rng: np.random.Generator) -> ProbeResults:
    """Answers of four tasks' probes in 2,000 sentences of 60 documents."""
    layers = LAYERS + 1
    results = {
        task: TaskResult(
            rng.integers(0, 9, size=(SEEDS, layers, TREEBANK, 3)).astype(np.int32),
            np.full((SEEDS, layers), 0.5), np.ones((SEEDS, layers), dtype=np.int64),
            control=None, bits=None, classes=9, floor=0.3, examples={"test": TREEBANK},
        )
        for task in TASKS
    }  # fmt: skip
    return ProbeResults(results, np.sort(np.arange(TREEBANK) % DOCUMENTS), {})


def main() -> None:
    torch.set_num_threads(2)
    signals, hidden, token_document = synthetic_signals()
    signals.bootstrap(100, 1)
    walls, works = [], []
    for _ in range(3):
        started, worked = time.perf_counter(), time.process_time()
        find_boundaries(signals, draws=signals.bootstrap(DRAWS, 0))
        walls.append(time.perf_counter() - started)
        works.append(time.process_time() - worked)
    from_tables = min(walls)

    weights = document_weights(DOCUMENTS, 3, 0).astype(int)
    members = [np.flatnonzero(token_document == d) for d in range(DOCUMENTS)]
    layers = hidden.transpose(0, 1).numpy()
    started = time.perf_counter()
    for row in weights:
        chosen = np.concatenate([np.tile(m, w) for m, w in zip(members, row, strict=True)])
        for unbiased in (True, False):
            for layer in range(LAYERS):
                cka(layers[layer][chosen], layers[layer + 1][chosen], unbiased=unbiased)
    recomputing = (time.perf_counter() - started) / len(weights) * DRAWS
    record(
        "bootstrap",
        {
            "seconds_1000_draws": round(from_tables, 2),
            "cpu_seconds_1000_draws": round(min(works), 2),
            "seconds_recomputing_cka_extrapolated_from_3": round(recomputing, 1),
            "times_faster": round(recomputing / from_tables, 1),
            "layers": LAYERS, "documents": DOCUMENTS, "sentences": SENTENCES, "tokens": TOKENS, "width": WIDTH,
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
