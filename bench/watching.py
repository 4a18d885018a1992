"""Watching a pass: residual stream and mean attention of every layer, beside nnsight and TransformerLens."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bench.measuring import DATA, REAL
from bench.turns import REPEATS, Figures, Work, in_turn, ratios
from mspgt.errors import InputError
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import observe, residual_forward
from mspgt.lm.tokenize import Batch, batches
from mspgt.lm.wheel import weights_of
from mspgt.signals.tokens import read_corpus
from mspgt.text.corpus import load_corpus

SENTENCES, WINDOWS = 60, 8
REAL_WINDOWS, REAL_REPEATS = 3, 3  # of a model that takes a hundred times as long
Peer = Callable[[torch.Tensor], tuple[list[torch.Tensor], list[torch.Tensor]]]


def watching() -> Figures:
    """Of a model of 12 layers of 128."""
    return watched(DATA / "models" / "llama-a", WINDOWS, REPEATS)


def watching_real() -> Figures:
    """Of SmolLM2-135M."""
    try:
        real = load(weights_of(REAL), dtype="float32")
    except InputError as error:
        return {"not_measured": str(error)}
    with tempfile.TemporaryDirectory() as folder:
        # The package carries a file that not every peer reads.
        real.model.save_pretrained(folder)
        real.tokenizer.save_pretrained(folder)
        del real
        return watched(Path(folder), REAL_WINDOWS, REAL_REPEATS)


def windows_of(lm: LanguageModel, count: int) -> list[Batch]:
    """Windows of real text, one a batch, so that no peer has to be told of padding."""
    corpus = load_corpus(DATA / "wikitext" / "wiki.valid.raw", max_sentences=SENTENCES)
    tokens = read_corpus(lm, corpus, limit=512, seed=0)
    return list(batches(tokens.readings["calibrated"].sequences, max_tokens=1))[:count]


def watched(folder: Path, windows: int, repeats: int) -> Figures:
    """Residual stream and mean attention of every layer, kept as each side keeps them, over the same batches."""
    lm = load(folder, dtype="float32")
    parts = windows_of(lm, windows)
    plain = _eager(folder)
    # TransformerLens takes the model apart that it is given, so it has one of its own.
    peers = {"nnsight": _nnsight(plain), "TransformerLens": _transformer_lens(lm, folder, _eager(folder))}
    told: Figures = {
        "layers": lm.layers, "width": lm.width,
        "batches": len(parts), "tokens": sum(one.input_ids.numel() for one in parts),
    }  # fmt: skip
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
    return told | ratios(in_turn(works, repeats), "mspgt")


def _eager(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def _plain(model: Any, parts: list[Batch]) -> None:
    with torch.inference_mode():
        for part in parts:
            model.model(input_ids=part.input_ids, attention_mask=part.attention_mask, use_cache=False)


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


def _transformer_lens(lm: LanguageModel, folder: Path, eager: Any) -> Peer:
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(
        str(folder), hf_model=eager, tokenizer=lm.tokenizer, device="cpu"
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
