"""How often Experiment 2 finds an effect where there is none: 200 pairs of arms that differ by chance alone.

A bundled model continues the same prompts 400 times without any noise, each time with a sampling stream of its own;
streams are taken in pairs as baseline and A/A. Bar: 4 to 6 % rejected at the 5 % level. 200 pairs say how often to
within ±3 % for one metric, so the rate over all metrics stands beside each.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from bench.record import record
from mspgt.interventions.arms import Arm
from mspgt.interventions.doses import Yardsticks
from mspgt.interventions.effects import effect
from mspgt.interventions.metrics import Scores, text_scores
from mspgt.interventions.prompts import make_prompts
from mspgt.interventions.texts import documents_of, write_texts
from mspgt.lm.load import load
from mspgt.stats.coverage import clopper_pearson
from mspgt.synthetic.corpora import sample_corpus
from mspgt.synthetic.triscale import TriScale
from mspgt.zoo.bundled import path

MODEL, PAIRS, SAMPLES, DOCUMENTS, TOKENS = "triscale-llama-1", 200, 120, 60, 32


def main() -> None:
    torch.set_num_threads(1)
    lm = load(path(MODEL))
    corpus = sample_corpus(TriScale(), DOCUMENTS, 0)
    prompts = make_prompts(lm, corpus, SAMPLES, 8)
    arms = [Arm(str(stream), (0.0,) * lm.layers, stream) for stream in range(2 * PAIRS)]
    started = time.perf_counter()
    # No arm has noise, so nothing is measured against these.
    flat = Yardsticks.flat(np.ones(lm.layers + 1))
    texts = write_texts(lm, prompts, arms, flat, seed=0, new_tokens=TOKENS, batch_rows=2 * PAIRS)
    seconds = time.perf_counter() - started
    scores = []
    for arm in arms:
        columns = texts.of(arm.name)
        scores.append(text_scores(columns["text"], columns["nats"], columns["tokens"], mattr_window=10))
    documents = documents_of(texts)
    tests = {
        metric: [_tests(first[metric], second[metric], documents, pair) for pair, (first, second) in
                 enumerate(zip(scores[::2], scores[1::2], strict=True))]
        for metric in scores[0]
    }  # fmt: skip
    figures: dict[str, Any] = {
        "model": MODEL,
        "pairs": PAIRS,
        "texts_an_arm": SAMPLES,
        "documents": DOCUMENTS,
        "tokens_a_text": TOKENS,
        "writing_seconds": round(seconds, 1),
        "rejected": {metric: _rates(found) for metric, found in tests.items()},
        "rejected_over_all_metrics": _rates([one for found in tests.values() for one in found]),
    }
    record("aa_rate", figures)


def _tests(first: Scores, second: Scores, documents: Any, seed: int) -> tuple[bool, bool]:
    found = effect(first, second, documents, draws=1000, seed=seed)
    assert found.p_permutation is not None
    assert found.p_t is not None
    return found.p_permutation < 0.05, found.p_t < 0.05


def _rates(found: list[tuple[bool, bool]]) -> dict[str, Any]:
    counts = np.sum(found, axis=0)
    names = ("permutation", "paired_t")
    return {
        name: {
            "rate": round(count / len(found), 4),
            "ci": [round(end, 4) for end in clopper_pearson(int(count), len(found))],
        }
        for name, count in zip(names, counts.tolist(), strict=True)
    }


if __name__ == "__main__":
    main()
