"""A model of half precision, run in float32 for a while: the weights of one block are widened at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mspgt.errors import ModelError
from mspgt.lm.model import LanguageModel

HALF = (torch.bfloat16, torch.float16)


def why_not_in_float32(lm: LanguageModel) -> str:
    """Why a model cannot be run in float32 beside its own type, in words; empty if it can."""
    if any(weights.is_meta for weights in lm.model.parameters()):
        return "some weights are kept away from the device that computes"
    if any(not weights.is_floating_point() for weights in lm.model.parameters()):
        return "the weights are packed in a type of their own"
    return ""


@contextmanager
def in_float32(lm: LanguageModel) -> Iterator[LanguageModel]:
    """The same model, computing in float32 inside; its weights, which float32 holds exactly, are as before after it.

    Constants that are no weights and were rounded when the model was loaded (Gemma's scale of embeddings) stay so.
    What stands outside the blocks is widened throughout, a block only while it runs: beyond the model it takes twice
    what one block and the embeddings take.
    Raises ModelError where that cannot be done.
    """
    if reason := why_not_in_float32(lm):
        raise ModelError(f"{lm.name} cannot be run in float32 beside {lm.dtype}: {reason}.")
    inside = {id(module) for module in lm.blocks.modules()}
    outside = [module for module in lm.model.modules() if id(module) not in inside]
    kept: dict[int, ExitStack] = {}

    def enter(block: nn.Module, _: Any) -> None:
        kept[id(block)] = ExitStack()
        kept[id(block)].enter_context(_widened(block.modules()))

    def leave(block: nn.Module, _: Any, __: Any) -> None:
        kept.pop(id(block)).close()

    with ExitStack() as stack:
        stack.enter_context(_widened(outside))
        for block in lm.blocks:
            stack.callback(block.register_forward_pre_hook(enter).remove)
            # Also where the block fails, so that nothing stays wide.
            stack.callback(block.register_forward_hook(leave, always_call=True).remove)
        yield dataclasses.replace(lm, dtype=torch.float32)


@contextmanager
def _widened(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Half-precision weights and buffers of these modules in float32; the very same tensors come back after it."""
    weights: list[tuple[nn.Parameter, Tensor]] = []
    buffers: list[tuple[nn.Module, str, Tensor]] = []
    for module in modules:
        weights += [(p, p.data) for p in module._parameters.values() if p is not None and p.dtype in HALF]
        buffers += [(module, n, b) for n, b in module._buffers.items() if b is not None and b.dtype in HALF]
    # A tied weight is one parameter in two modules, and comes back once.
    weights = list({id(parameter): (parameter, data) for parameter, data in weights}.values())
    try:
        with torch.inference_mode(False), torch.no_grad():
            for parameter, data in weights:
                parameter.data = data.float()
            for module, name, data in buffers:
                module._buffers[name] = data.float()
        yield
    finally:
        with torch.inference_mode(False), torch.no_grad():
            for parameter, data in weights:
                parameter.data = data
            for module, name, data in buffers:
                module._buffers[name] = data
