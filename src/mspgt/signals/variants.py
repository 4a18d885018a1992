"""S1 in other metrics and over other tokens, from the moments of the one pass: point estimates, no bootstrap.

Every number here is CKA across documents, as in document_tables.py; what differs is what is compared (`METRICS`) or
which tokens count. Both are read off moments that are there already: a metric that scales dimensions scales
Σ x_i y_iᵀ, and a token left out or let in takes its own x_i y_iᵀ away or adds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from mspgt.signals.compared import AS_READ, RAW, RMS, STANDARDISED
from mspgt.signals.document_tables import Spans, tuples_of_distinct

Array = NDArray[np.float64]
Name = tuple[str, str]  # metric, token set

MAIN = "main"
_CHUNK = 256  # tokens whose single-precision products are summed before they are added in double


@dataclass
class _Side:
    """One layer in one metric: features of all drawn tokens (n, width), and their Gram matrix by document."""

    x: torch.Tensor
    grams: list[torch.Tensor]
    tokens: dict[str, _Tokens] = field(default_factory=dict)


@dataclass(frozen=True)
class _Tokens:
    """A layer over one token set.

    `sums` (c, width) by document; (n,) of each token, its product with the sums of all `others` and of its `own`.
    """

    sums: torch.Tensor
    others: torch.Tensor
    own: torch.Tensor


class Variants:
    """Collects HSIC of every layer with itself and with the next, by metric and token set.

    Args:
        states: layer → raw activations of all drawn tokens, (tokens, width).
        normalised: layer → the RMS-normalised ones, centred on the main tokens.
        spans: where each document begins and ends among all drawn tokens.
        masks: token set → which tokens count; `main` among them.
        gains: `(layers, width)` of the next norm; rows of NaN where there is none.
        raw_sets: token sets besides `main` that raw states are compared over.
    """

    def __init__(
        self,
        states: Callable[[int], torch.Tensor],
        normalised: Callable[[int], torch.Tensor],
        spans: Spans,
        masks: Mapping[str, NDArray[np.bool_]],
        gains: torch.Tensor,
        raw_sets: tuple[str, ...],
    ) -> None:
        self.states, self.normalised, self.spans, self.gains = states, normalised, spans, gains
        self.masks = {name: torch.from_numpy(mask) for name, mask in masks.items()}
        self.raw_sets = raw_sets
        self.owner = torch.repeat_interleave(
            torch.arange(len(spans)), torch.tensor([e - s for s, e in spans])
        )
        self.hsic: dict[tuple[Name, int, int], float] = {}
        self.spectrum: dict[tuple[str, int], tuple[float, float]] = {}
        self._sides: dict[tuple[str, int], _Side] = {}

    def see(self, left: int, right: int, x: torch.Tensor, y: torch.Tensor, moment: torch.Tensor) -> None:
        """One pair of layers in the main metric over the main tokens (what `layer_tables` shows)."""
        for key in [key for key in self._sides if key[1] < left]:
            del self._sides[key]
        one, two = self._side(RMS, left), self._side(RMS, right)
        for name in self.masks:
            own = moment if name == MAIN else self._changed(moment, one.x, two.x, name)
            self._note((RMS, name), left, right, one, two, own)
        for metric, scale in ((AS_READ, self.gains), (STANDARDISED, None)):
            a, b = self._scaled(metric, left, scale), self._scaled(metric, right, scale)
            if a is None or b is None:
                continue
            scaled = moment * a[:, None] * b[None, :]
            sides = self._side(metric, left, a), self._side(metric, right, b)
            self._note((metric, MAIN), left, right, *sides, scaled)
        one, two = self._side(RAW, left), self._side(RAW, right)
        mask = self.masks[MAIN]
        raw = _moment(one.x[mask], two.x[mask])
        for name in (MAIN, *self.raw_sets):
            own = raw if name == MAIN else self._changed(raw, one.x, two.x, name)
            self._note((RAW, name), left, right, one, two, own)

    def features(self, layer: int) -> torch.Tensor:
        """The RMS-normalised states of all drawn tokens, (tokens, width), centred on the main ones."""
        return self._side(RMS, layer).x

    def cka(self, metric: str, tokens: str, layers: int) -> Array:
        """CKA of each layer with the next, (layers−1,); NaN where it was not measured or a layer does not vary."""
        name = metric, tokens
        value = np.full(layers - 1, np.nan)
        for layer in range(layers - 1):
            keys = (name, layer, layer), (name, layer + 1, layer + 1), (name, layer, layer + 1)
            if not all(key in self.hsic for key in keys):
                continue
            own, following, cross = (self.hsic[key] for key in keys)
            if own > 0 and following > 0:
                value[layer] = cross / np.sqrt(own * following)
        return value

    def _note(self, name: Name, left: int, right: int, one: _Side, two: _Side, moment: torch.Tensor) -> None:
        metric, tokens = name
        if left == right and metric in (RAW, RMS):
            self.spectrum[f"{metric}.{tokens}", left] = _spectrum(moment)
        a, b = self._tokens(one, tokens), self._tokens(two, tokens)
        mask = self.masks[tokens]
        inside = 0.0
        for (s, e), k, l in zip(self.spans, one.grams, two.grams, strict=True):
            m = mask[s:e].to(k.dtype).to(k.device)
            inside += float(m.double() @ ((k * l) @ m).double())
        pairs = float(moment.square().sum()) - inside
        ends = float(((a.sums @ moment.to(a.sums.dtype)) * b.sums).double().sum())
        chains = _dot(a.others, b.others) - (ends - _dot(a.own, b.own))
        grams = [(side.sums @ side.sums.T).double().cpu().numpy() for side in (a, b)]
        for gram in grams:
            np.fill_diagonal(gram, 0)
        rows = [gram.sum(1) for gram in grams]
        apart = (
            rows[0].sum() * rows[1].sum() - 4 * (rows[0] * rows[1]).sum() + 2 * (grams[0] * grams[1]).sum()
        )
        sizes = np.bincount(self.owner[mask].numpy(), minlength=len(self.spans)).astype(np.float64)
        two_, three, four = (float(count[0]) for count in tuples_of_distinct(sizes[None]))
        self.hsic[name, left, right] = pairs / two_ - 2 * chains / three + apart / four

    def _side(self, metric: str, layer: int, scale: torch.Tensor | None = None) -> _Side:
        key = metric, layer
        if key not in self._sides:
            if metric == RAW:
                x = self.states(layer)
                x = x.to(torch.promote_types(x.dtype, torch.float32))
                x = x - x[self.masks[MAIN].to(x.device)].mean(0)
            else:
                x = self._side(RMS, layer).x if metric != RMS else self.normalised(layer)
                x = x if scale is None else x * scale.to(x.dtype)
            self._sides[key] = _Side(x, [x[s:e] @ x[s:e].T for s, e in self.spans])
        return self._sides[key]

    def _scaled(self, metric: str, layer: int, gains: torch.Tensor | None) -> torch.Tensor | None:
        """What each dimension is multiplied with, (width,) float64; None where the metric has no meaning."""
        x = self._side(RMS, layer).x
        if gains is not None:
            scale = gains[layer].to(x.device).double()
            return scale if bool(torch.isfinite(scale).all()) else None
        spread = x[self.masks[MAIN].to(x.device)].square().mean(0).sqrt().double()
        return torch.where(spread > 0, 1 / spread, torch.zeros_like(spread))

    def _tokens(self, side: _Side, name: str) -> _Tokens:
        if name not in side.tokens:
            mask = self.masks[name].to(side.x.device)
            kept = torch.where(mask[:, None], side.x, torch.zeros_like(side.x))
            sums = torch.stack([kept[s:e].sum(0) for s, e in self.spans])
            own = (kept * sums[self.owner.to(side.x.device)]).sum(1)
            side.tokens[name] = _Tokens(sums, kept @ sums.sum(0) - own, own)
        return side.tokens[name]

    def _changed(self, moment: torch.Tensor, x: torch.Tensor, y: torch.Tensor, name: str) -> torch.Tensor:
        """The main tokens' moment, without those that a token set leaves out and with those it lets in."""
        main, other = self.masks[MAIN], self.masks[name]
        lost, new = (main & ~other).to(x.device), (other & ~main).to(x.device)
        return moment - _moment(x[lost], y[lost]) + _moment(x[new], y[new])


def _moment(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Σ_i x_i y_iᵀ, (width, width) float64."""
    total = torch.zeros(x.shape[1], y.shape[1], dtype=torch.float64, device=x.device)
    for start in range(0, len(x), _CHUNK):
        total += x[start : start + _CHUNK].T @ y[start : start + _CHUNK]
    return total


def _dot(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(a.double() @ b.double())


def _spectrum(moment: torch.Tensor) -> tuple[float, float]:
    """Participation ratio (Σλ)² / Σλ² of the variance, and the largest dimension's share of it."""
    trace, diagonal = float(moment.trace()), moment.diagonal()
    if trace <= 0:
        return float("nan"), float("nan")
    return trace**2 / float(moment.square().sum()), float(diagonal.max()) / trace
