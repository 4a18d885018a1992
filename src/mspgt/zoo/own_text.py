"""A family of tiny models on a user's own text: two architectures, several runs each, one vocabulary."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from mspgt.errors import InputError
from mspgt.text.corpus import load_corpus
from mspgt.vocabulary import Progress
from mspgt.zoo.architecture import build
from mspgt.zoo.bundled import write_model
from mspgt.zoo.fitting import fit
from mspgt.zoo.recipes import Recipe
from mspgt.zoo.vocabulary import BOS, SPECIAL, learn_tokenizer

MOST_PASSES = 50
HELD_OUT_EVERY = 20


def train_corpus(
    files: Sequence[Path],
    out: Path,
    *,
    name: str = "own",
    runs: int = 3,
    vocabulary: int = 2048,
    settings: Recipe | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> list[Path]:
    """Train `runs` Llamas and as many Qwen2s on the text of `files`; returns the model folders under `out`.

    `settings` gives sizes, steps and rates (its architecture, seed and heads of keys are set for each run).
    Every twentieth document is held out; its bits a token stand on each model's card. Killed, the same call
    goes on. Raises InputError for text that would have to be read more than 50 times, or that the tokenizer
    does not give back unchanged.
    """
    base = settings or Recipe("llama", 1)
    texts = [" ".join(d.sentences) for file in files for d in load_corpus(file).documents]
    kept, held = _split(texts)
    out.mkdir(parents=True, exist_ok=True)
    folders = []
    for architecture, kv_heads in (("llama", base.heads), ("qwen2", max(1, base.heads // 2))):
        tokenizer = learn_tokenizer(kept, vocabulary, bos=architecture == "llama")
        _require_round_trip(tokenizer, texts)
        train_ids, held_ids = _ids(tokenizer, kept), _ids(tokenizer, held)
        _require_enough(train_ids, held_ids, base)
        for run in range(1, runs + 1):
            plan = dataclasses.replace(base, architecture=architecture, kv_heads=kv_heads, seed=run)
            folders.append(out / f"{name}-{architecture}-{run}")
            _train_run(plan, tokenizer, train_ids, held_ids, folders[-1], device, progress)
    return folders


def _split(texts: list[str]) -> tuple[list[str], list[str]]:
    if len(texts) < HELD_OUT_EVERY:
        raise InputError(
            f"training needs at least {HELD_OUT_EVERY} documents, so that one can be held out; found "
            f"{len(texts)}. Give more files, or mark documents in them"
        )
    held = texts[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]
    return [t for i, t in enumerate(texts) if i % HELD_OUT_EVERY != HELD_OUT_EVERY - 1], held


def _require_round_trip(tokenizer: Tokenizer, texts: list[str]) -> None:
    for text in texts:
        back = tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=True)
        if back != text:
            at = next((i for i, (a, b) in enumerate(zip(text, back, strict=False)) if a != b), len(back))
            raise InputError(
                f"the tokenizer does not give the text back: expected …{text[at : at + 30]!r}, got "
                f"…{back[at : at + 30]!r}; bring the files into Unicode normal form C and remove "
                f"{' and '.join(SPECIAL)} from them"
            )


def _require_enough(train_ids: np.ndarray, held_ids: np.ndarray, plan: Recipe) -> None:
    needed = plan.steps * plan.tokens_a_step // MOST_PASSES
    if len(train_ids) < needed or len(held_ids) <= plan.long_sequence:
        raise InputError(
            f"{plan.steps} steps of {plan.tokens_a_step} tokens need at least {needed} tokens to train on "
            f"(more than {MOST_PASSES} passes only memorise) and {plan.long_sequence + 1} held out; found "
            f"{len(train_ids)} and {len(held_ids)}. Give more text, or fewer steps"
        )


def _ids(tokenizer: Tokenizer, texts: list[str]) -> np.ndarray:
    encoded = tokenizer.encode_batch([text + "\n" for text in texts], add_special_tokens=False)
    return np.array([token for each in encoded for token in each.ids])


def _train_run(
    plan: Recipe,
    tokenizer: Tokenizer,
    train_ids: np.ndarray,
    held_ids: np.ndarray,
    folder: Path,
    device: str,
    progress: Progress | None,
) -> None:
    model = build(plan, tokenizer.get_vocab_size()).to(device)

    def loss_at(step: int) -> torch.Tensor:
        length = plan.length(step)
        rng = np.random.default_rng([plan.seed, step])
        starts = rng.integers(len(train_ids) - length + 1, size=plan.tokens_a_step // length)
        return _bits(model, plan, train_ids, starts, length)

    curve = fit(model, plan, loss_at, folder.with_suffix(".state"), progress=progress)
    model.half().float().eval()  # what is shipped is what is measured
    starts = np.arange(0, len(held_ids) - plan.long_sequence, plan.long_sequence)
    with torch.no_grad():
        parts = np.array_split(starts, -(-len(starts) // 16))
        bits = [_bits(model, plan, held_ids, part, plan.long_sequence).item() * len(part) for part in parts]
    facts = {"step": plan.steps, "held_out_bits_a_token": sum(bits) / len(starts), "curve": curve}
    write_model(folder, model.half(), tokenizer, plan, facts)


def _bits(
    model: PreTrainedModel, plan: Recipe, ids: np.ndarray, starts: np.ndarray, length: int
) -> torch.Tensor:
    """Cross-entropy in bits a token over windows of the text."""
    tokens = torch.from_numpy(ids[starts[:, None] + np.arange(length)]).to(model.device)
    if plan.bos:
        tokens[:, 0] = SPECIAL[BOS]
    logits = model(tokens, use_cache=False).logits[:, :-1].float()
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()) / math.log(2)
