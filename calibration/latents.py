"""Latents learnt without labels from planted languages: which rates they take along a ladder of β.

They are other variables than those that equation 23 speaks of, so they have no say in it. Each language trains an
H-VIB on its documents (one G a document, one I and one L a sentence, as in equation 9) along a ladder of β, which by
equation 22 are the multipliers of whatever rates come out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import torch
from calibration.oracles.entropies import entropies
from numpy.typing import NDArray
from torch import Tensor, nn

from mspgt.errors import InputError
from mspgt.synthetic.triscale import LONGEST, TriScale
from mspgt.theory.beta import scale_weights
from mspgt.theory.hvib import HVIB, Network, Standard, Terms, fit_sampled

Array = NDArray[np.float64]

WIDTHS = (4, 8, 24)
BETAS = (0.1, 0.3, 0.6, 1.0, 2.0, 4.0, 8.0, 16.0)
BATCH = 64  # documents a step


@dataclass(frozen=True)
class Trained:
    """One language: its entropies H(Z_s | Z_<s) and what its H-VIBs did, in nats; G a document, I and L a sentence.

    rates: (betas, 3) KL of each scale; distortion: (betas,) nats a sentence; weights: (3,) β̂ of the H-VIB trained at
    β = 1, which is 1 at a perfect optimum whatever the language.
    """

    name: str
    entropy: tuple[float, float, float]
    betas: tuple[float, ...]
    rates: Array
    distortion: Array
    weights: Array


def language_family() -> tuple[TriScale, ...]:
    """Twelve languages, the entropies of topic, template and words varied against one another."""
    return tuple(
        TriScale(topics=topics, template_skew=skew, zipf=zipf)
        for topics, skew, zipf in itertools.product((2, 4, 8), (0.6, 1.8), (0.6, 1.4))
    )


def train_language(
    language: TriScale,
    *,
    betas: Sequence[float] = BETAS,
    steps: int = 400,
    documents: int = 1600,
    seed: int = 0,
) -> Trained:
    """Train H-VIBs on documents of a language, each β starting from the one before.

    Every step draws documents anew, so that the optimum approached is that of the language: a network that knows its
    documents by heart loses more on others when its latents are shaken, and its β̂ is no longer β.

    Args:
        betas: rising; a high β at the start would close every scale for good.
        steps: of the first β; the others take half as many.
        documents: that no step saw, on which rates, distortion and β̂ are measured.
    """
    if list(betas) != sorted(betas) or min(betas) <= 0:
        raise InputError(f"Expected rising positive β, found {tuple(betas)}.")
    held_out = _Text(language, documents, [seed, 0])
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, decoder = _model(held_out)
    parameters = [*model.parameters(), *decoder.parameters()]
    s = language.sentences
    rates, distortion = np.empty((len(betas), 3)), np.empty(len(betas))
    weights = np.full(3, np.nan)
    batches = count(1)
    noise = _noise(4, documents, s, torch.Generator().manual_seed(seed + 1))

    def measure(factors: tuple[float, ...]) -> tuple[Array, Array]:
        with torch.no_grad():
            found = held_out.terms(model, decoder, noise, factors)
        return found.reconstruction.double().numpy(), found.kl.double().numpy()

    for place, beta in enumerate(betas):

        def loss(beta: float = beta) -> Tensor:
            batch = _Text(language, BATCH, [seed, next(batches)])
            found = batch.terms(model, decoder, _noise(1, BATCH, s, generator))
            return -found.objective((beta, beta, beta)).mean()

        fit_sampled(loss, parameters, steps=steps if not place else steps // 2)
        reconstruction, kl = measure((1.0, 1.0, 1.0))
        rates[place] = kl.mean(0) * (s, 1, 1)  # KL of G was shared out over its sentences
        distortion[place] = -reconstruction.mean()
        if beta == 1.0:
            weights = scale_weights(measure)
    exact = entropies(language)
    bits = (exact.topic, exact.template_given_topic, exact.words_given_template)
    g, i, l = (float(b * np.log(2)) for b in bits)
    return Trained(language.name, (g, i, l), tuple(betas), rates, distortion, weights)


def multiplier(betas: Sequence[float], rates: Array, target: float) -> float:
    """β at which a scale's rate is `target`, by interpolating log β; NaN where no β reaches it."""
    falling = np.minimum.accumulate(rates)
    if not falling[-1] <= target <= falling[0]:
        return float("nan")
    return float(np.exp(np.interp(-target, -falling, np.log(betas))))


def common_rates(trained: Sequence[Trained]) -> Array:
    """A rate of each scale that every language passes through on its ladder, (3,); NaN where there is none."""
    low = np.max([one.rates.min(0) for one in trained], axis=0)
    high = np.min([one.rates.max(0) for one in trained], axis=0)
    return np.where(low < high, 0.5 * (low + high), np.nan)


class _Text:
    """Documents of a language as the inputs of the posteriors and the targets of the decoder."""

    def __init__(self, language: TriScale, documents: int, seed: list[int]) -> None:
        words = language.sample(documents, seed).words
        self.sentences, self.vocabulary = language.sentences, len(language.vocabulary) + 1
        # The last entry of the vocabulary stands beyond the end of a sentence.
        self.words = torch.from_numpy(np.where(words < 0, self.vocabulary - 1, words)).long()

    def terms(
        self,
        model: HVIB,
        decoder: nn.Module,
        noise: Sequence[Tensor],
        factors: tuple[float, ...] = (1.0, 1.0, 1.0),
    ) -> Terms:
        """Terms by sentence, the KL of G shared out over the sentences of its document."""
        words = self.words.flatten(0, 1)  # (documents · sentences, slots)
        slots = nn.functional.one_hot(words, self.vocabulary).float()
        bags = slots.sum(1).unflatten(0, (-1, self.sentences)).sum(1)
        evidence = [bags.repeat_interleave(self.sentences, 0), slots.flatten(1), slots.flatten(1)]

        def log_likelihood(*latents: Tensor) -> Tensor:
            logits = decoder(torch.cat(latents, dim=-1)).unflatten(-1, (words.shape[1], self.vocabulary))
            targets = words.expand(*logits.shape[:-1])
            return torch.log_softmax(logits, -1).gather(-1, targets[..., None])[..., 0].sum(-1)

        none = torch.zeros((len(words), 0))
        found = model.terms(none, evidence, log_likelihood, noise, factors)
        return replace(found, kl=found.kl / torch.tensor([self.sentences, 1.0, 1.0]))


def _model(text: _Text) -> tuple[HVIB, nn.Module]:
    g, i, l = WIDTHS
    slots = LONGEST * text.vocabulary
    priors = [Standard(g), Network(g, i), Network(i, l)]
    posteriors = [
        Network(text.vocabulary, g),
        Network(g + slots, i, 96),
        Network(g + i + slots, l, 96),
    ]
    decoder = nn.Sequential(nn.Linear(g + i + l, 96), nn.SiLU(), nn.Linear(96, slots))
    return HVIB(priors, posteriors), decoder


def _noise(points: int, documents: int, sentences: int, generator: torch.Generator) -> list[Tensor]:
    """G's noise is one draw a document, the others' one a sentence."""
    g, i, l = WIDTHS
    shared = torch.randn((points, documents, g), generator=generator).repeat_interleave(sentences, 1)
    rest = [torch.randn((points, documents * sentences, w), generator=generator) for w in (i, l)]
    return [shared, *rest]
