"""What a block's norm does to the residual stream that it reads, found by watching and asking the modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mspgt.lm.observe import residual_forward
from mspgt.lm.offload import computing_device

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel


@dataclass(frozen=True)
class ReadingNorms:
    """How the residual stream after each layer is read next.

    `subtracts_mean`: True where the norms are LayerNorms, which remove a token's mean before they scale it.
    `gains` (layers+1, width) float32: row l is the gain of the first norm that reads H[l] (the final norm's at L);
    a row of NaN where nothing but the block itself reads the stream, as in models that normalise afterwards.
    `missing`: the layers of those rows.
    """

    subtracts_mean: bool
    gains: Tensor
    missing: tuple[int, ...]


def reading_norms(lm: LanguageModel) -> ReadingNorms:
    """Watch one pass over a few tokens: which norm reads the stream before each block, and after the last.

    A norm is a module with one weight for each of the `width` dimensions. Its gain and whether it removes the mean
    are read off its outputs for a known input, so that no class need be known (Gemma adds 1 to its weights).
    """
    found: dict[int, nn.Module] = {}
    stream: dict[int, Tensor] = {}
    norms = [module for module in lm.model.modules() if _is_norm(module, lm.width)]

    def enter(layer: int, x: Tensor) -> None:
        stream.clear()
        stream[layer - 1] = x

    def leave(layer: int, x: Tensor) -> None:
        stream.clear()
        stream[layer] = x

    def reads(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        x = args[0] if args else kwargs.get("hidden_states", kwargs.get("x"))
        for layer, seen in stream.items():
            if (
                layer not in found
                and isinstance(x, Tensor)
                and x.shape == seen.shape
                and torch.equal(x, seen)
            ):
                found[layer] = module

    from mspgt.lm.blocks import residual_hooks

    handles = [norm.register_forward_pre_hook(reads, with_kwargs=True) for norm in norms]
    count = min(8, lm.max_length, lm.model.get_input_embeddings().weight.shape[0])
    ids = torch.arange(count, device=lm.device)[None]
    try:
        with torch.inference_mode(), residual_hooks(lm.blocks, enter, leave):
            residual_forward(lm.model, lm.blocks, ids, torch.ones_like(ids))
    finally:
        for handle in handles:
            handle.remove()
    gains = torch.full((lm.layers + 1, lm.width), torch.nan)
    for layer, module in found.items():
        gains[layer] = _gain(module, lm.width)
    asked = list(found.values()) or norms
    shifts = [_subtracts_mean(module, lm.width) for module in asked]
    return ReadingNorms(
        subtracts_mean=2 * sum(shifts) > len(shifts),
        gains=gains,
        missing=tuple(layer for layer in range(lm.layers + 1) if layer not in found),
    )


def _is_norm(module: nn.Module, width: int) -> bool:
    weight = getattr(module, "weight", None)
    return (
        isinstance(weight, Tensor)
        and tuple(weight.shape) == (width,)
        and "norm" in type(module).__name__.lower()
    )


def _ask(module: nn.Module, x: Tensor) -> Tensor:
    weight = module.weight
    assert isinstance(weight, Tensor)
    with torch.inference_mode():
        return module(x.to(computing_device(module), weight.dtype)[None, None]).float().cpu()[0, 0]


def _subtracts_mean(module: nn.Module, width: int) -> bool:
    x = _alternating(width)
    plain, raised = _ask(module, x), _ask(module, x + 1)
    return bool((plain - raised).abs().max() < 0.1 * (plain - plain.mean()).abs().max())


def _gain(module: nn.Module, width: int) -> Tensor:
    x = _alternating(width)
    known = x - x.mean() if _subtracts_mean(module, width) else x
    known = known / known.square().mean().sqrt()
    return (_ask(module, x) - _ask(module, -x)) / (2 * known)  # the bias cancels


def _alternating(width: int) -> Tensor:
    return 1.0 - 2.0 * (torch.arange(width) % 2)
