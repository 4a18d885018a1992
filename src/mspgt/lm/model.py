"""What a loaded model is to everything that measures it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerFast

NO_LIMIT = 10**9  # of a model whose context has no end


@dataclass(eq=False)
class LanguageModel:
    """A causal language model ready to be measured.

    name: Hub id or folder name. family: config.model_type.
    blocks: the L residual blocks; the input of the first is layer 0. width: d of the residual stream.
    heads: attention heads, None without. parameters: counted once when shared.
    revision: commit on the Hub, or "local-" and the start of the hash.
    weights_sha256: hash of every file of a folder that can change a result; for a Hub model the commit.
    max_length: tokens that fit the context, NO_LIMIT without one. device: where input goes.
    attention_route: how attention is seen; None if the model shows none, for the reason in `no_attention`.
    notes: what a reader of the results should know about how the model was loaded.
    """

    name: str
    family: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    blocks: nn.ModuleList
    layers: int
    width: int
    heads: int | None
    parameters: int
    revision: str
    weights_sha256: str
    max_length: int
    device: torch.device
    dtype: torch.dtype
    attention_route: Literal["interface", "hooks"] | None = None
    no_attention: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def has_attention(self) -> bool:
        return self.attention_route is not None
