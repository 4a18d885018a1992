"""Whether a loaded model is all that its files say, and nothing that its config makes up."""

from __future__ import annotations

import re
from typing import Any

import torch
from transformers import PreTrainedModel

from mspgt.errors import ModelError
from mspgt.lm.blocks import layer_of
from mspgt.lm.model import LanguageModel
from mspgt.lm.offload import each_weight

_AT_ONCE = 2**22  # weights


def require_complete(name: str, info: dict[str, Any], blocks_path: str, depth: int, notes: list[str]) -> None:
    """Refuse tensors that would be random, and blocks that the config leaves out; tensors too many are noted.

    Args:
        info: what `from_pretrained` says of how it loaded.
        depth: blocks of the model.

    Raises:
        ModelError: tensors are missing, have another shape, or belong to blocks beyond `depth`.
    """
    missing = sorted(info["missing_keys"])
    missing += [f"{key} (shape {tuple(found)})" for key, found, _ in sorted(info["mismatched_keys"])]
    if missing:
        raise ModelError(
            f"{len(missing)} tensors of {name!r} are missing or have another shape than its config says, and "
            f"would become random numbers: {_some(missing)}. Download it again, or correct its config."
        )
    surplus = sorted(info["unexpected_keys"])
    if beyond := [key for key in surplus if _block_index(key, blocks_path) >= depth]:
        raise ModelError(
            f"The checkpoint of {name!r} holds tensors of blocks that its config leaves out: "
            f"{_some(beyond)}. Correct num_hidden_layers in config.json."
        )
    if surplus:
        notes.append(f"{len(surplus)} tensors of the checkpoint have no place in the model: {_some(surplus)}")


def _block_index(key: str, blocks_path: str) -> int:
    """The block that a checkpoint key belongs to, from 0, or -1; checkpoints may leave out leading names."""
    found = re.match(r"(.+?)\.(\d+)\.", key)
    if found and (blocks_path.endswith(found[1]) or found[1].endswith(blocks_path)):
        return int(found[2])
    return -1


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def require_finite_weights(name: str, model: PreTrainedModel, blocks_path: str) -> None:
    """Raises ModelError, naming the first weight that holds NaN or infinity."""
    for key, weights in each_weight(model):
        if not weights.is_floating_point():
            continue
        # Looked at whole, the vectors of a vocabulary take twice their own memory once more.
        if not all(bool(torch.isfinite(part).all()) for part in weights.reshape(-1).split(_AT_ONCE)):
            raise ModelError(
                f"Weights of {name!r} hold NaN or infinity: {key} ({layer_of(key, blocks_path)}). "
                "Download it again, or load it with dtype='float32' if a narrower type was asked for."
            )


def require_vocabulary(lm: LanguageModel) -> None:
    """Raises ModelError where the tokenizer gives ids that the embedding has no row for."""
    rows = lm.model.get_input_embeddings().weight.shape[0]
    ids = lm.tokenizer("A test, 1 2.")["input_ids"]
    if not ids or max(ids) >= rows:
        raise ModelError(
            f"The tokenizer of {lm.name!r} does not belong to the model: 'A test, 1 2.' becomes {ids[:20]}, "
            f"the embedding has {rows} rows. Put the model's own tokenizer.json beside it."
        )
