"""What noise costs a model on a given text: divergence of the next token, and extra loss, arm by arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.interventions.arms import Arm
from mspgt.interventions.doses import Yardsticks, noise_sizes
from mspgt.interventions.prompts import Prompt, make_prompts
from mspgt.lm.model import LanguageModel
from mspgt.lm.perturb import Noise, perturbed
from mspgt.lm.start import AUTO
from mspgt.text.corpus import Corpus
from mspgt.text.limits import evenly_spread

Array = NDArray[np.float64]


def make_passages(
    lm: LanguageModel, corpus: Corpus, count: int, length: int, *, start: str = AUTO
) -> list[Prompt]:
    """The first `length` tokens of documents spread evenly over the corpus; shorter documents come last."""
    every = make_prompts(lm, corpus, len(corpus.documents), length, start=start)
    whole = [one for one in every if len(one.ids) - one.special >= length]
    return list(evenly_spread(whole if len(whole) >= count else every, count))


def passage_costs(
    lm: LanguageModel,
    passages: Sequence[Prompt],
    arms: Sequence[Arm],
    yardsticks: Yardsticks,
    *,
    seed: int,
    rows: int = 8,
    progress: Callable[[int], None] | None = None,
) -> tuple[Array, Array]:
    """KL(clean ‖ noisy) of the next token and extra loss, nats a token: each (passages, arms).

    Over the predictions made from positions that take noise, which spares the first. NaN where an arm's numbers
    stop being finite.

    Args:
        rows: arms read at once; changes memory, not results.
        progress: called with the number of passages finished.
    """
    sizes, own = noise_sizes(arms, yardsticks)
    kl, loss = (np.full((len(passages), len(arms)), np.nan) for _ in range(2))
    for at, passage in enumerate(passages):
        ids = torch.tensor(passage.ids, device=lm.device)
        kl[at], loss[at] = token_costs(
            lm,
            ids,
            passage.sample,
            sizes,
            own,
            seed=seed,
            first=passage.spared,
            start=passage.spared,
            rows=rows,
        )
        if progress is not None:
            progress(at + 1)
    return kl, loss


def token_costs(
    lm: LanguageModel,
    ids: Tensor,
    sample: int,
    sizes: Tensor,
    own: Tensor,
    *,
    seed: int,
    first: int,
    start: int,
    rows: int = 8,
) -> tuple[Array, Array]:
    """Mean KL(clean ‖ noisy) of the next token and mean extra loss over one text, nats: each (arms,).

    Args:
        ids: (T,) int64. sizes, own: noise of each arm, as `noise_sizes` gives it.
        first: positions before it take no noise.
        start: predictions made from positions before it do not count; the extra loss knows no last token.
    """
    found = np.full((2, len(sizes)), np.nan)
    labels = ids[start + 1 :, None]
    with torch.inference_mode():
        clean = lm.model(input_ids=ids[None], use_cache=False).logits[0, start:].float().log_softmax(dim=-1)
        weight = clean.exp()
        for begin in range(0, len(sizes), rows):
            some = sizes[begin : begin + rows].to(lm.device)
            noise = Noise(seed, [sample], some, lm.width, first=first, own=own[begin : begin + rows])
            noise.place(0, len(ids))
            with perturbed(lm, noise):
                logits = lm.model(input_ids=ids.expand(len(some), -1), use_cache=False).logits
            for row, one in enumerate(logits[:, start:]):  # row by row, because a vocabulary is wide
                logs = one.float().log_softmax(dim=-1)
                change = clean - logs
                found[0, begin + row] = float((weight * change).sum(dim=-1).mean())
                found[1, begin + row] = float(change[:-1].gather(-1, labels).mean())
    return found[0], found[1]
