"""Does what stands behind a text in its batch stay without effect on it?"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from mspgt.lm.float32 import HALF, in_float32, why_not_in_float32
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import deviation, observe
from mspgt.lm.probe import TOLERANCE, type_name
from mspgt.lm.tokenize import Batch


def padding_is_harmless(lm: LanguageModel, batch: Batch) -> tuple[bool, str]:
    """Whether texts in a padded batch have the states that they have alone, and those under any other padding.

    A batch of another shape adds in another order, and a type of eight bits shows it. A model of half precision is
    therefore held to the tolerance of float32 in float32, where it can be run so; how far rounding in its own type
    moves it is told, and exchanged padding must leave it alone in its own type too.

    Returns:
        The finding, and the figures in words.
    """
    exchanged = _moved_by_exchange(lm, batch)
    own = (
        f"exchanged padding moves the text by {exchanged:.1e}"
        if exchanged
        else "exchanged padding moves no bit"
    )
    if not exchanged <= TOLERANCE[lm.dtype]:
        return False, f"padding reaches the text: {own} relative, tolerance {TOLERANCE[lm.dtype]:.0e}"
    alone = _moved_by_company(lm, batch)
    if lm.dtype not in HALF:
        return _judged(lm, alone, own)
    if reason := why_not_in_float32(lm):
        ok, told = _judged(lm, alone, own)
        return ok, f"{told}; not compared in float32: {reason}"
    with in_float32(lm) as wide:
        worst = max(_moved_by_company(wide, batch), _moved_by_exchange(wide, batch))
        ok, told = _judged(wide, worst, own)
    return ok, f"{told}; in {type_name(lm.dtype)} its rounding moves them by {alone:.1e}"


def _judged(lm: LanguageModel, worst: float, own: str) -> tuple[bool, str]:
    tolerance = TOLERANCE[lm.dtype]
    return worst <= tolerance, (
        f"{own}; right-padded and unpadded differ by {worst:.1e} relative, tolerance {tolerance:.0e} in "
        f"{type_name(lm.dtype)}"
    )


def _moved_by_exchange(lm: LanguageModel, batch: Batch) -> float:
    """Largest relative difference of a text's states that other tokens in place of padding make."""
    rows = lm.model.get_input_embeddings().weight.shape[0]
    others = (batch.input_ids + 1 + torch.arange(batch.input_ids.shape[1])) % rows
    real = batch.attention_mask.bool()
    exchanged = replace(batch, input_ids=torch.where(real, batch.input_ids, others))
    return max(
        deviation(one[real.to(one.device)], other[real.to(one.device)])
        for one, other in zip(_states(lm, batch), _states(lm, exchanged), strict=True)
    )


def _moved_by_company(lm: LanguageModel, batch: Batch) -> float:
    """Largest relative difference of a text's states in a padded batch from those that it has alone."""
    padded = _states(lm, batch)
    worst = 0.0
    for row in range(len(batch.indices)):
        length = int(batch.attention_mask[row].sum())
        alone = Batch(
            batch.input_ids[row : row + 1, :length],
            batch.attention_mask[row : row + 1, :length],
            batch.special[row : row + 1, :length],
            [batch.offsets[row]],
            [0],
        )
        pairs = zip(_states(lm, alone), padded, strict=True)
        worst = max(worst, *(deviation(one[0], many[row, :length]) for one, many in pairs))
    return worst


def _states(lm: LanguageModel, batch: Batch) -> list[Tensor]:
    return observe(lm, batch, attention=False).hidden
