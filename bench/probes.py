"""Probes of every layer, task and seed at once, against one scikit-learn MLPClassifier(128) a layer and task.

Bar: ≥ 20 × faster, F1 within 0.5 points. Needs the model and treebank of `../shared/data`; CPU seconds of one thread.
scikit-learn runs as it comes, and with early stopping (which it leaves off), on a sample of layers. Its runs lie
between two of ours, so that both meet the same load.
"""

from __future__ import annotations

import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from bench.record import record
from mspgt.lm.load import load
from mspgt.signals.features import WordFeatures, word_features
from mspgt.signals.jumps import jump_signal, task_f1
from mspgt.signals.labels import ProbeTask, probe_tasks
from mspgt.signals.probes import train_probes
from mspgt.stats.bootstrap import document_weights
from mspgt.text.treebank import load_treebank

DATA = Path(__file__).parents[2] / "shared" / "data"
MODEL, TRAIN, EVALUATE = "llama-a", 500, 500
SEEDS, DRAWS = 3, 1_000
PEERS = {"early stopping": ({"early_stopping": True}, (2, 6, 10)), "as it comes": ({}, (6,))}


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    return work(), time.process_time() - started


def _resident() -> float:
    """The most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def scikit_learn(
    train: WordFeatures, test: WordFeatures, task: ProbeTask, layer: int, settings: dict[str, Any]
) -> tuple[float, float]:
    """F1 and CPU seconds of one probe on the same examples, standardised in the same way."""
    x = {}
    std, mean = torch.std_mean(train.values[layer].float(), dim=0)
    for split, features in (("train", train), ("test", test)):
        words = (features.values[layer].float() - mean) / std
        x[split] = words[torch.from_numpy(task.examples[split].rows)].flatten(1).numpy()
    peer = MLPClassifier(128, random_state=0, **settings)
    _, seconds = timed(lambda: peer.fit(x["train"], task.examples["train"].labels))
    counts = task.counts(peer.predict(x["test"])[None])
    return float(task_f1(counts.sum(1))[0]), seconds


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)
    ewt = DATA / "ewt"
    if not ewt.exists():
        print("probes: no treebank at ../shared/data; nothing measured")
        return
    treebank = load_treebank(
        sorted(ewt.glob("*.conllu")),
        entities=sorted(ewt.glob("*.iob2")),
        roles=sorted(ewt.glob("*.jsonl")),
        max_train=TRAIN,
        max_eval=EVALUATE,
    )
    lm = load(DATA / "models" / MODEL)
    features, feature_seconds = timed(
        lambda: [word_features(lm, split) for split in (treebank.train, treebank.dev, treebank.test)]
    )
    tasks = probe_tasks(treebank)
    before = _resident()
    results, first = timed(lambda: train_probes(*features, tasks, seeds=SEEDS, controls=False))
    peak = _resident() - before
    layers = len(features[0].values)
    signal = jump_signal(results)
    figures: dict[str, Any] = {
        "model": MODEL,
        "train_examples": {task: results.examples(task)["train"] for task in tasks},
        "layers": layers,
        "seeds": SEEDS,
        "feature_seconds": round(feature_seconds, 1),
        "peak_megabytes_above_features": round(peak),
        "feature_megabytes": round(sum(f.values.nbytes for f in features) / 2**20),
        "f1": {task: np.round(signal.f1[task], 4).tolist() for task in tasks},
    }
    runs = {
        name: {
            task: [scikit_learn(features[0], features[2], tasks[task], at, settings) for at in sample]
            for task in tasks
        }
        for name, (settings, sample) in PEERS.items()
    }
    _, second = timed(lambda: train_probes(*features, tasks, seeds=SEEDS, controls=False))
    each = (first + second) / (2 * layers * len(tasks) * SEEDS)
    figures |= {"probe_seconds": [round(first, 1), round(second, 1)], "seconds_a_probe": round(each, 4)}
    for name, (_, sample) in PEERS.items():
        theirs = float(np.mean([spent for rows in runs[name].values() for _, spent in rows]))
        figures[f"scikit-learn, {name}"] = {
            "layers": list(sample),
            "seconds_a_probe": round(theirs, 3),
            "times_faster": round(theirs / each, 1),
            "f1_points_ahead": {
                task: round(
                    100 * float(np.mean([signal.f1[task][at] for at in sample]) - np.mean(rows, 0)[0]), 2
                )
                for task, rows in runs[name].items()
            },
        }
    draws = document_weights(results.n_documents, DRAWS, 0)
    _, spent = timed(lambda: jump_signal(results, draws))
    figures["bootstrap"] = {"draws": DRAWS, "test_sentences": len(treebank.test), "seconds": round(spent, 3)}
    record("probes", figures)


if __name__ == "__main__":
    main()
