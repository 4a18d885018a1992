"""What the theory costs as models grow: passes, seconds and memory on random weights of growing width and depth.

State memory must follow (L + 1) · tokens · d and one d² covariance, and the number of passes must not depend on d.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.record import record
from mspgt.lm.load import LanguageModel, load
from mspgt.lm.tokenize import encode
from mspgt.signals.measure import measure_scales
from mspgt.synthetic.corpora import sample_corpus
from mspgt.synthetic.triscale import TriScale
from mspgt.theory.fisher import measure_sensitivity
from mspgt.theory.markov import near_markov
from mspgt.theory.passes import passes
from mspgt.theory.states import components, sample_states, state_bytes
from mspgt.theory.usable import lexical, usable_information

SHAPES = ((8, 64), (32, 64), (8, 256), (8, 1024), (3, 2048))  # layers, width
TOKENS, TEXTS, COMPONENTS = 1024, 4, 32


def random_model(folder: Path, layers: int, width: int) -> LanguageModel:
    from tests.lm.tiny import tiny_model

    path = tiny_model(
        folder / f"{layers}x{width}", "llama", layers=layers, hidden_size=width, intermediate_size=2 * width,
        num_attention_heads=8, num_key_value_heads=8, max_position_embeddings=128, initializer_range=0.02,
    )  # fmt: skip
    return load(path)


def cost(lm: LanguageModel) -> dict[str, Any]:
    corpus = sample_corpus(TriScale(), 60, 0)
    encoded = encode(lm, [sentence for document in corpus.documents for sentence in document.sentences])
    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        seconds[name] = round(time.perf_counter() - clock, 2)
        clock = time.perf_counter()

    scales = measure_scales(lm, encoded, sample=32, sink_ratio=10.0, batch_tokens=1024)
    lap("scales")
    states = sample_states(lm, corpus, encoded, scales, tokens=TOKENS, batch_tokens=1024)
    lap("states, one pass")
    found = components(states, COMPONENTS)
    lap("components")
    usable_information(states.values, lexical(states), examples=512, hidden=32, epochs=1)
    lap("V-information of one kind")
    near_markov(found.projected[1:9], states.document, permutations=19)
    lap("near-Markov, 8 layers")
    measure_sensitivity(lm, encoded[:TEXTS], [0] * TEXTS, scales.std[1:], sigmas=(0.1,), batch_tokens=256)
    lap(f"sensitivity, {TEXTS} texts")
    forward, backward = passes(TEXTS, lm.layers, 1, 0)
    return {
        "layers": lm.layers,
        "width": lm.width,
        "seconds": seconds,
        "sensitivity_passes": {"forward": forward, "backward": backward},
        "state_megabytes": round(state_bytes(lm.layers, lm.width, len(states), 4) / 2**20, 1),
        "peak_megabytes_of_process": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10),
    }


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for layers, width in SHAPES:
            rows.append(cost(random_model(Path(folder), layers, width)))
            print(rows[-1], flush=True)
    planned = {
        "32 layers, d = 4,096, 8,192 tokens, bfloat16": round(state_bytes(32, 4096, 8192, 2) / 2**30, 2),
    }
    same = {row["sensitivity_passes"]["backward"] for row in rows}
    record(
        "theory",
        {
            "models": rows,
            "backward_passes_do_not_depend_on_depth_or_width": len(same) == 1,
            "state_gigabytes_planned": planned,
            "tokens": TOKENS,
            "components": COMPONENTS,
            "dtype": str(np.dtype(np.float32)),
        },
    )


if __name__ == "__main__":
    main()
