"""Load a causal language model from the Hub or a folder, and refuse one that would be measured wrongly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
)

from mspgt.errors import InputError, MissingExtraError, ModelError
from mspgt.lm.blocks import find_blocks, layer_of, path_of
from mspgt.lm.gguf_file import dequantised, gguf_path, note, read_gguf
from mspgt.lm.hub import commit_of, offline, reachable
from mspgt.lm.identity import CONTEXT, folder_sha256, parameter_counts, refuse_impossible
from mspgt.lm.memory import require_memory
from mspgt.lm.model import NO_LIMIT, LanguageModel
from mspgt.lm.offload import each_weight, input_device, kept_away, own_weights, placement
from mspgt.lm.probe import probe

DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float64": torch.float64,
}
# What transformers raises for folders, configs, weights and tokenizers that it cannot use.
LOAD_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    ImportError,
    SafetensorError,
    StrictDataclassError,
)


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
    """
    wanted_dtype = _dtype(dtype)
    file = gguf_path(model)
    packed = None if file is None else read_gguf(file)
    folder = _folder(model if file is None else file.parent)
    if folder and revision:
        raise InputError(
            f"A revision ({revision!r}) needs a Hub id; {folder.name!r} is a folder. Leave it out."
        )
    source: dict[str, Any] = {"trust_remote_code": trust_remote_code}
    source |= {"local_files_only": True} if folder else {"revision": revision}
    if file is not None:
        source["gguf_file"] = file.name
    if folder is None and not reachable():
        source["local_files_only"] = (
            True  # what the cache holds; the Hub's client would wait a minute to say no
        )
    path = str(folder) if folder else str(model)
    name = file.name if file is not None else folder.name if folder else path
    notes: list[str] = [] if packed is None else [note(packed)]
    unpacked = {} if packed is None else dequantised()
    if packed is not None and wanted_dtype is None:
        wanted_dtype = torch.float32  # what the packed values are exact in

    if folder:
        refuse_impossible(folder)
    commit = ""
    if folder is None:  # one commit for all that is read, whatever is pushed meanwhile
        kept = "local_files_only" in source
        commit = source["revision"] = _reading(
            name, "config", lambda: commit_of(path, revision, kept), hub=True
        )
    config = _reading(name, "config", lambda: AutoConfig.from_pretrained(path, **source), hub=folder is None)
    tokenizer = _tokenizer(name, path, source, notes)
    target = _device(device)
    if packed is not None and memory is not None:
        raise InputError(
            f"{name}: a .gguf file is unpacked whole, so that `memory` cannot bound it. Leave it out."
        )
    placed = placement(device_map, memory, offload, target)
    source |= placed
    if not placed and target.type == "cpu":
        held = (
            packed.parameters if packed else sum(parameter_counts(folder).values()) if folder else 0
        )  # of a Hub model nothing is known before it is fetched
        require_memory(name, held, _computed(wanted_dtype, config))
    loaded, info = _reading(
        name,
        "weights",
        lambda: AutoModelForCausalLM.from_pretrained(
            path,
            config=config,
            dtype=wanted_dtype or "auto",
            use_safetensors=None if allow_pickle else True,
            # Reported below, with names, instead of raised without.
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **source,
            **unpacked,
        ),
    )
    if not placed:
        loaded = loaded.to(target)
        if wanted_dtype is None and target.type == "cpu" and loaded.dtype == torch.float16:
            loaded = loaded.float()
            notes.append(
                "float16 checkpoint computed in float32: half precision on a CPU is slow and overflows"
            )
    loaded = loaded.eval()
    found = find_blocks(loaded, blocks)
    blocks_path = path_of(loaded, found)
    _require_complete(name, info, blocks_path, len(found), notes)
    _require_finite_weights(name, loaded, blocks_path)

    if away := kept_away(loaded):
        notes.append(f"{away / 2**30:.1f} GB of weights are read from disk in every pass")

    text = config.get_text_config()
    digest = packed.digest if packed else folder_sha256(folder) if folder else commit
    if packed is not None and hasattr(loaded.config, "quantization_config"):
        del loaded.config.quantization_config  # the weights are plain by now, and a twin's are too
    lm = LanguageModel(
        name=name,
        family=config.model_type,
        model=loaded,
        tokenizer=tokenizer,
        blocks=found,
        layers=len(found),
        width=text.hidden_size,
        heads=getattr(text, "num_attention_heads", None),
        parameters=sum(weights.numel() for _, weights in own_weights(loaded)),
        revision=f"local-{digest[:12]}" if folder else digest,
        weights_sha256=digest,
        max_length=_max_length(text, tokenizer, notes),
        device=input_device(loaded),
        dtype=loaded.dtype,
        notes=notes,
    )
    _require_vocabulary(lm)
    probe(lm)
    return lm


