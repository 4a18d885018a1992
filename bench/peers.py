"""Against what a user would else take: nnsight, TransformerLens, two packages of CKA, and three of BLEU.

The command makes an environment for them in `build/peers`, which sees the packages of this one, so that both sides
load the same torch and transformers. Work is checked to be the same before it is timed; both sides take turns in one
process, on one thread, and a ratio is of neighbours in time: its median, and its smallest and largest.
"""

from __future__ import annotations

import importlib
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

from bench.measuring import DATA
from bench.record import record
from mspgt.interventions.diversity import self_bleu_scores
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import observe, residual_forward
from mspgt.lm.tokenize import Batch, batches
from mspgt.signals.cka import cka
from mspgt.signals.tokens import read_corpus
from mspgt.text.corpus import load_corpus

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "peers"
PACKAGES = ("nnsight", "transformer-lens", "torch-cka", "pytorch-cka", "sacrebleu")
SOURCE_ONLY = "fast-bleu"
TORCH_OWN = ("nvidia-", "cuda-", "triton", "torch")
SENTENCES, WINDOWS, REPEATS = 60, 8, 7
EXAMPLES, LAYERS, WIDTH = 512, 7, 128
TEXTS, TOKENS, SCORED = 1000, 50, 5
Figures = dict[str, Any]
Work = Callable[[], Any]


def main() -> None:
    if os.environ.get("MSPGT_PEERS") == str(PLACE):
        torch.set_num_threads(1)
        parts = (watching, similarity, diversity)
        record("peers", {part.__name__: part() for part in parts} | {"versions": _versions()})
        return
    python = environment()
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    env = {**os.environ, "MSPGT_PEERS": str(PLACE), "PYTHONPATH": path, "WANDB_MODE": "disabled"}
    subprocess.run([str(python), "-m", "bench.peers"], env=env, cwd=ROOT, check=True)


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


