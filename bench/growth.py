"""How time and memory grow: sentences 1,000 → 100,000, layers 12 → 80, width 128 → 8,192, all with random weights.

Seconds are of the processor, one thread. Memory is the peak while measuring above what the process held before (the
model and the tokenised corpus are loaded then), in a process of its own for each point; Linux only. An exponent b is
of the line log y = a + b log x over all points, with its 95 % interval. `tail` is b of the two largest points alone:
fixed costs hide growth at the small ones.
"""

from __future__ import annotations

import gc
import json
import math
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats

from bench.record import RESULTS, record
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.norms import reading_norms
from mspgt.signals.geometry import reduce_shards
from mspgt.signals.measure import measure_scales, measure_shard
from mspgt.signals.tokens import read_corpus
from mspgt.text.corpus import Corpus, Document
from mspgt.vocabulary import SINK_RATIO

SENTENCES = 1_000, 3_000, 10_000, 30_000, 100_000
LAYERS = 12, 24, 48, 80
WIDTHS = 128, 512, 1_024, 2_048, 4_096, 8_192
WORDS = 500
SETTINGS = {"sink_ratio": SINK_RATIO, "batch_tokens": 4096}
MIB = 2**20
Point = dict[str, Any]


def llama(folder: Path, layers: int, width: int) -> LanguageModel:
    """`random_llama`, narrow in between, loaded in float32."""
    random_llama(folder, layers, width, 256, torch.float32)
    return load(folder, dtype="float32")


def random_llama(folder: Path, layers: int, width: int, inner: int, dtype: torch.dtype) -> None:
    """A Llama with random weights over invented words: heads of 32 dimensions, one for keys."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

    words = {**{f"w{i}": i for i in range(WORDS)}, "<unk>": WORDS, "<s>": WORDS + 1}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<unk>", bos_token="<s>").save_pretrained(
        folder
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=WORDS + 2, hidden_size=width, intermediate_size=inner, num_hidden_layers=layers,
        num_attention_heads=width // 32, num_key_value_heads=1, head_dim=32,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config, dtype=dtype).save_pretrained(folder)
    gc.collect()


def corpus_of(sentences: int, words: int) -> Corpus:
    """Documents of random words, 50 of them, fewer of the smallest corpora."""
    rng = np.random.default_rng(0)
    each = max(8, sentences // 50)
    text = rng.integers(0, WORDS, (sentences, words))
    lines = [" ".join(f"w{i}" for i in row) for row in text]
    starts = range(0, sentences, each)
    return Corpus(
        "random words", tuple(Document(str(s), str(s), tuple(lines[s : s + each])) for s in starts), "none"
    )


def measured(layers: int, width: int, sentences: int, words: int, limit: int) -> Point:
    """Processor seconds and peak MiB of the measuring pass, and of the reduction, which needs the model no more."""
    with tempfile.TemporaryDirectory() as folder:
        lm = llama(Path(folder), layers, width)
    corpus = corpus_of(sentences, words)
    held, started = _watch(), time.process_time()
    tokens = read_corpus(lm, corpus, limit=limit, seed=0)
    reading, read = time.process_time() - started, _peak() - held
    scales = measure_scales(lm, tokens.readings["calibrated"], sample=64, **SETTINGS)
    held, started = _watch(), time.process_time()
    shard = measure_shard(lm, tokens, range(len(corpus.documents)), scales, **SETTINGS)
    point = {
        "tokens": sum(len(text.ids) for part, _ in tokens.passes() for text in part.sequences),
        "drawn": len(shard.token_document["calibrated"]),
        "reading_seconds": round(reading, 2),
        "reading_mib": read,
        "measuring_seconds": round(time.process_time() - started, 2),
        "measuring_mib": _peak() - held,
    }
    norms = reading_norms(lm)
    del lm
    held, started = _watch(), time.process_time()
    reduce_shards([shard], np.arange(len(corpus.documents)), norms=norms)
    point["reduction_seconds"] = round(time.process_time() - started, 2)
    point["reduction_mib"] = _peak() - held
    return point


def _watch() -> int:
    """MiB that the process holds now; its peak is counted from here."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return round(int(next(line for line in lines if line.startswith(key)).split()[1]) / 1024)


def apart(**point: int) -> Point:
    """`measured` in a process of its own, whose memory is nobody else's."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(there, point))
    process.start()
    there.close()
    try:
        return {**point, **here.recv()}
    finally:
        process.join()


def _send(there: Any, point: dict[str, int]) -> None:
    there.send(measured(**point))


def exponent(points: list[Point], x: str, y: str) -> dict[str, Any]:
    """b of y ∝ x^b with its 95 % interval, and that of the two largest points."""
    known = [(math.log(p[x]), math.log(p[y])) for p in points if p.get(y)]
    if len(known) < 3:
        return {"exponent": None, "reason": f"{len(known)} points with more than 0"}
    line = stats.linregress(*zip(*known, strict=True))
    half = float(stats.t.ppf(0.975, len(known) - 2)) * line.stderr
    (x0, y0), (x1, y1) = known[-2:]
    return {
        "exponent": round(line.slope, 2),
        "interval": [round(line.slope - half, 2), round(line.slope + half, 2)],
        "tail": round((y1 - y0) / (x1 - x0), 2),
        "points": len(known),
    }


def grown(x: str, values: tuple[int, ...], ys: tuple[str, ...], at: Callable[[int], Point]) -> dict[str, Any]:
    points = [at(value) for value in values]
    return {"points": points, "exponents": {y: exponent(points, x, y) for y in ys}}


def main(axes: tuple[str, ...] = ()) -> None:
    """All axes, or some, beside which the others stay as they were measured."""
    torch.set_num_threads(1)
    passes = "measuring_seconds", "measuring_mib"
    both = (*passes, "reduction_seconds", "reduction_mib")
    figures: dict[str, Any] = {}
    if axes:
        figures = json.loads((RESULTS / "growth.json").read_text("utf-8"))["figures"]
    each: dict[str, tuple[tuple[int, ...], tuple[str, ...], Callable[[int], Point]]] = {
        "sentences": (
            SENTENCES, ("reading_seconds", "reading_mib", *both),
            lambda n: apart(layers=4, width=64, sentences=n, words=8, limit=4096),
        ),
        "layers": (LAYERS, both, lambda n: apart(layers=n, width=64, sentences=400, words=20, limit=2048)),
        "width": (WIDTHS, both, lambda n: apart(layers=2, width=n, sentences=80, words=12, limit=512)),
    }  # fmt: skip
    for axis in axes or tuple(each):
        figures[axis] = grown(axis, *each[axis])
        if axis == "sentences":
            for what in ("reading", "measuring"):
                slope = bytes_a_sentence(figures[axis]["points"], f"{what}_mib")
                figures[axis][f"{what}_bytes_a_sentence"] = slope
        record("growth", figures)


def bytes_a_sentence(points: list[Point], what: str) -> dict[str, Any]:
    """Slope of a peak over sentences, with its 95 % interval."""
    line = stats.linregress([p["sentences"] for p in points], [p[what] * MIB for p in points])
    half = float(stats.t.ppf(0.975, len(points) - 2)) * line.stderr
    return {"slope": round(line.slope), "interval": [round(line.slope - half), round(line.slope + half)]}


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
