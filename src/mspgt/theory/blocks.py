"""What an H-VIB on frozen states is made of: the data in two halves of documents, the modules, and their training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mspgt.errors import InputError
from mspgt.stats.bootstrap import document_weights
from mspgt.theory.hvib import HVIB, Network, Standard, Terms, fit_sampled, sampled

Array = NDArray[np.float64]
Three = tuple[float, float, float]

WIDTHS = (4, 4, 8)
CLASSES = 64  # the most frequent next tokens, and one for all others
HIDDEN = 64
BATCH = 256
LEAST = 256  # tokens in each half


class Blocks:
    """States behind G, I and L, and the next token: posteriors see the states, a decoder sees the latents."""

    def __init__(
        self,
        evidence: Sequence[Array],
        following: NDArray[np.int64],
        document: NDArray[np.int64],
        seed: int,
    ) -> None:
        """Every other document trains, the rest are held out.

        Args:
            evidence: states (tokens, k) behind G, I and L. following: (tokens,) next token, negative where there is
                none. document: (tokens,).

        Raises:
            InputError: fewer than 256 tokens in a half, or a single next token.
        """
        _, order = np.unique(document, return_inverse=True)
        known = following >= 0
        train, test = (np.flatnonzero(known & (order % 2 == side)) for side in (0, 1))
        if min(len(train), len(test)) < LEAST:
            raise InputError(
                f"The H-VIB needs at least {LEAST} tokens with a successor in each half of the documents, found "
                f"{len(train)} and {len(test)}: give more text."
            )
        self.document, self.seed = document, seed
        labels, classes, self.blind = _labels(following, train, test)
        self.inputs = [
            torch.from_numpy(
                (e - e[train].mean(0)) / np.where(e[train].std(0) > 0, e[train].std(0), 1.0)
            ).float()
            for e in evidence
        ]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model, self.decoder = _model([e.shape[1] for e in self.inputs], classes)
        self.generator = torch.Generator().manual_seed(seed)
        self.target = torch.from_numpy(labels)
        self.training, self.held_out = torch.from_numpy(train), torch.from_numpy(test)

    def terms(self, chosen: Tensor, noise: Sequence[Tensor], factors: Three = (1.0, 1.0, 1.0)) -> Terms:
        """Of the chosen tokens; factors inflate the posteriors (`HVIB.terms`)."""
        answers = self.target[chosen]

        def log_likelihood(*latents: Tensor) -> Tensor:
            log_p = torch.log_softmax(self.decoder(torch.cat(latents, dim=-1)), -1)
            return log_p.gather(-1, answers.expand(log_p.shape[:-1])[..., None])[..., 0]

        none = torch.zeros((len(chosen), 0))
        return self.model.terms(none, [e[chosen] for e in self.inputs], log_likelihood, noise, factors)

    def fit(self, betas: Three, steps: int) -> None:
        """Train on from where the modules are."""

        def loss() -> Tensor:
            chosen = self.training[torch.randint(0, len(self.training), (BATCH,), generator=self.generator)]
            found = self.terms(chosen, sampled(2, BATCH, WIDTHS, self.generator))
            return -found.objective(betas).mean()

        fit_sampled(loss, [*self.model.parameters(), *self.decoder.parameters()], steps=steps)

    def noise(self, tokens: Tensor, offset: int) -> list[Tensor]:
        """Noise that is the same in every call."""
        return sampled(8, len(tokens), WIDTHS, torch.Generator().manual_seed(self.seed + offset))

    def resampled(self, tokens: Tensor, draws: int) -> tuple[Array, int]:
        """Weights of tokens when documents are resampled, (draws, tokens), and how many documents there are."""
        _, owners = np.unique(self.document[tokens.numpy()], return_inverse=True)
        documents = int(owners.max()) + 1
        return document_weights(documents, draws, self.seed)[:, owners], documents


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
