"""All arms of Experiment 2 in one pass against plain `generate` at an equal batch; bar: ≤ 1.1 a token.

Ours adds keyed noise in every scale and shares sampling randomness between arms; the peer samples as many rows
and tokens without noise. Both keep a cache, temperature 1, top-p 0.95, and write every token: no text ends early.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.growth import llama
from bench.measuring import DATA
from bench.record import record
from mspgt.boundaries.scales import Scales
from mspgt.interventions.arms import plan_arms
from mspgt.interventions.doses import Yardsticks, noise_sizes
from mspgt.lm import generate as generation
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel

SAMPLES, PROMPT, NEW, REPEATS = 4, 32, 128, 3


def ratio(
    lm: LanguageModel, samples: int = SAMPLES, new: int = NEW, repeats: int = REPEATS
) -> dict[str, Any]:
    """Median seconds of both, in turn, and their ratio."""
    third = lm.layers // 3
    scales = Scales(third - 1, 2 * third, lm.layers, "given")
    arms = plan_arms(scales, equal_kl={"local": 0.1, "intermediate": 0.11, "global": 0.12})
    sigma, own = noise_sizes(arms, Yardsticks.flat(np.ones(lm.layers + 1)))
    streams = [arm.stream for arm in arms]
    ids = torch.randint(3, lm.model.get_input_embeddings().weight.shape[0], (samples, PROMPT))
    rows = ids.repeat_interleave(len(arms), 0).to(lm.device)
    ours, plain = [], []
    for _ in range(repeats):
        started = time.perf_counter()
        generation.generate(
            lm, ids, range(samples), sigma, seed=0, own=own, streams=streams, new_tokens=new, stop=False
        )
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        with torch.inference_mode():
            lm.model.generate(
                input_ids=rows,
                attention_mask=torch.ones_like(rows),
                do_sample=True,
                top_p=0.95,
                top_k=0,
                max_new_tokens=new,
                min_new_tokens=new,
                pad_token_id=0,
            )
        if lm.device.type == "cuda":
            torch.cuda.synchronize()
        plain.append(time.perf_counter() - started)
    tokens = len(rows) * new
    return {
        "rows": len(rows),
        "arms": len(arms),
        "new_tokens": new,
        "microseconds_a_token": round(1e6 * float(np.median(ours)) / tokens, 1),
        "plain_microseconds_a_token": round(1e6 * float(np.median(plain)) / tokens, 1),
        "ratio": round(float(np.median(np.array(ours) / np.array(plain))), 3),
    }


def main() -> None:
    torch.set_num_threads(1)
    figures = {}
    if (DATA / "models").exists():
        for name in ("llama-a", "qwen-a", "llama-deep", "qwen-deep"):
            figures[name] = ratio(load(DATA / "models" / name))
    else:
        with tempfile.TemporaryDirectory() as folder:
            figures["random-llama"] = ratio(llama(Path(folder), 12, 128))
    record("generation", figures)


if __name__ == "__main__":
    main()
