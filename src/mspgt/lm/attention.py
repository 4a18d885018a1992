"""See attention maps inside the forward pass, one layer at a time, without keeping them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

OBSERVED = "mspgt_observed"

See = Callable[[Tensor], None]

_see: ContextVar[See | None] = ContextVar("mspgt_see_attention", default=None)


def observed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    position_bias: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Eager attention that hands its weights (B, H, T, T), float32, to the active observer and drops them.

    query (B, H, T, e), key and value (B, K, T, e) with H a multiple of K (grouped queries); `attention_mask`
    is additive (B, 1, T, T) and holds causality, padding and any sliding window. `softcap` as in Gemma 2;
    `s_aux` (H,) are learned attention sinks as in gpt-oss: they take weight, so that rows sum to less than
    one. Returns the output (B, T, H, e) and no weights.
    """
    batch, heads, length, width = query.shape
    groups, keys = key.shape[1:3]
    scaled = query * (width**-0.5 if scaling is None else scaling)
    # Queries of one group are stacked along time, so that keys and values need not be repeated.
    scores = torch.matmul(scaled.reshape(batch, groups, -1, width), key.transpose(-1, -2))
    # Softmax in float32 even where the model computes in less, so that rows sum to one.
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32)).view(batch, heads, length, keys)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    if position_bias is not None:
        scores += position_bias
    if attention_mask is not None:
        scores += attention_mask
    if s_aux is None:
        weights = torch.softmax(scores, dim=-1)
    else:
        sinks = s_aux.to(scores.dtype).view(1, -1, 1, 1).expand(batch, heads, length, 1)
        weights = torch.softmax(torch.cat([scores, sinks], dim=-1), dim=-1)[..., :-1]
    see = _see.get()
    if see is not None:
        see(weights)
    output = torch.matmul(weights.to(value.dtype).reshape(batch, groups, -1, keys), value)
    return output.view(batch, heads, length, -1).transpose(1, 2).contiguous(), None


AttentionInterface.register(OBSERVED, observed_attention)
AttentionMaskInterface.register(OBSERVED, eager_mask)


@contextmanager
def attention_implementation(model: Any, name: str) -> Iterator[None]:
    """Switch the model's attention function for the duration; the one before is restored on every exit."""
    config = model.config
    parts = {part: getattr(config, part, None) for part in config.sub_configs}
    before = {part: sub._attn_implementation for part, sub in parts.items() if sub is not None}
    before[""] = config._attn_implementation

    def switch(to: str | dict[str, str]) -> None:
        if model._can_set_attn_implementation():
            model.set_attn_implementation(to)
        else:
            # Falcon reads this at every pass, although it says that it cannot be switched.
            config._attn_implementation = to

    try:
        switch(name)
        yield
    finally:
        switch(before)


@contextmanager
def seen_through_interface(model: Any, see: See) -> Iterator[None]:
    """Hand every attention map computed inside to `see`, through the registered attention function."""
    token = _see.set(see)
    try:
        with attention_implementation(model, OBSERVED):
            yield
    finally:
        _see.reset(token)


@contextmanager
def seen_through_hooks(model: Any, blocks: nn.ModuleList, see: See) -> Iterator[None]:
    """The same for models outside the interface: hooks on the modules that return `(output, ..., weights)`.

    The forward pass must be asked for `output_attentions=True`. Weights are known by their shape
    (B, H, T, T); once seen they are replaced by an empty tensor, so that the model does not collect them over
    the layers and a wrapper around the attention module does not show them a second time.
    """

    def after(_: nn.Module, __: Any, output: Any) -> Any:
        if not isinstance(output, tuple):
            return None
        kept = list(output)
        for place, weights in enumerate(output[1:], start=1):
            if isinstance(weights, Tensor) and weights.dim() == 4 and weights.shape[-1] == weights.shape[-2]:
                see(weights.float())
                kept[place] = weights.new_empty(0)
        return tuple(kept)

    handles: list[Any] = []
    try:
        for block in blocks:
            inside = (module for module in block.modules() if module is not block)
            handles.extend(module.register_forward_hook(after) for module in inside)
        with attention_implementation(model, "eager"):
            yield
    finally:
        for handle in handles:
            handle.remove()
