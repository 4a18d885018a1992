"""Load a causal language model from the Hub or a folder, and refuse one that would be measured wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from mspgt.errors import InputError, ModelError
from mspgt.lm.blocks import find_blocks, path_of
from mspgt.lm.gguf_file import dequantised, note
from mspgt.lm.identity import CONTEXT
from mspgt.lm.intact import require_complete, require_finite_weights, require_vocabulary
from mspgt.lm.memory import require_memory
from mspgt.lm.model import NO_LIMIT, LanguageModel
from mspgt.lm.offload import input_device, kept_away, own_weights, placement
from mspgt.lm.origin import Origin, origin_of
from mspgt.lm.probe import probe

DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float64": torch.float64,
}


def load(
    model: str | Path,
    *,
    revision: str | None = None,
    dtype: str = "auto",
    device: str | torch.device | None = None,
    device_map: str | dict[str, Any] | None = None,
    memory: str | None = None,
    offload: str | Path | None = None,
    trust_remote_code: bool = False,
    allow_pickle: bool = False,
    blocks: str | None = None,
) -> LanguageModel:
    """Load `model`, a folder or a Hub id; the network is used only when there is no such folder.

    dtype "auto" keeps the checkpoint's own, except that float16 computes in float32 on a CPU, where half
    precision is slow and overflows. device: the first GPU if there is one, else the CPU; device_map as in
    transformers (needs accelerate). memory: of the machine, that weights may take ("3GB"); the rest is read from
    disk in every pass, and `offload` is a folder for weights that must be written anew for it. Weights come from
    safetensors unless `allow_pickle`; `blocks` names the list of blocks for odd models.

    Raises ModelError for anything that cannot be measured faithfully: unreadable, incomplete or non-finite
    weights, more than memory holds, layers in the checkpoint that the config leaves out, no fast tokenizer, not
    causal. NumericsError if already a few tokens overflow; InputError for a dtype, device or revision that cannot be.

    Example:
        >>> from mspgt.zoo.bundled import path
        >>> lm = load(path("triscale-llama-1"))
        >>> lm.name, lm.layers, lm.width
        ('triscale-llama-1', 24, 64)
    """
    wanted = _dtype(dtype)
    origin = origin_of(model, revision, trust_remote_code)
    notes: list[str] = [] if origin.packed is None else [note(origin.packed)]
    if origin.packed is not None and wanted is None:
        wanted = torch.float32  # what the packed values are exact in
    config = origin.read("config", AutoConfig.from_pretrained)
    tokenizer = _tokenizer(origin, notes)
    target = _device(device)
    if origin.packed is not None and memory is not None:
        raise InputError(
            f"{origin.name}: a .gguf file is unpacked whole, so that `memory` cannot bound it. Leave it out."
        )
    placed = placement(device_map, memory, offload, target)
    if not placed and target.type == "cpu":
        require_memory(origin.name, origin.parameters(), _computed(wanted, config))
    # What has no place in the model, or none in the files, is told below, with names.
    loaded, info = origin.read(
        "weights", AutoModelForCausalLM.from_pretrained, config=config, dtype=wanted or "auto",
        use_safetensors=None if allow_pickle else True, ignore_mismatched_sizes=True, output_loading_info=True,
        **placed, **({} if origin.packed is None else dequantised()),
    )  # fmt: skip
    if not placed:
        loaded = _moved(loaded, target, wanted, notes)
    found = find_blocks(loaded.eval(), blocks)
    require_complete(origin.name, info, path_of(loaded, found), len(found), notes)
    require_finite_weights(origin.name, loaded, path_of(loaded, found))
    if away := kept_away(loaded):
        notes.append(f"{away / 2**30:.1f} GB of weights are read from disk in every pass")
    lm = _described(origin, config, loaded, found, tokenizer, notes)
    require_vocabulary(lm)
    probe(lm)
    return lm


def _moved(
    loaded: PreTrainedModel, target: torch.device, wanted: torch.dtype | None, notes: list[str]
) -> PreTrainedModel:
    """The whole model on one device; float16 that nobody asked for becomes float32 on a CPU."""
    loaded = loaded.to(target)
    if wanted is None and target.type == "cpu" and loaded.dtype == torch.float16:
        notes.append("float16 checkpoint computed in float32: half precision on a CPU is slow and overflows")
        return loaded.float()
    return loaded


def _described(
    origin: Origin, config: Any, loaded: PreTrainedModel, found: Any, tokenizer: Any, notes: list[str]
) -> LanguageModel:
    """A loaded model with what is asked of it later on."""
    digest = origin.digest()
    if origin.packed is not None and hasattr(loaded.config, "quantization_config"):
        del loaded.config.quantization_config  # the weights are plain by now, and a twin's are too
    text = config.get_text_config()
    return LanguageModel(
        name=origin.name,
        family=config.model_type,
        model=loaded,
        tokenizer=tokenizer,
        blocks=found,
        layers=len(found),
        width=text.hidden_size,
        heads=getattr(text, "num_attention_heads", None),
        parameters=sum(weights.numel() for _, weights in own_weights(loaded)),
        revision=digest if origin.folder is None else f"local-{digest[:12]}",
        weights_sha256=digest,
        max_length=_max_length(text, tokenizer, notes),
        device=input_device(loaded),
        dtype=loaded.dtype,
        notes=notes,
    )


def _dtype(dtype: str) -> torch.dtype | None:
    if dtype == "auto":
        return None
    if dtype not in DTYPES:
        raise InputError(f"Expected dtype auto, {', '.join(DTYPES)}; found {dtype!r}.")
    return DTYPES[dtype]


def _computed(wanted: torch.dtype | None, config: Any) -> str:
    """The type that a model computes in on a CPU."""
    own = getattr(config.get_text_config(), "dtype", None) or getattr(config, "dtype", None)
    found = wanted or own or torch.float32
    return "float32" if wanted is None and found == torch.float16 else str(found).removeprefix("torch.")


def _device(device: str | torch.device | None) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        target = torch.device(device)
        torch.empty(0, device=target)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"Device {str(device)!r} cannot be used here: {error}. Try device='cpu'.") from error
    return target


def _tokenizer(origin: Origin, notes: list[str]) -> Any:
    tokenizer = origin.read("tokenizer", AutoTokenizer.from_pretrained, use_fast=True)
    if not tokenizer.is_fast:
        raise ModelError(
            f"Model {origin.name!r} has only a slow tokenizer, without the character offsets that words need. "
            "Convert it (tokenizer.json) or choose a model that has a fast one."
        )
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token is not None:
            tokenizer.pad_token = tokenizer.eos_token
        else:
            tokenizer.pad_token = tokenizer.convert_ids_to_tokens(0)
        notes.append(f"no padding token: {tokenizer.pad_token!r} pads, always behind the attention mask")
    if tokenizer.bos_token_id is None:
        notes.append("the tokenizer has no beginning-of-sequence token")
    return tokenizer


def _max_length(text: Any, tokenizer: Any, notes: list[str]) -> int:
    for key in CONTEXT:
        if isinstance(limit := getattr(text, key, None), int) and limit > 0:
            return limit
    if tokenizer.model_max_length < NO_LIMIT:
        return int(tokenizer.model_max_length)
    notes.append("the config names no context length")
    return NO_LIMIT
