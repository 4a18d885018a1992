"""The reduction of 8,192 drawn tokens a set to document tables against the measuring pass that drew them, SmolLM2.

Bar: a tenth. Processor seconds of one thread; the pass once, the reduction `REPEATS` times after it. Beside the time
stands what both cost in operations: products that cannot be saved as long as every number is exact.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from bench.measuring import BATCH_TOKENS, DATA, REAL
from bench.record import record
from mspgt.errors import InputError
from mspgt.lm.load import load
from mspgt.lm.norms import reading_norms
from mspgt.lm.shape import Shape
from mspgt.lm.wheel import weights_of
from mspgt.signals.geometry import Geometry, reduce_shards
from mspgt.signals.measure import measure_scales, measure_shard
from mspgt.signals.similarity import MOST_TOKENS
from mspgt.signals.tokens import read_corpus
from mspgt.study.config import ModelConfig
from mspgt.study.looking import look
from mspgt.text.corpus import load_corpus
from mspgt.vocabulary import SINK_RATIO

REPEATS, SENTENCES, DRAWN = 3, 600, 8192


def operations(tokens: int, documents: int, layers: int, width: int) -> dict[str, float]:
    """Of exact products, each symmetric one counted half; layers: 0..L."""
    # A layer with itself, half, and with the next: three token by width² products in each of three sets of states.
    moments = 3 * 3 * tokens * width**2 * layers
    # Every two documents' moments, of two sets; a layer with itself has half the entries.
    tables = 2 * 1.5 * documents**2 * width**2 * layers
    similarity = 3 * min(tokens, MOST_TOKENS) ** 2 * width * layers
    return {"moments": moments, "tables": tables, "similarity": similarity}


def main() -> None:
    torch.set_num_threads(1)
    text = DATA / "wikitext" / "wiki.valid.raw"
    try:
        weights = weights_of(REAL)
    except InputError as error:
        print(f"reduction: not measured: {error}")
        return
    if not text.exists():
        print("reduction: no text at ../shared/data; nothing measured")
        return
    card = look(ModelConfig(id=str(weights))).card
    lm = load(weights, dtype="float32")
    corpus = load_corpus(text, max_sentences=SENTENCES)
    tokens = read_corpus(lm, corpus, limit=DRAWN, seed=0)
    settings = {"sink_ratio": SINK_RATIO, "batch_tokens": BATCH_TOKENS}
    scales = measure_scales(lm, tokens.readings["calibrated"], sample=64, **settings)
    documents = len(corpus.documents)
    started = time.process_time()
    shard = measure_shard(lm, tokens, range(documents), scales, **settings)
    measuring = time.process_time() - started
    spent = []
    for _ in range(REPEATS):
        started = time.process_time()
        found = reduce_shards([shard], np.arange(documents), norms=reading_norms(lm))
        spent.append(time.process_time() - started)
    record("reduction", told(found, measuring, spent, documents, Shape.of(card), tokens.passes()))


def told(
    found: Geometry, measuring: float, spent: list[float], documents: int, shape: Shape, passes: Any
) -> dict[str, Any]:
    read = [len(text.ids) for reading, _ in passes for text in reading.sequences]
    needed = operations(DRAWN, documents, shape.layers + 1, shape.width)
    of_pass = sum(shape.forward(count, count) for count in read)
    ratio = np.array(spent) / measuring
    return {
        "sentences": SENTENCES,
        "documents": documents,
        "tokens_read": sum(read),
        "drawn": found.drawn,
        "measuring_seconds": round(measuring, 1),
        "reduction_seconds": [round(one, 2) for one in spent],
        "reduction_to_measuring": round(float(np.median(ratio)), 3),
        "range": [round(float(ratio.min()), 3), round(float(ratio.max()), 3)],
        "gigaflop": {
            **{name: round(count / 1e9) for name, count in needed.items()},
            "pass": round(of_pass / 1e9),
        },
        "operations_to_pass": round(sum(needed.values()) / of_pass, 3),
    }


if __name__ == "__main__":
    main()
