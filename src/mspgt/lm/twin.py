"""The random twin: what the same architecture shows before it has learned anything."""

from __future__ import annotations

import copy
import dataclasses
import hashlib

import torch

from mspgt.errors import ModelError
from mspgt.lm.blocks import find_blocks, path_of
from mspgt.lm.model import LanguageModel
from mspgt.lm.offload import kept_away


def random_twin(lm: LanguageModel, seed: int) -> LanguageModel:
    """The same config and tokenizer with fresh weights, drawn from `seed` as the architecture draws its own.

    Drawn in float32 on the CPU and then brought to the type and device of `lm`, so that it is the same
    everywhere. The global random state is left as it was.
    Raises ModelError where weights of `lm` lie on disk: a twin is made in memory.
    """
    # A model whose weights were let go of, to make room for its twin, has no map of devices.
    if getattr(lm.model, "hf_device_map", None) is not None and kept_away(lm.model):
        raise ModelError(
            f"{lm.name}: a random twin is made in memory, where this model does not fit. Set twins.seeds to 0."
        )
    config = copy.deepcopy(lm.model.config)
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        model = type(lm.model)._from_config(config, dtype=torch.float32)
    model = model.to(device=lm.device, dtype=lm.dtype).eval()
    digest = hashlib.sha256(f"{config.to_json_string(use_diff=False)} random {seed}".encode()).hexdigest()
    return dataclasses.replace(
        lm,
        name=f"{lm.name}-random-{seed}",
        model=model,
        blocks=find_blocks(model, path_of(lm.model, lm.blocks)),
        revision=f"random-{digest[:12]}",
        weights_sha256=digest,
        notes=[*lm.notes, f"untrained: initialised from seed {seed}"],
    )
