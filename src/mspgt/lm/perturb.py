"""Gaussian noise into the residual stream, block by block, the same whatever else is in the batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mspgt.errors import InputError
from mspgt.lm.blocks import block_output
from mspgt.lm.keyed import fold, normal, stream_key

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel

AHEAD = 2**20  # numbers drawn at a time: one call for many small ones, and never many megabytes


class Noise:
    """Noise for a batch whose rows are samples × arms, sample by sample.

    Row (s, a) gets ε ~ N(0, diag(sigma[a, l−1]²)) after block l at every position from `first` on. The standard
    normal numbers belong to (seed, sample, position, layer): arms share them and differ in scale alone, and
    neither batch, order, device nor cache can change them.

    Args:
        seed: of the study.
        samples: number of each sample in the study, (samples,).
        sigma: (arms, layers) or, for each dimension its own, (arms, layers, d): standard deviation of the noise
            after each block; 0 leaves a block alone.
        width: d of the residual stream.
        first: positions before it are spared (BOS; the prompt). Positions count from 0 without padding.
        own: (arms,) bool, arms whose sigma is counted in the RMS of the very token that it disturbs.
    """

    def __init__(
        self,
        seed: int,
        samples: Sequence[int],
        sigma: Tensor,
        width: int,
        *,
        first: int = 0,
        own: Tensor | None = None,
    ) -> None:
        if sigma.ndim not in (2, 3) or not bool((sigma >= 0).all()):
            raise InputError(
                f"Expected noise of non-negative size, (arms, layers) or (arms, layers, width), found "
                f"{tuple(sigma.shape)} with smallest {float(sigma.min())}."
            )
        self.sigma = sigma if sigma.ndim == 3 else sigma[..., None]
        self.own = own if own is not None and bool(own.any()) else None
        self.first = first
        self.positions = range(0)
        self._width = width
        self._samples = fold(
            stream_key("noise", seed), torch.tensor(list(samples), dtype=torch.int64, device=sigma.device)
        )
        self._layers = [int(l) + 1 for l in self.sigma.any(dim=2).any(dim=0).nonzero().flatten()]
        self._drawn = torch.empty(0)
        self._drawn_at = range(0)

    def place(self, start: int, stop: int) -> None:
        """Say which positions the next forward pass computes."""
        self.positions = range(start, stop)

    def add(self, layer: int, stream: Tensor) -> Tensor:
        """The stream (rows, T, d) after block `layer` with the noise of its positions."""
        spared = max(0, self.first - self.positions.start)
        if spared >= len(self.positions):
            return stream
        arms, (rows, length, width) = len(self.sigma), stream.shape
        noise = self._numbers(layer)[:, None].to(stream)
        scale = self.sigma[:, layer - 1].to(stream)[:, None]
        part = stream if not spared else stream[:, spared:]
        part = part.view(rows // arms, arms, length - spared, width)
        if self.own is not None:
            size = part.float().square().mean(dim=-1, keepdim=True).sqrt().to(stream)
            scale = scale * torch.where(self.own.to(stream.device)[:, None, None], size, 1)
        noised = torch.addcmul(part, noise, scale)
        noised = noised.view(rows, length - spared, width)
        return torch.cat([stream[:, :spared], noised], dim=1) if spared else noised

    def _numbers(self, layer: int) -> Tensor:
        """Standard normal numbers of a layer at the present positions, (samples, T, d)."""
        begin, end = max(self.positions.start, self.first), self.positions.stop
        if end - begin > 1:
            return self._draw(range(begin, end), [layer])[:, :, 0]
        if begin not in self._drawn_at:
            ahead = max(1, AHEAD // (len(self._samples) * len(self._layers) * self._width))
            self._drawn_at = range(begin, begin + ahead)
            self._drawn = self._draw(self._drawn_at, self._layers)
        at = begin - self._drawn_at.start
        return self._drawn[:, at : at + 1, self._layers.index(layer)]

    def _draw(self, positions: range, layers: Sequence[int]) -> Tensor:
        device = self.sigma.device
        place = torch.arange(positions.start, positions.stop, device=device)
        keys = fold(self._samples[:, None], place)
        return normal(fold(keys[..., None], torch.tensor(layers, device=device)), self._width)


@contextmanager
def perturbed(lm: LanguageModel, noise: Noise) -> Iterator[None]:
    """Add `noise` after the blocks of `lm` while the context lasts; call `noise.place` before every pass."""
    handles: list[Any] = []
    try:
        for layer in noise._layers:

            def after(_: nn.Module, __: Any, output: Any, layer: int = layer) -> Any:
                noised = noise.add(layer, block_output(output))
                return (noised, *output[1:]) if isinstance(output, tuple) else noised

            handles.append(lm.blocks[layer - 1].register_forward_hook(after))
        yield
    finally:
        for handle in handles:
            handle.remove()
