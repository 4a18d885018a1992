"""What the theory costs as models grow: passes and peak memory on random weights, against what `mspgt plan` says.

Each model is measured in a process of its own. Memory is the high-water mark of a stage above the loaded model (Linux
only); passes are texts that went through the model, either way. Widths go up to 4,096, with few layers and tokens
where weights would fill the machine; what depends on depth and tokens is shown on narrower models.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from calibration.page import write_between
from torch import Tensor

from bench.record import record
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.tokenize import encode
from mspgt.signals.measure import measure_scales
from mspgt.synthetic.corpora import sample_corpus
from mspgt.synthetic.triscale import TriScale
from mspgt.theory.fisher import measure_sensitivity
from mspgt.theory.markov import near_markov
from mspgt.theory.passes import batch_bytes, covariance_bytes, passes, reader_bytes, state_bytes
from mspgt.theory.states import components, sample_states
from mspgt.theory.usable import lexical, usable_information

# Layers, width, tokens sampled.
SHAPES = (
    *((2, width, 1024) for width in (64, 256, 1024, 2048, 4096)),
    *((layers, 256, 1024) for layers in (8, 32)),
    *((8, 1024, tokens) for tokens in (1024, 4096)),
)
TARGET = {"layers": 32, "width": 4096, "tokens": 8192, "batch_tokens": 4096, "bytes_a_value": 2}
BATCH_TOKENS, GRADIENT_TOKENS, TEXTS, COMPONENTS = 512, 128, 4, 32
SENSITIVITY = {"label_draws": 2, "hessian_draws": 1}
PAGE = Path(__file__).parents[1] / "docs" / "theory.md"
MARKS = "<!-- cost: made by `python -m bench theory` -->", "<!-- end of cost -->"
STATUS, MARK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def make(folder: str, layers: int, width: int) -> None:
    from tests.lm.tiny import tiny_model

    tiny_model(
        Path(folder), "llama", layers=layers, hidden_size=width, intermediate_size=2 * width, num_attention_heads=8,
        num_key_value_heads=8, max_position_embeddings=128, initializer_range=0.02,
    )  # fmt: skip


class Meter:
    """Seconds, peak memory above the model and passes of each stage of one model."""

    def __init__(self, lm: LanguageModel) -> None:
        self.loaded = _resident("VmRSS")
        self.stages: dict[str, dict[str, Any]] = {}
        self.passes: Counter[str] = Counter()
        lm.blocks[0].register_forward_pre_hook(self._forward)
        lm.model.register_forward_hook(self._backward)

    def _forward(self, _: Any, inputs: tuple[Tensor, ...]) -> None:
        self.passes["forward"] += len(inputs[0])

    def _backward(self, _: Any, __: Any, output: Any) -> None:
        logits = output.logits
        if logits.requires_grad:
            logits.register_hook(lambda gradient: self.passes.update(backward=len(gradient)))

    @contextmanager
    def stage(self, name: str, planned_bytes: int | None = None) -> Iterator[None]:
        self.passes.clear()
        MARK.write_text("5")  # the high-water mark starts anew
        started = time.process_time()
        yield
        above = _resident("VmHWM") - self.loaded
        self.stages[name] = {
            "seconds": round(time.process_time() - started, 2),
            "megabytes_above_the_model": round(above / 2**20, 1),
            "megabytes_planned": None if planned_bytes is None else round(planned_bytes / 2**20, 1),
            "passes": dict(self.passes),
        }


def cost(folder: str, tokens: int) -> dict[str, Any]:
    """Every stage that runs a model or holds its states, once."""
    torch.set_num_threads(1)
    lm = load(folder)
    corpus = sample_corpus(TriScale(), tokens // 16, 0)
    encoded = encode(lm, [sentence for document in corpus.documents for sentence in document.sentences])
    scales = measure_scales(lm, encoded, sample=32, sink_ratio=10.0, batch_tokens=BATCH_TOKENS)
    meter = Meter(lm)
    held = state_bytes(lm.layers, lm.width, tokens, 4)
    reading = batch_bytes(lm.layers, lm.width, BATCH_TOKENS, 4)
    with meter.stage("states", held + reading):
        states = sample_states(lm, corpus, encoded, scales, tokens=tokens, batch_tokens=BATCH_TOKENS)
    with meter.stage("components", held + covariance_bytes(lm.width, tokens)):
        found = components(states, COMPONENTS)
    with meter.stage("V-information, one kind", held + reader_bytes(lm.layers, lm.width, tokens)):
        usable_information(states.values, lexical(states), examples=512, hidden=32, epochs=1)
    if lm.layers >= 3:
        with meter.stage("near-Markov"):
            near_markov(found.projected[1:9], states.document, permutations=19)
    kept = len(states)
    del states, found
    with meter.stage("sensitivity"):
        measure_sensitivity(
            lm, encoded[:TEXTS], [0] * TEXTS, scales.std[1:], sigmas=(0.1,), batch_tokens=GRADIENT_TOKENS,
            **SENSITIVITY,
        )  # fmt: skip
    forward, backward = passes(TEXTS, lm.layers, 1, 0, **SENSITIVITY)
    meter.stages["sensitivity"]["passes_planned"] = {"forward": forward, "backward": backward}
    meter.stages["states"]["passes_planned"] = {"forward": len(encoded)}
    return {
        "layers": lm.layers, "width": lm.width, "tokens": kept,
        "model_megabytes": round(sum(p.nbytes for p in lm.model.parameters()) / 2**20), "stages": meter.stages,
    }  # fmt: skip


def _resident(name: str) -> int:
    """Bytes of this process: VmRSS now, VmHWM at most."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def _apart(call: str) -> str:
    """What a call of this module prints, in a process of its own."""
    code = f"import json, bench.theory as m; print(json.dumps(m.{call}))"
    # Every array of a megabyte is given back when it is freed, or the heap of one stage would stand in the next.
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(2**20), "MALLOC_TRIM_THRESHOLD_": "0"}
    run = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, env=env)
    return run.stdout.splitlines()[-1]


