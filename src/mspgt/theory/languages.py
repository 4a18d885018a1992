"""Equation 23, β_s ∝ 1/H(Z_s | Z_<s), held as a hypothesis against planted languages whose entropies are known.

It is no theorem: in Gaussian rate–distortion the multiplier at a given rate *grows* with entropy, and under log-loss
it is 1 at every rate below the entropy. What equation 23 speaks of is the entropy of the very variable that is
compressed, so its slope is that of the planted sources themselves (`planted_slopes`), whose multipliers are exact.

Beside it, and without a say in it, stand latents learnt without labels, which are other variables. Each language
trains an H-VIB on its documents (one G a document, one I and one L a sentence, as in equation 9) along a ladder of β,
which by equation 22 are the multipliers of whatever rates come out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import count
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mspgt.errors import InputError
from mspgt.synthetic.entropies import entropies
from mspgt.synthetic.triscale import LONGEST, TriScale
from mspgt.theory.beta import scale_weights
from mspgt.theory.hvib import HVIB, Network, Standard, Terms, fit_sampled
from mspgt.theory.rate_distortion import entropy_of, multiplier_at, planted_sources

Array = NDArray[np.float64]

WIDTHS = (4, 8, 24)
BETAS = (0.1, 0.3, 0.6, 1.0, 2.0, 4.0, 8.0, 16.0)
BATCH = 64  # documents a step
CLAIM = -1.0  # the slope of equation 23
LEAST = 12  # languages, and distinct entropies of a scale, that a slope is told from


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


@dataclass(frozen=True)
class Slope:
    """Log–log slope of β on H over languages, with its 95 % interval over languages."""

    slope: float
    ci: tuple[float, float]
    languages: int


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


def equation23(entropy: Array, beta: Array, *, draws: int = 2000, seed: int = 0) -> Slope:
    """Slope of log β on log H with a bootstrap interval over languages.

    Args:
        entropy, beta: (languages, scales); every scale has an intercept of its own. NaN: not measured.

    Raises:
        InputError: fewer than 12 languages with a finite multiplier, or fewer than 12 distinct entropies of a scale.
    """
    known = np.isfinite(beta).all(1)
    if known.sum() < LEAST:
        raise InputError(f"Equation 23 is tested on at least {LEAST} languages, found {int(known.sum())}.")
    distinct = min(len(np.unique(np.round(column, 9))) for column in entropy[known].T)
    if distinct < LEAST:
        raise InputError(
            f"Equation 23 is tested on at least {LEAST} distinct entropies of a scale, found {distinct}: languages "
            "that share one are one piece of evidence."
        )
    x, y = np.log(entropy[known]), np.log(beta[known])
    n = len(x)
    rng = np.random.default_rng(seed)
    slopes = [_within(x, y)]
    for _ in range(draws):
        chosen = rng.integers(0, n, n)
        slopes.append(_within(x[chosen], y[chosen]))
    low, high = np.quantile(slopes[1:], [0.025, 0.975])
    return Slope(float(slopes[0]), (float(low), float(high)), n)


def varied_languages() -> tuple[TriScale, ...]:
    """Fourteen languages with as many entropies of templates and of words; topics have only seven."""
    skews, zipfs = np.linspace(0.2, 2.2, 14), np.linspace(0.3, 1.9, 14)
    # Entropies of two scales that rose together could not be told apart: the order of words is shuffled.
    order = np.random.default_rng(0).permutation(14)
    return tuple(
        TriScale(topics=2 + i % 7, template_skew=float(skews[i]), zipf=float(zipfs[order[i]]))
        for i in range(14)
    )


@cache
def planted_slopes() -> dict[str, Any]:
    """Equation 23 on the planted sources of `varied_languages`: exact multipliers at one rate a scale.

    Returns:
        `languages` (name, entropy_nats and multiplier of G, I, L), `common_rate_nats` (half of the least entropy of a
        scale), and `slopes` of each scale and of `all` that have enough distinct entropies; null with a reason else.
    """
    languages = varied_languages()
    sources = [planted_sources(language) for language in languages]
    entropy = np.array([[entropy_of(one[scale]) for scale in "GIL"] for one in sources])
    target = entropy.min(0) / 2
    beta = np.array(
        [[multiplier_at(one[scale], target[at]) for at, scale in enumerate("GIL")] for one in sources]
    )
    slopes = {scale: _told(entropy[:, [at]], beta[:, [at]]) for at, scale in enumerate("GIL")}
    able = [at for at, scale in enumerate("GIL") if slopes[scale]["slope"] is not None]
    slopes["all"] = {**_told(entropy[:, able], beta[:, able]), "scales": ["GIL"[at] for at in able]}
    rows = [
        {"language": language.name, "entropy_nats": h.tolist(), "multiplier": b.tolist()}
        for language, h, b in zip(languages, entropy, beta, strict=True)
    ]
    return {"languages": rows, "common_rate_nats": target.tolist(), "slopes": slopes}


def _told(entropy: Array, beta: Array) -> dict[str, Any]:
    try:
        found = equation23(entropy, beta)
    except InputError as error:
        return {"slope": None, "ci": None, "reason": str(error)}
    return {"slope": found.slope, "ci": list(found.ci), "count": found.languages}


def common_rates(trained: Sequence[Trained]) -> Array:
    """A rate of each scale that every language passes through on its ladder, (3,); NaN where there is none."""
    low = np.max([one.rates.min(0) for one in trained], axis=0)
    high = np.min([one.rates.max(0) for one in trained], axis=0)
    return np.where(low < high, 0.5 * (low + high), np.nan)


@cache
def shipped() -> dict[str, Any]:
    """Latents learnt without labels, from `python -m calibration languages`: no test of equation 23."""
    return json.loads((files("mspgt.theory") / "data" / "languages.json").read_text("utf-8"))


def _within(x: Array, y: Array) -> float:
    """Least-squares slope common to all scales, each with its own intercept."""
    dx, dy = x - x.mean(0), y - y.mean(0)
    return float((dx * dy).sum() / max((dx * dx).sum(), 1e-300))


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
