"""A model larger than memory: some weights stay on disk and are read, layer by layer, in every pass.

A checkpoint of .safetensors files is read where it lies. What the architecture stores otherwise than it computes with
(experts of a mixture), and .bin files, must first be written anew, into a folder that the user names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mspgt.errors import InputError, MissingExtraError
from mspgt.lm.memory import bytes_of, free_memory

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def placement(
    device_map: str | dict[str, Any] | None,
    memory: str | None,
    offload: str | Path | None,
    device: torch.device,
) -> dict[str, Any]:
    """What `from_pretrained` is told of where weights go; empty where the whole model goes to one device.

    Args:
        memory: of the machine, that weights may take ("3GB"); GPUs are filled first, disk holds what is left.
        offload: a folder for weights that have to be written anew before they can be read from disk.

    Raises:
        InputError: `memory` is no size, or beside a device_map that names the place of each layer itself.
        MissingExtraError: accelerate is not installed.
    """
    told: dict[str, Any] = {} if device_map is None else {"device_map": device_map}
    if memory is not None:
        if isinstance(device_map, dict):
            raise InputError("`memory` lets layers be placed; this device_map places them already. Give one.")
        try:
            from accelerate.utils import get_max_memory
        except ImportError as error:
            raise MissingExtraError("`memory` needs accelerate: pip install accelerate.") from error
        free = free_memory()
        held = bytes_of(memory) if free is None else min(bytes_of(memory), free)
        gpus = {} if device.type == "cpu" else {k: v for k, v in get_max_memory().items() if k != "cpu"}
        told = {"device_map": device_map or "auto", "max_memory": {**gpus, "cpu": held}}
    if offload is not None and told:
        told["offload_folder"] = str(Path(offload).expanduser())
    return told


def input_device(model: PreTrainedModel) -> torch.device:
    """Where input goes: where the embedding computes, which need not be where its weights lie."""
    embedding = model.get_input_embeddings()
    where = embedding.weight.device
    if where.type != "meta":
        return where
    return torch.device(embedding._hf_hook.execution_device)


def computing_device(module: nn.Module) -> torch.device:
    """Where a module with a weight computes."""
    where = module.weight.device
    assert isinstance(where, torch.device)
    # Of a weight on disk a hook brings the input to where it computes.
    return torch.device("cpu") if where.type == "meta" else where


def own_weights(model: PreTrainedModel) -> Iterator[tuple[str, nn.Parameter]]:
    """Every weight with its name, tied ones once: those on disk are no longer one object, but keep their names."""
    tied = getattr(model, "all_tied_weights_keys", {})
    return ((name, one) for name, one in model.named_parameters() if not (one.is_meta and name in tied))


def kept_away(model: PreTrainedModel) -> int:
    """Bytes of weights that are fetched when they are needed; 0 where all stay on the devices that compute."""
    return sum(weights.nbytes for _, weights in own_weights(model) if weights.is_meta)


def each_weight(model: PreTrainedModel) -> Iterator[tuple[str, Tensor]]:
    """Every weight with its name and values, one at a time; those that lie on disk are read from there."""
    from transformers.integrations.accelerate import load_offloaded_parameter

    for name, weights in own_weights(model):
        yield name, load_offloaded_parameter(model, name) if weights.is_meta else weights
