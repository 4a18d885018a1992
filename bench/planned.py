"""What a plan says against what runs take, at sizes that fit, and what it says of 70 billion parameters.

    python -m bench.planned NAME=FOLDER:SENTENCES[:DTYPE[:MEMORY]] ...      # SmolLM2-135M=models/smollm2:120

Every model runs Experiment 1 (no twin, no treebank) in a process of its own, on one thread: processor seconds of its
stages and peak memory of the command beside what `mspgt plan` says before it. `random-8x2048x5504` instead of a
folder is a Llama of 8 layers of width 2,048 (and 5,504 inside) with random weights, on random words. The error's
growth is the slope of log (said / taken) over log parameters, with its 95 % interval; what it leads to at 70 billion
is told with their plan. A model of which MEMORY leaves a part on disk is no point of that line.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats

from bench.growth import corpus_of, random_llama
from bench.measuring import DATA, REAL
from bench.record import record
from mspgt.errors import InputError
from mspgt.lm.identity import Card
from mspgt.lm.wheel import weights_of
from mspgt.study.afar import on_one_gpu
from mspgt.study.config import ModelConfig, StudyConfig
from mspgt.study.describe import needed
from mspgt.study.loading import make_config
from mspgt.study.looking import look
from mspgt.study.plan import Plan
from mspgt.study.reading import read_data
from mspgt.study.stages import Data
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document

TEXT = DATA / "wikitext" / "wiki.valid.raw"
# Llama-2-70b by its config.json: heads of keys and values are fewer, which the card need not know.
LARGE = Card("llama", 80, 8192, 64, 68_976_648_192, "bfloat16", "", True, 28_672, 32_000, False, 4096)
SENTENCES, WORDS, DOCUMENTS = 10_000, 25, 100  # of the large run
WORDS_OF_ITS_OWN, RANDOM_WORDS = "words.jsonl", 20  # file of a model with random weights; words a sentence
# What else the machine does must not count.
BY_PROCESSOR = "import time; time.perf_counter = time.process_time; from mspgt.cli import main; main()"
Figures = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One model and how much it reads."""

    name: str
    folder: str
    sentences: int
    dtype: str = "float32"
    memory: str | None = None

    @classmethod
    def of(cls, text: str) -> Case:
        name, _, rest = text.partition("=")
        # The folder may hold a colon ("zoo:…"), what follows it may not.
        found = re.fullmatch(r"(.+?):(\d+)(?::(\w+))?(?::(\w+))?", rest)
        if found is None:
            raise InputError(f"Expected NAME=FOLDER:SENTENCES[:DTYPE[:MEMORY]], found {text!r}.")
        folder, sentences, dtype, memory = found.groups()
        return cls(name, folder, int(sentences), dtype or "float32", memory)


def study(case: Case) -> StudyConfig:
    """Experiment 1 on so many sentences, nothing beside."""
    text = (str(TEXT), "wikitext") if TEXT.exists() else ("triscale", "triscale")
    if (written := Path(case.folder) / WORDS_OF_ITS_OWN).exists():
        text = str(written), "jsonl"
    corpus = dict(zip(("source", "format"), text, strict=True))
    return make_config({
        "name": "planned", "models": [{"id": case.folder, "dtype": case.dtype, "memory": case.memory}],
        "corpus": {**corpus, "max_sentences": case.sentences},
        "measure": {"too_long": "cut"}, "twins": {"seeds": 0}, "run": {"workers": 1},
    })  # fmt: skip


def drawn(case: Case, folder: Path) -> Case:
    """The case with the folder of its weights, which are made where they are random."""
    shape = re.fullmatch(r"random-(\d+)x(\d+)x(\d+)", case.folder)
    if shape is None:
        return case
    layers, width, inner = map(int, shape.groups())
    random_llama(folder, layers, width, inner, getattr(torch, case.dtype))
    documents = corpus_of(case.sentences, RANDOM_WORDS).documents
    lines = [json.dumps({"id": one.id, "sentences": list(one.sentences)}) for one in documents]
    (folder / WORDS_OF_ITS_OWN).write_text("\n".join(lines) + "\n", "utf-8")
    return Case(case.name, str(folder), case.sentences, case.dtype, case.memory)


def said(config: StudyConfig) -> tuple[int, float, float]:
    """Parameters, and the plan's seconds and bytes."""
    data, twin_data = read_data(config)
    found = look(config.models[0])
    plan = Plan(config, data, twin_data, (found.identity,))
    with tempfile.TemporaryDirectory() as empty:
        need = needed(config, plan, found, config.models[0], list(plan.stages(Path(empty))))
    assert need is not None
    return found.identity.parameters, *need


