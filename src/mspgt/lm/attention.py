"""See attention beside the model's own: its weights are computed once more for the statistic, and its output is kept.

The model's attention function (sdpa, eager, flash) is called as it would be without an observer, with the same mask,
so that the residual stream is that of the plain pass bit for bit, in any precision. A function that returns its own
weights (eager) is believed; the others' are recomputed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from mspgt.errors import ModelError
from mspgt.lm.among import among

# Weights that are held at a time, over all texts and heads: what fits a cache, or keeps a GPU busy.
_AT_ONCE = {"cpu": 2**20, "cuda": 2**27}


class Queries(NamedTuple):
    """Which queries are no padding, (B, T) bool: on the host, which asks, and on the model's device, which counts."""

    host: Tensor
    there: Tensor


class Maps(ABC):
    """The attention of one layer over one batch, float32 (float64 in a float64 model), as far as it is asked for."""

    @abstractmethod
    def mean_into(self, whole: Tensor, real: Queries | None = None) -> None:
        """Write the mean over heads to `whole` (B, T, T), which is zero.

        real: the queries whose rows are written; the others stay zero. All where None.
        """

    @abstractmethod
    def by_head(self) -> Tensor:
        """(B, H, T, T)."""


@dataclass(frozen=True)
class Given(Maps):
    """Weights that the model itself returned, (B, H, T, T)."""

    weights: Tensor

    def mean_into(self, whole: Tensor, real: Queries | None = None) -> None:
        whole.copy_(self.weights.mean(dim=1))
        if real is not None:
            whole *= real.there.to(whole.device)[:, :, None]

    def by_head(self) -> Tensor:
        return self.weights


