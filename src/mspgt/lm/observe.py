"""One forward pass, seen from inside: the residual stream and the mean attention map of every layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mspgt.errors import ModelError, NumericsError
from mspgt.lm.attention import Maps, Queries, seen_through_hooks, seen_through_interface
from mspgt.lm.blocks import residual_hooks
from mspgt.lm.memory import not_mapped

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel
    from mspgt.lm.tokenize import Batch


@dataclass
class Observation:
    """What one forward pass showed, as inference tensors: clone them before autograd.

    hidden: L + 1 tensors (B, T, d) in the model's dtype; 0 is the embedding output (the input of block 1),
        l = 1..L the raw residual stream after block l, before any final norm. On a model split over devices
        each stays where its block is. Rows of padding hold values without meaning.
    attention: (L, B, T, T) float32, mean over heads; query rows of padding are zero. None when not asked for,
        or when the model shows no attention (`lm.no_attention` says why).
    apart: with `verify=True`, the largest relative difference, token by token, between the output of the model's own
        attention and the one that the maps give; None where the model shows its maps only afterwards.
    """

    hidden: list[Tensor]
    attention: Tensor | None
    apart: float | None = None


def observe(
    lm: LanguageModel,
    batch: Batch,
    *,
    attention: bool = True,
    on_heads: Callable[[int, Tensor], None] | None = None,
    verify: bool = False,
) -> Observation:
    """Run the model once over `batch` without gradients, logits or cache; padding may stand on either side.

    Attention is reduced to its mean over heads inside the forward pass, a run of queries at a time.
    `on_heads(layer, weights)` sees the maps by head, (B, H, T, T) float32 with padded query rows not zeroed, and
    reduces them on the spot. `verify` holds them against what the model's own attention returns. None of this changes
    what the model computes.
    Raises NumericsError naming the first layer with NaN or infinity, ModelError when the model does not show
    what it showed when it was loaded.
    """
    depth = lm.layers
    ids, mask = batch.input_ids.to(lm.device), batch.attention_mask.to(lm.device)
    hidden: list[Tensor] = [ids] * (depth + 1)
    mean: Tensor | None = None
    seen = [0] * (depth + 1)
    inside = 0
    real, padded = mask.bool(), not bool(batch.attention_mask.all())
    queries = Queries(batch.attention_mask.bool().cpu(), real) if padded else None
    apart: list[float] = []

    def enter(layer: int, stream: Tensor) -> None:
        nonlocal inside
        inside = layer
        if layer == 1:
            hidden[0] = stream

    def leave(layer: int, stream: Tensor) -> None:
        nonlocal inside
        inside = 0
        hidden[layer] = stream

    def see(maps: Maps) -> None:
        nonlocal mean
        if inside == 0:
            return
        seen[inside] += 1
        if attention:
            if mean is None:
                mean = _zeros((depth, *ids.shape, ids.shape[1]), lm.device)
            maps.mean_into(mean[inside - 1], queries)
        if on_heads is not None:
            on_heads(inside, maps.by_head())

    def compare(maps: Maps, value: Tensor, output: Tensor) -> None:
        weights = maps.by_head()
        value = value.to(weights.dtype).repeat_interleave(weights.shape[1] // value.shape[1], dim=1)
        expected = torch.matmul(weights, value).transpose(1, 2).flatten(2)[real.to(output.device)]
        apart.append(deviation(expected, output.flatten(2)[real.to(output.device)]))

    wanted = (attention or on_heads is not None) and lm.has_attention
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        stack.enter_context(residual_hooks(lm.blocks, enter, leave))
        if wanted and lm.attention_route == "interface":
            stack.enter_context(seen_through_interface(see, compare if verify else None))
        elif wanted:
            stack.enter_context(seen_through_hooks(lm.model, lm.blocks, see))
        left = not bool(batch.attention_mask[:, 0].all())
        by_hooks = wanted and lm.attention_route == "hooks"
        residual_forward(lm.model, lm.blocks, ids, mask, maps=by_hooks, left_padded=left)
        _require_finite(lm.name, hidden, mask)
        if wanted and (reason := _unseen(seen[1:])):
            raise ModelError(f"Attention of {lm.name} cannot be measured: {reason}.")
    return Observation(hidden, mean, max(apart, default=None))


def _zeros(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """NumPy takes memory that the system has cleared, in large pages, and only as far as it is written to."""
    return (
        torch.from_numpy(np.zeros(shape, np.float32))
        if device.type == "cpu"
        else torch.zeros(shape, device=device)
    )


def deviation(one: Tensor, other: Tensor) -> float:
    """Largest relative difference of two streams (..., d), token by token in the Euclidean norm.

    By token, since one massive activation would hide the rest.
    """
    wide = torch.promote_types(torch.promote_types(one.dtype, other.dtype), torch.float32)
    one, other = one.to(wide), other.to(wide)
    return float(((one - other).norm(dim=-1) / one.norm(dim=-1).clamp_min(1e-30)).max())


def residual_forward(
    model: Any,
    blocks: Any,
    input_ids: Tensor,
    attention_mask: Tensor,
    maps: bool = False,
    left_padded: bool = False,
) -> None:
    """Run the model as far as the residual stream goes: without vocabulary logits and without a cache.

    Behind padding on the left positions are counted from the first token; a model that takes no positions (with
    ALiBi, or state-space) has them from the mask, or needs none.
    """
    inner = model.base_model
    runs = inner if any(module is blocks for module in inner.modules()) else model
    wishes: dict[str, Any] = {"use_cache": False, "logits_to_keep": 1}
    if maps:
        wishes["output_attentions"] = True
    if left_padded:
        wishes["position_ids"] = (attention_mask.cumsum(-1) - 1).clamp_min(0)
    known = inspect.signature(runs.forward).parameters
    wishes = {name: value for name, value in wishes.items() if name in known}
    try:
        runs(input_ids=input_ids, attention_mask=attention_mask, **wishes)
    except RuntimeError as error:
        if advice := not_mapped(error):
            raise ModelError(advice) from error
        raise


def _unseen(maps: list[int]) -> str:
    """What is wrong with the number of attention maps that each block showed; empty if nothing is."""
    if not any(maps):
        return "no block shows attention weights"
    if without := [block for block, count in enumerate(maps, start=1) if count == 0]:
        return f"blocks {without} show no attention weights, the others do"
    if several := [block for block, count in enumerate(maps, start=1) if count > 1]:
        return f"blocks {several} show more than one attention map"
    return ""


def _require_finite(name: str, hidden: list[Tensor], mask: Tensor) -> None:
    # A sum is one pass without a temporary; only when it is not finite is it worth looking closer.
    sums = torch.stack([layer.sum(dtype=torch.float32).to(mask.device) for layer in hidden])
    if bool(torch.isfinite(sums).all()):
        return
    for layer, stream in enumerate(hidden):
        real = stream[mask.to(stream.device).bool()]
        bad = ~torch.isfinite(real)
        if bool(bad.any()):
            where = "in the embedding" if layer == 0 else f"after block {layer}"
            raise NumericsError(
                f"Expected finite activations, found {int(bad.sum())} NaN or infinite values {where} of "
                f"{name} ({stream.dtype}). Load it with dtype='float32' or 'bfloat16', or check its weights."
            )