def in_turn(works: dict[str, Work], repeats: int = REPEATS) -> dict[str, list[float]]:
    """Processor seconds of each, one after the other, so often."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            started = time.process_time()
            work()
            seconds[name].append(time.process_time() - started)
    return seconds


def ratios(seconds: dict[str, list[float]], base: str) -> Figures:
    """Of each to its neighbour `base`: median, smallest, largest."""
    told: Figures = {f"{base}, seconds": round(float(np.median(seconds[base])), 4)}
    for name, each in seconds.items():
        if name != base:
            over = np.array(each) / np.array(seconds[base])
            told[name] = {
                "ratio": round(float(np.median(over)), 3),
                "range": [round(float(over.min()), 3), round(float(over.max()), 3)],
            }
    return told


def watching() -> Figures:
    """Residual stream and mean attention of every layer, kept as each side keeps them, over the same batches."""
    from transformers import AutoModelForCausalLM

    lm = load(DATA / "models" / "llama-a", dtype="float32")
    corpus = load_corpus(DATA / "wikitext" / "wiki.valid.raw", max_sentences=SENTENCES)
    tokens = read_corpus(lm, corpus, limit=512, seed=0)
    # A window each, so that no peer has to be told of padding.
    parts = list(batches(tokens.readings["calibrated"].sequences, max_tokens=1))[:WINDOWS]
    # TransformerLens takes the model apart that it is given, so each has its own.
    plain, wrapped, bridged = (
        AutoModelForCausalLM.from_pretrained(
            DATA / "models" / "llama-a", dtype=torch.float32, attn_implementation="eager"
        ).eval()
        for _ in range(3)
    )
    peers = {"nnsight": _nnsight(wrapped), "TransformerLens": _transformer_lens(lm, bridged)}
    told: Figures = {"batches": len(parts), "tokens": sum(one.input_ids.numel() for one in parts)}
    seen = observe(lm, parts[0])
    assert seen.attention is not None
    works: dict[str, Work] = {
        "plain pass, eager attention": lambda: _plain(plain, parts),
        "plain pass": lambda: [residual_forward(lm.model, lm.blocks, p.input_ids, p.attention_mask) for p in parts]
        and None,
        "mspgt": lambda: [observe(lm, part) for part in parts] and None,
    }  # fmt: skip
    for name, peer in peers.items():
        hidden, attention = peer(parts[0].input_ids)
        told[f"largest difference, {name}"] = {
            "residual, relative": max(
                float((a - b).norm() / b.norm()) for a, b in zip(hidden, seen.hidden[1:], strict=True)
            ),
            "attention": max(float((a - b).abs().max()) for a, b in zip(attention, seen.attention, strict=True)),
        }  # fmt: skip
        works[name] = lambda peer=peer: [peer(part.input_ids) for part in parts] and None
    return told | ratios(in_turn(works), "mspgt")


def _plain(model: Any, parts: list[Batch]) -> None:
    with torch.inference_mode():
        for part in parts:
            model.model(input_ids=part.input_ids, attention_mask=part.attention_mask, use_cache=False)


Peer = Callable[[torch.Tensor], tuple[list[torch.Tensor], list[torch.Tensor]]]


def _nnsight(eager: Any) -> Peer:
    from nnsight import NNsight

    wrapped = NNsight(eager)

    def peer(ids: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        with torch.inference_mode(), wrapped.trace(ids):
            attention: Any = [].save()  # type: ignore[attr-defined]
            hidden: Any = [].save()  # type: ignore[attr-defined]
            for layer in wrapped.model.layers:
                attention.append(layer.self_attn.output[1].mean(1))
                hidden.append(layer.output)
        return hidden, attention

    return peer


def _transformer_lens(lm: LanguageModel, eager: Any) -> Peer:
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(
        str(DATA / "models" / "llama-a"), hf_model=eager, tokenizer=lm.tokenizer, device="cpu"
    )
    wanted = [
        f"blocks.{i}.{name}" for i in range(lm.layers) for name in ("hook_resid_post", "attn.hook_pattern")
    ]
    keep = frozenset(wanted)

    def peer(ids: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        with torch.inference_mode():
            _, cache = bridge.run_with_cache(ids, names_filter=lambda name: name in keep)
        hidden = [cache[wanted[2 * i]] for i in range(lm.layers)]
        return hidden, [cache[wanted[2 * i + 1]].mean(1) for i in range(lm.layers)]

    return peer


class Stored(torch.nn.Module):
    """A model whose layers give back states that are there already: what is timed is CKA alone."""

    def __init__(self, states: torch.Tensor) -> None:
        super().__init__()
        self.states = states
        self.layers = torch.nn.ModuleList(torch.nn.Identity() for _ in states)

    def forward(self, index: torch.Tensor) -> torch.Tensor:
        for layer, values in zip(self.layers, self.states, strict=True):
            last = layer(values[index])
        return torch.as_tensor(last)


def similarity() -> Figures:
    """HSIC₁ CKA of every pair of layers on one batch of examples."""
    rng = np.random.default_rng(0)
    states = torch.from_numpy(rng.normal(size=(LAYERS, EXAMPLES, WIDTH)).cumsum(0)).float()
    told: Figures = {"examples": EXAMPLES, "layers": LAYERS, "width": WIDTH}
    own = _all_pairs(states)
    works: dict[str, Work] = {"mspgt": lambda: _all_pairs(states)}
    for name, peer in {"torch_cka": _torch_cka(states), "pytorch-cka": _pytorch_cka(states)}.items():
        told[f"largest difference, {name}"] = float(np.nanmax(np.abs(peer() - own)))
        works[name] = peer
    return told | ratios(in_turn(works, 3), "mspgt")


def _all_pairs(states: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Every pair once: CKA does not depend on the order."""
    layers = states.numpy()
    found = np.eye(len(layers))
    for i, j in zip(*np.triu_indices(len(layers), 1), strict=True):
        found[i, j] = found[j, i] = cka(layers[i], layers[j])
    return found


def _torch_cka(states: torch.Tensor) -> Work:
    from torch.utils.data import DataLoader, TensorDataset
    from torch_cka import CKA

    index = torch.arange(states.shape[1])
    loader = DataLoader(TensorDataset(index, index), batch_size=states.shape[1])
    names = [f"layers.{i}" for i in range(len(states))]

    def peer() -> Any:
        one = CKA(Stored(states), Stored(states), model1_layers=names, model2_layers=names, device="cpu")
        one.compare(loader)
        return one.export()["CKA"].numpy()

    return peer


def _pytorch_cka(states: torch.Tensor) -> Work:
    from cka import cka_from_features

    return lambda: cka_from_features(states, states).numpy()


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
    main()
