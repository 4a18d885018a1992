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
from torch import Tensor, nn

from mspgt.errors import InputError
from mspgt.stats.bootstrap import document_weights, percentile_interval
from mspgt.theory.beta import scale_weights
from mspgt.theory.hvib import HVIB, Network, Standard, Terms, fit_sampled, sampled
from mspgt.theory.rates import Rates, information_and_gap, rates_of

Array = NDArray[np.float64]
Progress = Callable[[int, int, str], None]

WIDTHS = (4, 4, 8)
CLASSES = 64  # the most frequent next tokens, and one for all others
HIDDEN = 64
BATCH = 256
POPULATION = 512  # examples over which information and gap are taken
LEAST = 256  # tokens in each half
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
    _, order = np.unique(document, return_inverse=True)
    known = following >= 0
    train, test = (np.flatnonzero(known & (order % 2 == side)) for side in (0, 1))
    if min(len(train), len(test)) < LEAST:
        raise InputError(
            f"The H-VIB needs at least {LEAST} tokens with a successor in each half of the documents, found "
            f"{len(train)} and {len(test)}: give more text."
        )
    labels, classes, blind = _labels(following, train, test)
    inputs = [
        torch.from_numpy((e - e[train].mean(0)) / np.where(e[train].std(0) > 0, e[train].std(0), 1.0)).float()
        for e in evidence
    ]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, decoder = _model([e.shape[1] for e in inputs], classes)
    parameters = [*model.parameters(), *decoder.parameters()]
    generator = torch.Generator().manual_seed(seed)
    target = torch.from_numpy(labels)

    def terms(chosen: Tensor, noise: Sequence[Tensor], factors: Sequence[float] = (1.0, 1.0, 1.0)) -> Terms:
        answers = target[chosen]

        def log_likelihood(*latents: Tensor) -> Tensor:
            log_p = torch.log_softmax(decoder(torch.cat(latents, dim=-1)), -1)
            return log_p.gather(-1, answers.expand(log_p.shape[:-1])[..., None])[..., 0]

        none = torch.zeros((len(chosen), 0))
        return model.terms(none, [e[chosen] for e in inputs], log_likelihood, noise, factors)

    training, held_out = torch.from_numpy(train), torch.from_numpy(test)
    noise = sampled(8, len(test), WIDTHS, torch.Generator().manual_seed(seed + 1))
    # Stationarity, and so β̂, is about the documents whose objective was optimised.
    own = sampled(8, len(train), WIDTHS, torch.Generator().manual_seed(seed + 3))
    every = _resampled(document[test], draws, seed)
    curve: list[Rates] = []
    elbo, elbo_ci = None, None
    weights, weights_ci = np.empty((len(betas), 3)), np.empty((len(betas), 2, 3))
    for place, beta in enumerate(betas):

        def loss(beta: float = beta) -> Tensor:
            chosen = training[torch.randint(0, len(training), (BATCH,), generator=generator)]
            found = terms(chosen, sampled(2, BATCH, WIDTHS, generator))
            return -found.objective((beta, beta, beta)).mean()

        fit_sampled(loss, parameters, steps=steps if not place else max(steps // 2, 1))
        with torch.no_grad():
            found = terms(held_out, noise)
            some = held_out[torch.linspace(0, len(held_out) - 1, min(POPULATION, len(held_out))).long()]
            one_draw = sampled(2, len(some), WIDTHS, torch.Generator().manual_seed(seed + 2))
            information, gap = information_and_gap(
                model, torch.zeros((len(some), 0)), [e[some] for e in inputs], [n[:1] for n in one_draw]
            )
            weights[place], weights_ci[place] = _weights(
                lambda factors: terms(training, own, factors), _resampled(document[train], draws, seed)
            )
        curve.append(rates_of(beta, found.kl, found.reconstruction, information, gap, len(some)))
        if beta == 1.0:
            each = found.objective().double().numpy()
            elbo = float(each.mean())
            low, high = percentile_interval(every @ each / every.sum(1))
            elbo_ci = (float(low), float(high))
        if progress is not None:
            progress(place + 1, len(betas), "H-VIB on the blocks, values of β")
    told = ", ".join(f"{beta:g}" for beta in betas)
    reason = (
        "" if elbo is not None else f"the evidence bound is that of β = 1, which is not among the β: {told}"
    )
    return BlockBottleneck(tuple(curve), blind, elbo, elbo_ci, reason, weights, weights_ci)


def _resampled(document: NDArray[np.int64], draws: int, seed: int) -> Array:
    """Weights of examples when documents are resampled, (draws, examples)."""
    _, owners = np.unique(document, return_inverse=True)
    return document_weights(int(owners.max()) + 1, draws, seed)[:, owners]


def _weights(terms: Callable[[tuple[float, ...]], Terms], resampled: Array) -> tuple[Array, Array]:
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
    value[is_open], ci[:, is_open] = draws[0], percentile_interval(draws[1:])
    return value, ci


def _labels(
    following: NDArray[np.int64], train: NDArray[np.int64], test: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int, float]:
    """Class of every next token (the most frequent of train; the last class for all others), and blind nats."""
    tokens, counts = np.unique(following[train], return_counts=True)
    if len(tokens) < 2:
        raise InputError(
            "Expected at least two different next tokens, found one: there is nothing to predict."
        )
    common = tokens[np.argsort(-counts, kind="stable")[: CLASSES - 1]]
    number = {int(token): place for place, token in enumerate(common)}
    labels = np.array([number.get(int(token), len(common)) for token in following], dtype=np.int64)
    frequency = np.bincount(labels[train], minlength=len(common) + 1) + 0.5
    nats = -np.log(frequency / frequency.sum())
    return labels, len(common) + 1, float(nats[labels[test]].mean())


def _model(inputs: Sequence[int], classes: int) -> tuple[HVIB, nn.Module]:
    g, i, l = WIDTHS
    priors = [Standard(g), Network(g, i, HIDDEN), Network(i, l, HIDDEN)]
    parents = (0, g, g + i)
    posteriors = [Network(p + own, w, HIDDEN) for p, own, w in zip(parents, inputs, WIDTHS, strict=True)]
    decoder = nn.Sequential(nn.Linear(g + i + l, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, classes))
    return HVIB(priors, posteriors), decoder