def _reading(name: str, what: str, read: Any, *, hub: bool = False) -> Any:
    try:
        return read()
    except LOAD_ERRORS as error:
        detail = "".join(c if c.isprintable() else " " for c in f"{type(error).__name__}: {error}")
        if "offload_folder" in detail:
            raise ModelError(
                f"{name!r} does not fit, and weights of it must be written anew before they can be read from disk. "
                "Name a folder with room for the whole model: `offload` beside the model's `id`, or --offload."
            ) from error
        if "accelerate" in detail and isinstance(error, ValueError | ImportError):
            raise MissingExtraError("device_map needs accelerate: pip install accelerate.") from error
        if hub and not reachable():
            raise ModelError(offline(name)) from error
        raise ModelError(
            f"Could not read the {what} of model {name!r}: {detail[:600]}\n{_NEXT[what]}"
        ) from error


_NEXT = {
    "config": "Expected a Hub id, or a folder with config.json of a model that transformers knows.",
    "tokenizer": "Expected tokenizer.json beside the model.",
    "weights": "Expected a causal language model in complete .safetensors files. Download it again if a file "
    "is cut short. For .bin files from a source you trust: `allow_pickle: true` beside the model's `id` in a study, "
    "or allow_pickle=True in Python.",
}


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


def _folder(model: str | Path) -> Path | None:
    """The local folder that `model` names, or None for a Hub id."""
    try:
        path = Path(model).expanduser().resolve()
        if path.is_dir():
            return path
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"Model {str(model)[:200]!r} is no readable folder.") from error
    hub_id = r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?"
    if isinstance(model, Path) or not re.fullmatch(hub_id, model, re.ASCII) or ".." in model:
        raise ModelError(
            f"Model {str(model)[:200]!r}: there is no such folder, and it is no Hub id ('org/model'). "
            "Check the path; a model folder holds config.json, tokenizer.json and .safetensors files."
        )
    return None


def _tokenizer(name: str, path: str, source: dict[str, Any], notes: list[str]) -> Any:
    tokenizer = _reading(
        name, "tokenizer", lambda: AutoTokenizer.from_pretrained(path, use_fast=True, **source)
    )
    if not tokenizer.is_fast:
        raise ModelError(
            f"Model {name!r} has only a slow tokenizer, without the character offsets that words need. "
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


def _require_vocabulary(lm: LanguageModel) -> None:
    rows = lm.model.get_input_embeddings().weight.shape[0]
    ids = lm.tokenizer("A test, 1 2.")["input_ids"]
    if not ids or max(ids) >= rows:
        raise ModelError(
            f"The tokenizer of {lm.name!r} does not belong to the model: 'A test, 1 2.' becomes {ids[:20]}, "
            f"the embedding has {rows} rows. Put the model's own tokenizer.json beside it."
        )


def _max_length(text: Any, tokenizer: Any, notes: list[str]) -> int:
    for key in CONTEXT:
        if isinstance(limit := getattr(text, key, None), int) and limit > 0:
            return limit
    if tokenizer.model_max_length < NO_LIMIT:
        return int(tokenizer.model_max_length)
    notes.append("the config names no context length")
    return NO_LIMIT


def _require_complete(
    name: str, info: dict[str, Any], blocks_path: str, depth: int, notes: list[str]
) -> None:
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


def _require_finite_weights(name: str, model: PreTrainedModel, blocks_path: str) -> None:
    for key, weights in each_weight(model):
        if not weights.is_floating_point():
            continue
        if not bool(torch.isfinite(weights).all()):
            raise ModelError(
                f"Weights of {name!r} hold NaN or infinity: {key} ({layer_of(key, blocks_path)}). "
                "Download it again, or load it with dtype='float32' if a narrower type was asked for."
            )