def taken(config: StudyConfig) -> tuple[float, float, Figures]:
    """Processor seconds and peak bytes of the whole command, and processor seconds of its stages."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_text(json.dumps(config.model_dump(mode="json", exclude_defaults=True)))
        before = os.times()
        done = subprocess.run(
            [sys.executable, "-c", BY_PROCESSOR, "run", str(file), "--out", f"{folder}/run", "--quiet"],
            env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
        )  # fmt: skip
        after = os.times()
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        provenance = json.loads((Path(folder) / "run" / "results.json").read_text("utf-8"))["provenance"]
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return spent, provenance["peak_bytes"], {n: c["seconds"] for n, c in provenance["cost"].items()}


def compared(case: Case) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        config = study(drawn(case, Path(folder)))
        parameters, seconds, peak = said(config)
        whole, held, stages = taken(config)
    spent = sum(stages.values())
    return {
        "model": case.name, "parameters": parameters, "sentences": case.sentences, "dtype": case.dtype,
        "memory": case.memory,
        "said_seconds": round(seconds, 1), "taken_seconds": round(spent, 1), "time_ratio": round(seconds / spent, 2),
        "said_gib": round(peak / 2**30, 2), "taken_gib": round(held / 2**30, 2),
        "memory_ratio": round(peak / held, 2),
        "taken_by_stage": stages, "whole_command_seconds": round(whole, 1),
    }  # fmt: skip


def growth(rows: list[Figures], ratio: str) -> Figures:
    """Line of log ratio over log parameters, and what it leads to at the large size, each with 95 % limits."""
    if len(rows) < 3:
        return {"slope": None, "reason": f"{len(rows)} models; needed are 3"}
    x, y = (np.log([row[key] for row in rows]) for key in ("parameters", ratio))
    line = stats.linregress(x, y)
    t = float(stats.t.ppf(0.975, len(rows) - 2))
    at = math.log(LARGE.parameters)
    residual = float(np.sum((y - line.intercept - line.slope * x) ** 2)) / (len(rows) - 2)
    spread = math.sqrt(residual * (1 + 1 / len(rows) + (at - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)))
    middle = line.intercept + line.slope * at
    return {
        "slope": round(line.slope, 3),
        "interval": [round(line.slope - t * line.stderr, 3), round(line.slope + t * line.stderr, 3)],
        "at_70_billion": [round(math.exp(middle + sign * t * spread), 2) for sign in (-1, 0, 1)],
    }


def of_70_billion() -> Figures:
    """What the plan says of Experiment 1 on 10,000 sentences of 25 words, by one card's data sheet."""
    model = ModelConfig(id="Llama-2-70b", dtype="bfloat16", device="cuda")
    config = study(Case("", "zoo:triscale-llama-1", SENTENCES)).model_copy(update={"models": (model,)})
    text = (" ".join(["word"] * WORDS),) * (SENTENCES // DOCUMENTS)
    documents = tuple(Document(str(i), "", text) for i in range(DOCUMENTS))
    data = Data(Corpus("stand-in", documents, "stand-in"), None)
    seconds, peak = on_one_gpu(config, model, LARGE, data, data)
    return {
        "parameters": LARGE.parameters, "layers": LARGE.layers, "width": LARGE.width,
        "sentences": data.corpus.n_sentences, "hours_of_one_H200": round(seconds / 3600, 2),
        "gib": round(peak / 2**30, 1),
        "gib_of_weights": round(2 * LARGE.parameters / 2**30, 1),
    }  # fmt: skip


def here() -> Iterator[str]:
    """Models that lie where benchmarks look for them, small and large, and two with random weights."""
    yield "triscale-llama-1=zoo:triscale-llama-1:200"
    for name in ("llama-a", "llama-deep"):
        if (DATA / "models" / name).exists():
            yield f"{name}={DATA / 'models' / name}:100"
    with suppress(InputError):
        yield f"SmolLM2-135M={weights_of(REAL)}:32"
    for shape in ("8x2048x5504", "8x3072x8192"):
        yield f"random, {shape.replace('x', ' × ')}=random-{shape}:24:bfloat16"


def main(models: tuple[str, ...] = ()) -> None:
    rows: list[Figures] = []
    for case in map(Case.of, models or tuple(here())):
        rows.append(compared(case))
        whole = [row for row in rows if row["memory"] is None]
        grown = {ratio: growth(whole, ratio) for ratio in ("time_ratio", "memory_ratio")}
        record("planned", {"runs": rows, "growth_with_parameters": grown, "of_70_billion": of_70_billion()})


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
