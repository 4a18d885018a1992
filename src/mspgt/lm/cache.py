"""A key–value cache with room for what is still to come, instead of a copy of everything at every token."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer


class RoomyLayer(DynamicLayer):
    """The keys and values of one layer at the front of buffers that end where the text will.

    The layer that it replaces joins old and new at every step; at a hundred rows that is two thirds of all time.
    """

    def __init__(self, filled: DynamicLayer, room: int) -> None:
        super().__init__()
        self.lazy_initialization(filled.keys, filled.values)
        self._buffers = [_buffer(part, room) for part in (filled.keys, filled.values)]
        self.keys, self.values = self._views(filled.keys.shape[-2])

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        start = self.keys.shape[-2]
        stop = start + key_states.shape[-2]
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[..., start:stop, :] = new
        self.keys, self.values = self._views(stop)
        return self.keys, self.values

    def _views(self, stop: int) -> tuple[Tensor, Tensor]:
        keys, values = self._buffers
        return keys[..., :stop, :], values[..., :stop, :]


def _buffer(filled: Tensor, room: int) -> Tensor:
    *outer, length, width = filled.shape
    buffer = filled.new_empty((*outer, length + room, width))
    buffer[..., :length, :] = filled
    return buffer


def make_room(cache: Any, room: int) -> None:
    """Give every plain layer of a cache room for `room` more tokens; other kinds (sliding, recurrent) stay."""
    if not isinstance(cache, DynamicCache):
        return
    for at, layer in enumerate(cache.layers):
        if type(layer) is DynamicLayer and layer.is_initialized:
            cache.layers[at] = RoomyLayer(layer, room)
