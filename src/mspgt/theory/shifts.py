"""Add something to the residual stream after chosen blocks: noise, or a zero that collects a gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mspgt.lm.blocks import block_output
from mspgt.lm.model import LanguageModel
from mspgt.lm.tokenize import Batch


@contextmanager
def shifted(blocks: nn.ModuleList, shifts: Mapping[int, Tensor]) -> Iterator[None]:
    """Add `shifts[l]`, (B, T, d), to the output of block l = 1..L; removed on every exit."""

    def adding(shift: Tensor) -> Any:
        def after(_: nn.Module, __: Any, output: Any) -> Any:
            stream = block_output(output)
            moved = stream + shift.to(stream.device, stream.dtype)
            return (moved, *output[1:]) if isinstance(output, tuple) else moved

        return after

    handles = [
        blocks[layer - 1].register_forward_hook(adding(shift)) for layer, shift in sorted(shifts.items())
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """No gradient for any weight, so that a backward pass costs activations only; restored on every exit."""
    trained = [weights for weights in model.parameters() if weights.requires_grad]
    for weights in trained:
        weights.requires_grad_(False)
    try:
        yield
    finally:
        for weights in trained:
            weights.requires_grad_(True)


def logits_of(lm: LanguageModel, batch: Batch) -> Tensor:
    """Next-token logits (B, T, V) in float32 or wider, with a gradient where one is wanted."""
    ids, mask = batch.input_ids.to(lm.device), batch.attention_mask.to(lm.device)
    logits = lm.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
