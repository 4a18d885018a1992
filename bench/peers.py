"""Against what a user would else take: nnsight, TransformerLens, two packages of CKA, and three of BLEU.

The command makes an environment for them in `build/peers`, which sees the packages of this one, so that both sides
load the same torch and transformers. Work is checked to be the same before it is timed; both sides take turns in one
process, on one thread, and a ratio is of neighbours in time: its median, and its smallest and largest.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.comparing import similarity, similarity_real
from bench.record import RESULTS, record
from bench.turns import Figures, Work, in_turn, ratios
from bench.watching import watching, watching_real
from mspgt.interventions.diversity import self_bleu_scores

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "peers"
PACKAGES = ("nnsight", "transformer-lens", "torch-cka", "pytorch-cka", "sacrebleu")
SOURCE_ONLY = "fast-bleu"
TORCH_OWN = ("nvidia-", "cuda-", "triton", "torch")
TEXTS, TOKENS, SCORED = 1000, 50, 5


def main(names: tuple[str, ...] = ()) -> None:
    """All parts, or some, beside which the others stay as they were measured."""
    if os.environ.get("MSPGT_PEERS") == str(PLACE):
        torch.set_num_threads(1)
        told: Figures = {}
        if names:
            told = json.loads((RESULTS / "peers.json").read_text("utf-8"))["figures"]
        told["versions"] = _versions()
        for part in (diversity, similarity, similarity_real, watching, watching_real):
            if not names or part.__name__ in names:
                told[part.__name__] = part()
                record("peers", told)
        return
    python = environment()
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    env = {**os.environ, "MSPGT_PEERS": str(PLACE), "PYTHONPATH": path, "WANDB_MODE": "disabled"}
    subprocess.run([str(python), "-m", "bench.peers", *names], env=env, cwd=ROOT, check=True)


def environment() -> Path:
    """The python of the peers' environment, which is made where it is missing."""
    python = PLACE / "bin" / "python"
    done = PLACE / ".installed"
    if done.exists():
        return python
    uv = Path(sys.executable).parent / "uv"
    subprocess.run(
        [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(PLACE)], check=True
    )
    site = next((PLACE / "lib").glob("python*/site-packages"))
    (site / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    here = {one.metadata["Name"].lower().replace("_", "-"): one.version for one in distributions()}
    fixed = PLACE / "here.txt"
    fixed.write_text("".join(f"{n}=={v.partition('+')[0]}\n" for n, v in here.items() if n != "mspgt"))
    asked = PLACE / "asked.txt"
    asked.write_text("\n".join(PACKAGES))
    chosen = subprocess.run(
        [str(uv), "pip", "compile", "--quiet", "--no-annotate", "--no-header", "-c", str(fixed), str(asked)],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    fresh = [one for one in chosen if not one.startswith(TORCH_OWN) or one.startswith("torch-")]
    fresh = [one for one in fresh if one.partition("==")[0] not in here]
    install = [str(uv), "pip", "install", "--quiet", "--python", str(python), "--no-deps"]
    subprocess.run([*install, *fresh], check=True)
    if subprocess.run([*install, SOURCE_ONLY]).returncode:
        print(f"{SOURCE_ONLY} could not be built here; its row says so")
    done.touch()
    return python


def _versions() -> dict[str, str]:
    found = {}
    for name in (*PACKAGES, SOURCE_ONLY, "nltk"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def diversity() -> Figures:
    """Self-BLEU of 1,000 texts of 50 tokens, equal to 1e-9; peers score some texts, each against all others."""
    rng = np.random.default_rng(0)
    words = [[f"w{k}" for k in np.minimum(rng.zipf(1.3, TOKENS), 5000)] for _ in range(TEXTS)]
    scores = self_bleu_scores(words)
    told: Figures = {"texts": TEXTS, "tokens_a_text": TOKENS}
    seconds = {"mspgt": in_turn({"mspgt": lambda: self_bleu_scores(words)})["mspgt"]}
    for name, peer in {"sacrebleu": _sacrebleu, "nltk": _nltk, "fast-bleu": _fast_bleu}.items():
        try:
            part, scale, found = _once(peer, words)
        except ImportError as error:
            told[name] = f"not installed ({error})"
            continue
        told[f"largest difference, {name}"] = float(np.abs(scores[: len(found)] - found).max())
        seconds[name] = [part * scale] * len(seconds["mspgt"])
    return told | ratios(seconds, "mspgt")


def _once(peer: Callable[..., Any], words: list[list[str]]) -> tuple[float, float, Any]:
    run, scored = peer(words)
    started = time.process_time()
    found = np.array(run())
    return time.process_time() - started, TEXTS / scored, found


def _sacrebleu(words: list[list[str]]) -> tuple[Work, int]:
    from sacrebleu.metrics import BLEU

    logging.getLogger("sacrebleu").setLevel(logging.ERROR)  # it advises another order of n-grams
    metric = BLEU(tokenize="none", smooth_method="floor", smooth_value=0.1, effective_order=False)
    texts = [" ".join(one) for one in words]

    def run() -> list[float]:
        return [
            metric.sentence_score(texts[i], texts[:i] + texts[i + 1 :]).score / 100 for i in range(SCORED)
        ]

    return run, SCORED


def _nltk(words: list[list[str]]) -> tuple[Work, int]:
    bleu = importlib.import_module("nltk.translate.bleu_score")
    smoothing = bleu.SmoothingFunction().method1

    def run() -> list[float]:
        return [
            bleu.sentence_bleu(words[:i] + words[i + 1 :], words[i], smoothing_function=smoothing)
            for i in range(SCORED)
        ]

    return run, SCORED


def _fast_bleu(words: list[list[str]]) -> tuple[Work, int]:
    from fast_bleu import SelfBLEU

    return lambda: SelfBLEU(words).get_score()[4], TEXTS


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
