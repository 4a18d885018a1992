"""An H-VIB on the frozen activations of a model's three blocks: what each scale sends about the next token.

The latents are read from the last layer of each scale (L from Local, I from Intermediate, G from Global), on its
principal components; the decoder predicts the next token among the most frequent ones. Posteriors see the context
only, as a model's own states do, so that −distortion is a bound on log p(next token | context) and rates are what
this prediction needs, not what the layers hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mspgt.errors import InputError
from mspgt.stats.bootstrap import expanded_interval, too_few
from mspgt.theory.beta import scale_weights
from mspgt.theory.blocks import WIDTHS, Blocks, Three
from mspgt.theory.hvib import Terms, sampled
from mspgt.theory.rates import Rates, information_and_gap, rates_of
from mspgt.vocabulary import Progress

Array = NDArray[np.float64]

POPULATION = 512  # examples over which information and gap are taken
OPEN = 0.02  # nats of rate below which a scale has collapsed: it has no weight to speak of


@dataclass(frozen=True)
class BlockBottleneck:
    """The rate–distortion curve of a model's blocks, in nats a token, on documents held out from training.

    curve: one point a β, rising. blind: entropy of the next-token class without context. elbo: at β = 1, −distortion
    less the KLs; elbo_ci over documents; elbo_reason: why there is none, else empty. weights: β̂ of G, I, L at every β
    of the curve, on the training half (at a perfect optimum each is that β), weights_ci its 95 % interval over
    documents; NaN for a scale that has collapsed (rate below 0.02 nats).
    """

    curve: tuple[Rates, ...]
    blind: float
    elbo: float | None
    elbo_ci: tuple[float, float] | None
    elbo_reason: str
    weights: Array  # (betas, 3)
    weights_ci: Array  # (betas, 2, 3)


def block_bottleneck(
    evidence: Sequence[Array],
    following: NDArray[np.int64],
    document: NDArray[np.int64],
    *,
    betas: Sequence[float] = (0.03, 0.1, 0.3, 1.0),
    steps: int = 300,
    draws: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> BlockBottleneck:
    """Train an H-VIB along a ladder of β, each starting from the one before, and read its rates.

    Args:
        evidence: states (tokens, k) behind G, I and L. following: (tokens,) next token, negative where there is none.
        document: (tokens,); every other document trains, the rest are held out.
        betas: rising. steps: of the first β; the others take half as many.

    Raises:
        InputError: β that do not rise, fewer than 256 tokens in a half, or a single next token.
        NumericsError: training diverged.
    """
    if list(betas) != sorted(betas) or min(betas) <= 0:
        raise InputError(f"Expected rising positive β, found {tuple(betas)}.")
    blocks = Blocks(evidence, following, document, seed)
    training, held_out = blocks.training, blocks.held_out
    # Stationarity, and so β̂, is about the documents whose objective was optimised.
    noise, own = blocks.noise(held_out, 1), blocks.noise(training, 3)
    every, documents = blocks.resampled(held_out, draws)
    curve: list[Rates] = []
    elbo, elbo_ci = None, None
    weights, weights_ci = np.empty((len(betas), 3)), np.empty((len(betas), 2, 3))
    for place, beta in enumerate(betas):
        blocks.fit((beta, beta, beta), steps if not place else max(steps // 2, 1))
        with torch.no_grad():
            found = blocks.terms(held_out, noise)
            some = held_out[torch.linspace(0, len(held_out) - 1, min(POPULATION, len(held_out))).long()]
            one_draw = sampled(2, len(some), WIDTHS, torch.Generator().manual_seed(seed + 2))
            information, gap = information_and_gap(
                blocks.model,
                torch.zeros((len(some), 0)),
                [e[some] for e in blocks.inputs],
                [n[:1] for n in one_draw],
            )
            weights[place], weights_ci[place] = _weights(
                lambda factors: blocks.terms(training, own, factors), *blocks.resampled(training, draws)
            )
        curve.append(rates_of(beta, found.kl, found.reconstruction, information, gap, len(some)))
        if beta == 1.0:
            each = found.objective().double().numpy()
            elbo = float(each.mean())
            low, high = expanded_interval(every @ each / every.sum(1), documents)
            elbo_ci = None if np.isnan(low) else (float(low), float(high))
        if progress is not None:
            progress(place + 1, len(betas), "H-VIB on the blocks, values of β")
    reason = _why_without(elbo, elbo_ci, betas, documents)
    return BlockBottleneck(tuple(curve), blocks.blind, elbo, elbo_ci, reason, weights, weights_ci)


def _why_without(
    elbo: float | None, ci: tuple[float, float] | None, betas: Sequence[float], documents: int
) -> str:
    """Why there is no bound, or no interval of it; empty where there are both."""
    if elbo is None:
        told = ", ".join(f"{beta:g}" for beta in betas)
        return f"the evidence bound is that of β = 1, which is not among the β: {told}"
    return "" if ci else f"held out: {too_few(documents)}"


def _weights(terms: Callable[[Three], Terms], resampled: Array, documents: int) -> tuple[Array, Array]:
    """β̂ of the scales that are open, (3,), and 95 % intervals, (2, 3); NaN for a collapsed scale."""
    value, ci = np.full(3, np.nan), np.full((2, 3), np.nan)
    still = terms((1.0, 1.0, 1.0)).kl.mean(0).numpy()
    is_open = np.flatnonzero(still > OPEN)
    if not len(is_open):
        return value, ci

    def measure(factors: tuple[float, ...]) -> tuple[Array, Array]:
        all_factors = [1.0, 1.0, 1.0]
        for scale, factor in zip(is_open, factors, strict=True):
            all_factors[scale] = factor
        moved = terms((all_factors[0], all_factors[1], all_factors[2]))
        return moved.reconstruction.double().numpy(), moved.kl.double().numpy()[:, is_open]

    # The first row is the sample itself, so that every move is measured once.
    draws = scale_weights(measure, np.vstack([np.ones(resampled.shape[1]), resampled]), scales=len(is_open))
    value[is_open], ci[:, is_open] = draws[0], expanded_interval(draws[1:], documents)
    return value, ci
