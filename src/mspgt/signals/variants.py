"""S1 in other metrics and over other tokens, from the moments of the one pass: point estimates, no bootstrap.

Every number here is CKA across documents, as in document_tables.py; what differs is what is compared (`METRICS`) or
which tokens count. Both are read off moments that are there already: a metric that scales dimensions scales
Σ x_i y_iᵀ and its parts by document, and a token left out or let in takes its own x_i y_iᵀ away or adds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mspgt.signals.compared import AS_READ, RAW, RMS, STANDARDISED
from mspgt.signals.document_tables import tuples_of_distinct
from mspgt.signals.pair_tables import Moment, Spans
from mspgt.signals.products import moment as moment_of
from mspgt.signals.products import own_products, product

Array = NDArray[np.float64]
Name = tuple[str, str]  # metric, token set

MAIN = "main"


@dataclass(frozen=True)
class _View:
    """One layer in one metric over one token set.

    `scale` (width,) float64: what each dimension of the side's features is multiplied with; None for nothing.
    `sums` (c, width): scaled features by document. `apart` (c, c): their products, those of a document with itself 0.
    (n,) of each token, its product with the sums of all `others` and of its `own`; 0 of a token that does not count.
    """

    scale: torch.Tensor | None
    sums: torch.Tensor
    apart: Array
    others: torch.Tensor
    own: torch.Tensor


@dataclass(frozen=True)
class _Side:
    """One layer, raw or RMS-normalised (`metric`).

    `x` (n, width): features of all drawn tokens, centred on the main ones. `main` (tokens, width): of the main ones.
    `grams`: the Gram matrix of all by document.
    """

    metric: str
    layer: int
    x: torch.Tensor
    main: torch.Tensor
    grams: list[torch.Tensor]
    views: dict[Name, _View]


class Variants:
    """Collects HSIC of every layer with itself and with the next, by metric and token set.

    Args:
        states: layer → raw activations of all drawn tokens, (tokens, width).
        normalised: layer → the RMS-normalised ones.
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
        self.tuples = {name: self._tuples(mask) for name, mask in masks.items()}
        self.changes = {some: _changes(masks, some) for some in (tuple(masks), (MAIN, *raw_sets))}
        self.hsic: dict[tuple[Name, int, int], float] = {}
        self.spectrum: dict[tuple[str, int], tuple[float, float]] = {}
        self._sides: dict[tuple[str, int], _Side] = {}

    def see(self, left: int, right: int, x: torch.Tensor, y: torch.Tensor, moment: Moment) -> None:
        """One pair of layers in the main metric over the main tokens (what `layer_tables` shows)."""
        for key in [key for key in self._sides if key[1] < left]:
            del self._sides[key]
        one, two = self._side(RMS, left), self._side(RMS, right)
        self._note_sets(one, two, moment.total, tuple(self.masks))
        for metric in (AS_READ, STANDARDISED):
            view = (metric, MAIN)
            if view in one.views and view in two.views:
                a, b = one.views[view].scale, two.views[view].scale
                assert a is not None
                assert b is not None
                within = float(a.square() @ moment.squares @ b.square())
                self._note(view, left, right, moment.total * a[:, None] * b[None, :], within)
        one, two = self._side(RAW, left), self._side(RAW, right)
        self._note_sets(one, two, moment_of(one.main, two.main), (MAIN, *self.raw_sets))

    def features(self, layer: int) -> torch.Tensor:
        """The RMS-normalised states of the main tokens, (tokens, width), centred."""
        return self._side(RMS, layer).main

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

    def _note_sets(self, one: _Side, two: _Side, main: torch.Tensor, sets: tuple[str, ...]) -> None:
        """HSIC over each token set, whose moments are made of one another by the tokens that they differ in."""
        inside = self._inside(one, two, sets)
        moments = {MAIN: main}
        for name, base, parts in self.changes[sets]:
            moment = moments[base]
            for sign, some in parts:
                here = some.to(one.x.device)
                a = one.x[here]
                moment = moment + sign * moment_of(a, a if one is two else two.x[here])
            moments[name] = moment
        for name in sets:
            self._note((one.metric, name), one.layer, two.layer, moments[name], inside[name])

    def _note(self, name: Name, left: int, right: int, moment: torch.Tensor, inside: float) -> None:
        """HSIC from Σ x_i y_iᵀ over all tokens of the set, and the part of its square that lies inside documents."""
        metric, tokens = name
        if left == right and metric in (RAW, RMS):
            self.spectrum[f"{metric}.{tokens}", left] = _spectrum(moment)
        side = RAW if metric == RAW else RMS
        a, b = (self._sides[side, layer].views[name] for layer in (left, right))
        pairs = _dot(moment.flatten(), moment.flatten()) - inside
        ends = float(((a.sums @ moment.to(a.sums.dtype)) * b.sums).double().sum())
        chains = _dot(a.others, b.others) - (ends - _dot(a.own, b.own))
        rows = a.apart.sum(1), b.apart.sum(1)
        apart = rows[0].sum() * rows[1].sum() - 4 * (rows[0] * rows[1]).sum() + 2 * (a.apart * b.apart).sum()
        two, three, four = self.tuples[tokens]
        self.hsic[name, left, right] = pairs / two - 2 * chains / three + apart / four

    def _tuples(self, mask: NDArray[np.bool_]) -> tuple[float, float, float]:
        sizes = np.array([mask[s:e].sum() for s, e in self.spans], dtype=np.float64)
        two, three, four = tuples_of_distinct(sizes[None])
        return float(two[0]), float(three[0]), float(four[0])

    def _side(self, metric: str, layer: int) -> _Side:
        key = metric, layer
        if key not in self._sides:
            x = self.states(layer) if metric == RAW else self.normalised(layer)
            x = x.to(torch.promote_types(x.dtype, torch.float32))
            counted = self.masks[MAIN].to(x.device)
            x = x - counted.to(x.dtype) @ x / counted.sum()
            main = x[counted]
            asked = self._raw_views() if metric == RAW else self._normalised_views(layer, main)
            grams = [own_products(x[s:e]) for s, e in self.spans]
            self._sides[key] = _Side(metric, layer, x, main, grams, self._views(x, asked))
        return self._sides[key]

    def _raw_views(self) -> dict[Name, torch.Tensor | None]:
        return {(RAW, name): None for name in (MAIN, *self.raw_sets)}

    def _normalised_views(self, layer: int, main: torch.Tensor) -> dict[Name, torch.Tensor | None]:
        """What each dimension is multiplied with, by metric and token set."""
        asked: dict[Name, torch.Tensor | None] = {(RMS, name): None for name in self.masks}
        gains = self.gains[layer].to(main.device).double()
        if bool(torch.isfinite(gains).all()):
            asked[AS_READ, MAIN] = gains.expand(main.shape[1])
        spread = main.square().mean(0).sqrt().double()
        asked[STANDARDISED, MAIN] = torch.where(spread > 0, 1 / spread, torch.zeros_like(spread))
        return asked

    def _views(self, x: torch.Tensor, asked: Mapping[Name, torch.Tensor | None]) -> dict[Name, _View]:
        """All views of a layer at once, so that the tokens are gone through twice and not twice a view."""
        masks = torch.stack([self.masks[tokens] for _, tokens in asked]).to(x.device, x.dtype)
        scales = torch.stack([torch.ones(x.shape[1]) if s is None else s.cpu() for s in asked.values()])
        scales = scales.to(x.device, x.dtype)[:, None]
        sums = torch.stack([product(masks[:, s:e], x[s:e]) for s, e in self.spans], dim=1) * scales
        back = sums * scales
        own = torch.cat([product(back[:, a], x[s:e].T) for a, (s, e) in enumerate(self.spans)], dim=1)
        others = product(back.sum(1), x.T) - own
        apart = (sums @ sums.transpose(1, 2)).double().cpu().numpy()
        apart[:, range(len(self.spans)), range(len(self.spans))] = 0
        parts = zip(asked.items(), sums, apart, masks * others, masks * own, strict=True)
        return {name: _View(scale, *rest) for (name, scale), *rest in parts}

    def _inside(self, one: _Side, two: _Side, sets: tuple[str, ...]) -> dict[str, float]:
        """Σ K_ij L_ij over the tokens i, j of each set that share a document."""
        masks = torch.stack([self.masks[name] for name in sets]).to(one.x.device, one.x.dtype)
        total = torch.zeros(len(sets), dtype=torch.float64, device=one.x.device)
        for (s, e), k, l in zip(self.spans, one.grams, two.grams, strict=True):
            m = masks[:, s:e]
            total += (product(m, k * l) * m).sum(1, dtype=torch.float64)
        return dict(zip(sets, total.tolist(), strict=True))


Change = tuple[str, str, list[tuple[int, torch.Tensor]]]


def _changes(masks: Mapping[str, NDArray[np.bool_]], sets: tuple[str, ...]) -> list[Change]:
    """Of each set but the main one: the earlier set nearest to it, and which tokens to add (1) or take away (−1)."""
    changes: list[Change] = []
    for at, name in enumerate(sets):
        if name == MAIN:
            continue
        mask = masks[name]
        base = min(sets[:at], key=lambda earlier: int((masks[earlier] != mask).sum()))
        differing = ((-1, masks[base] & ~mask), (1, mask & ~masks[base]))
        parts = [(sign, torch.from_numpy(np.flatnonzero(some))) for sign, some in differing if some.any()]
        changes.append((name, base, parts))
    return changes


def _dot(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(a.double() @ b.double())


def _spectrum(moment: torch.Tensor) -> tuple[float, float]:
    """Participation ratio (Σλ)² / Σλ² of the variance, and the largest dimension's share of it."""
    trace, diagonal = float(moment.trace()), moment.diagonal()
    if trace <= 0:
        return float("nan"), float("nan")
    return trace**2 / float(moment.square().sum()), float(diagonal.max()) / trace
