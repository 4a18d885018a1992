"""Random numbers by key instead of by order: the same key gives the same number on every device, in any batch.

A counter-based generator: a key is folded from integers (seed, sample, position, layer …) with the finaliser of
SplitMix64 (Steele, Lea & Flood 2014), element by element, so that a whole tensor of draws costs a few integer
operations and nothing depends on what was drawn before.
"""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_FIRST = 0xBF58476D1CE4E5B9 - 2**64
_SECOND = 0x94D049BB133111EB - 2**64
_UNIT = 2.0**-24  # a float32 holds every multiple of it in [0, 1]


def stream_key(purpose: str, seed: int) -> int:
    """The key of one use of a seed: draws for different purposes share nothing. A signed 64-bit integer."""
    return int.from_bytes(hashlib.sha256(f"{purpose}:{seed}".encode()).digest()[:8], "little", signed=True)


def fold(key: int | Tensor, counter: Tensor) -> Tensor:
    """Keys for every pair of `key` and `counter` (int64), broadcast together."""
    mixed = counter * _GOLDEN + (key + _GOLDEN if isinstance(key, Tensor) else _signed(key + _GOLDEN))
    mixed ^= _shifted(mixed, 30)
    mixed *= _FIRST
    mixed ^= _shifted(mixed, 27)
    mixed *= _SECOND
    mixed ^= _shifted(mixed, 31)
    return mixed


def uniform(key: Tensor) -> Tensor:
    """One uniform number in [0, 1) a key, float32."""
    return _shifted(key, 40).float() * _UNIT


def normal(key: Tensor, width: int) -> Tensor:
    """`width` independent standard normal numbers a key, float32, on a new last axis (Box & Muller 1958)."""
    pairs = -(-width // 2)
    bits = fold(key.unsqueeze(-1), torch.arange(pairs, device=key.device))
    # The logarithm must not meet 0, so its uniform number lies in (0, 1].
    radius = (_shifted(bits, 40) + 1).float().mul_(_UNIT).log_().mul_(-2).sqrt_()
    angle = (bits & 0xFFFFFF).float().mul_(2 * math.pi * _UNIT)
    return torch.cat([radius * angle.cos(), radius * angle.sin()], dim=-1)[..., :width]


def _shifted(bits: Tensor, places: int) -> Tensor:
    """Shift right without dragging the sign along."""
    return (bits >> places) & ((1 << (64 - places)) - 1)


def _signed(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63