def main() -> None:
    rows = []
    for layers, width, tokens in SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            _apart(f"make({folder!r}, {layers}, {width})")
            rows.append(json.loads(_apart(f"cost({folder!r}, {tokens})")))
        print(json.dumps(rows[-1]), flush=True)
    write_between(PAGE, MARKS, markdown(rows))
    record(
        "theory",
        {
            "models": rows,
            "passes_as_planned": all(
                stage["passes"] == stage["passes_planned"]
                for row in rows
                for stage in row["stages"].values()
                if "passes_planned" in stage
            ),
            "passes_depend_on_width": len({str(_passes(row)) for row in rows if row["layers"] == 2}) > 1,
            "memory_over_plan_from_100_megabytes": sorted(
                round(stage["megabytes_above_the_model"] / stage["megabytes_planned"], 2)
                for row in rows
                for stage in row["stages"].values()
                if (stage["megabytes_planned"] or 0) >= 100
            ),
            "extrapolated": extrapolated(),
            "settings": {
                "batch_tokens": BATCH_TOKENS, "gradient_tokens": GRADIENT_TOKENS, "texts": TEXTS,
                "components": COMPONENTS, "dtype": "float32", **SENSITIVITY,
            },
        },
    )  # fmt: skip


def markdown(rows: list[dict[str, Any]]) -> str:
    """The models as a table: memory above the model as measured, and as planned in brackets."""
    memory = ("states", "components", "V-information, one kind")
    lines = [
        "| layers | width | tokens | model, MB | states, MB (planned) | components | V-information | sensitivity, "
        "passes forward and backward (planned) | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        stages = row["stages"]
        cells = [row["layers"], row["width"], row["tokens"], row["model_megabytes"]]
        for name in memory:
            found = stages[name]
            cells.append(f"{found['megabytes_above_the_model']:.0f} ({found['megabytes_planned']:.0f})")
        made, planned = (stages["sensitivity"][name] for name in ("passes", "passes_planned"))
        cells.append(f"{made['forward']}, {made['backward']} ({planned['forward']}, {planned['backward']})")
        cells.append(f"{sum(stage['seconds'] for stage in stages.values()):.0f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def _passes(row: dict[str, Any]) -> list[dict[str, int]]:
    return [stage["passes"] for stage in row["stages"].values()]


def extrapolated() -> dict[str, Any]:
    """What the plan says of a model that was not measured here, by the formulas that were."""
    layers, width, tokens = TARGET["layers"], TARGET["width"], TARGET["tokens"]
    held = state_bytes(layers, width, tokens, TARGET["bytes_a_value"])
    reading = batch_bytes(layers, width, TARGET["batch_tokens"], TARGET["bytes_a_value"])
    parts = {
        "states": held, "reading": held + reading, "components": held + covariance_bytes(width, tokens),
        "V-information": held + reader_bytes(layers, width, tokens),
    }  # fmt: skip
    return {"model": TARGET, "gigabytes": {name: round(size / 2**30, 2) for name, size in parts.items()}}


if __name__ == "__main__":
    main()