@dataclass(frozen=True)
class Recomputed(Maps):
    """Softmax of queries on keys, computed again from what the attention function was called with.

    query (B, H, T, e), key (B, K, T, e) with H a multiple of K (grouped queries). `mask`: as the function got it:
    none, boolean or additive (B, 1 or H, T, T), or (B, T) true for real tokens. `window`: keys that a query sees, its
    own among them, where the mask does not say. `softcap` as in Gemma 2. `sinks` (H,): learned logits as in gpt-oss
    that take weight, so that rows sum to less than one. `bias` is added to the scores.
    """

    query: Tensor
    key: Tensor
    mask: Tensor | None
    scaling: float
    causal: bool = True
    window: int | None = None
    softcap: float | None = None
    sinks: Tensor | None = None
    bias: Tensor | None = None

    def mean_into(self, whole: Tensor, real: Queries | None = None) -> None:
        for texts, rows, weights in self._rows(real):
            mean = weights.mean(dim=1)
            if real is not None:
                mean *= real.there[texts, rows, None].to(mean.device)
            whole[texts, rows, : weights.shape[3]] = mean

    def by_head(self) -> Tensor:
        batch, heads, length, _ = self.query.shape
        whole = self.query.new_zeros((batch, heads, length, length), dtype=self._dtype)
        for _, rows, weights in self._rows():
            whole[:, :, rows, : weights.shape[3]] = weights
        return whole

    @property
    def _dtype(self) -> torch.dtype:
        # Single precision even where the model computes in less, so that rows sum to one.
        return torch.promote_types(self.query.dtype, torch.float32)

    def _rows(self, real: Queries | None = None) -> Iterator[tuple[slice, slice, Tensor]]:
        """A run of queries of some texts, and their weights (texts, H, queries, keys up to the last that counts).

        real: queries that count; texts at either end of the batch that have no such query in a run are left out.
        """
        batch, heads, length, width = self.query.shape
        groups = self.key.shape[1]
        whole = self.key.to(self._dtype).transpose(-1, -2)
        at_once = _AT_ONCE.get(self.query.device.type, 2**20)
        step = max(16, at_once // (batch * heads * length))
        for start in range(0, length, step):
            rows = slice(start, min(start + step, length))
            texts = slice(0, batch) if real is None else among(real.host[:, rows])
            some = texts.stop - texts.start
            if some == 0:
                continue
            keys = rows.stop if self.causal else length
            query = self.query[texts, :, rows].to(self._dtype) * self.scaling
            # Queries of one group are stacked along time, so that keys need not be repeated.
            scores = torch.matmul(query.reshape(some, groups, -1, width), whole[texts, ..., :keys])
            scores = scores.view(some, heads, -1, keys)
            if self.softcap is not None:
                scores = torch.tanh(scores / self.softcap) * self.softcap
            if self.bias is not None:
                scores = scores + _of(self.bias, texts)[..., rows, :keys]
            scores = self._masked(scores, texts, start)
            if self.sinks is None:
                yield texts, rows, torch.softmax(scores, dim=-1)
                continue
            sinks = self.sinks.to(scores.dtype).view(1, -1, 1, 1).expand(some, heads, scores.shape[2], 1)
            yield texts, rows, torch.softmax(torch.cat([scores, sinks], dim=-1), dim=-1)[..., :-1]

    def _masked(self, scores: Tensor, texts: slice, start: int) -> Tensor:
        """Scores with the lowest number added where a key is hidden, beside which a score is less than a rounding.

        Additions take a tenth of the time that it takes to fill places in.
        """
        shape, lowest = scores.shape[-2:], torch.finfo(scores.dtype).min
        if self.mask is not None and self.mask.dim() == 4:
            part = _of(self.mask, texts)[..., start : start + shape[0], : shape[1]]
            return scores.add_(part if part.dtype != torch.bool else (~part).to(scores.dtype).mul_(lowest))
        added = scores.new_full(shape, lowest).triu_(start + 1) if self.causal else scores.new_zeros(shape)
        if self.window is not None:
            added += scores.new_full(shape, lowest).tril_(start - self.window)
        if self.mask is not None:
            padding = ~self.mask[texts, None, None, : shape[1]].bool()
            # One of the two alone: their sum is infinite.
            added = torch.minimum(added, padding.to(scores.dtype) * lowest)
        return scores.add_(added)


def _of(each: Tensor, texts: slice) -> Tensor:
    """What belongs to some texts of a batch, of something that may be one for all."""
    return each[texts] if len(each) > 1 else each


See = Callable[[Maps], None]
Compare = Callable[
    [Maps, Tensor, Tensor], None
]  # maps, value (B, K, T, e), the function's own output (B, T, H, e)


@dataclass(frozen=True)
class _Watch:
    see: See
    compare: Compare | None


_watch: ContextVar[_Watch | None] = ContextVar("mspgt_watch_attention", default=None)


def _given(weights: Any) -> Given | None:
    """Maps that a module returned, known by their shape (B, H, T, T)."""
    if isinstance(weights, Tensor) and weights.dim() == 4 and weights.shape[-1] == weights.shape[-2]:
        return Given(weights.to(torch.promote_types(weights.dtype, torch.float32)))
    return None


def _recomputed(
    module: nn.Module, query: Tensor, key: Tensor, attention_mask: Any, options: dict[str, Any]
) -> Recomputed:
    """What a call of an attention function says of its weights."""
    is_tensor = isinstance(attention_mask, Tensor)
    if not (attention_mask is None or (is_tensor and attention_mask.dim() in (2, 4))):
        raise ModelError(
            f"expected an attention mask of two or four dimensions, found {type(attention_mask).__name__}; "
            "choose attn_implementation sdpa or eager"
        )
    scaling = options.get("scaling")
    causal = options.get("is_causal")
    return Recomputed(
        query,
        key,
        attention_mask,
        scaling=query.shape[-1] ** -0.5 if scaling is None else float(scaling),
        causal=bool(getattr(module, "is_causal", True) if causal is None else causal),
        window=options.get("sliding_window"),
        softcap=options.get("softcap"),
        sinks=options.get("s_aux"),
        bias=options.get("position_bias"),
    )


def _beside(function: Callable[..., Any]) -> Callable[..., Any]:
    """An attention function that shows its weights to the active observer, and returns what it always returns."""

    def attention(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Any = None,
        *rest: Any,
        **options: Any,
    ) -> Any:
        watch = _watch.get()
        if watch is None:
            return function(module, query, key, value, mask, *rest, **options)
        result = function(module, query, key, value, mask, *rest, **options)
        maps = _given(result[1]) or _recomputed(module, query, key, mask, options)
        watch.see(maps)
        if watch.compare is not None:
            watch.compare(maps, value, result[0])
        return result

    return attention


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
def seen_through_interface(see: See, compare: Compare | None = None) -> Iterator[None]:
    """Hand the attention of every layer computed inside to `see`, whatever attention function the model uses.

    `compare` gets the same maps with the values and the output of the model's own function, to hold one against the
    other.
    """
    token = _watch.set(_Watch(see, compare))
    original = AttentionInterface.get_interface

    def get_interface(self: Any, implementation: Any, default: Any) -> Any:
        return _beside(original(self, implementation, default))

    AttentionInterface.get_interface = get_interface
    try:
        yield
    finally:
        AttentionInterface.get_interface = original
        _watch.reset(token)


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
            if (maps := _given(weights)) is not None:
                see(maps)
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
