"""A few tokens through a freshly loaded model: is it causal, and how does it show its attention?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from mspgt.errors import ModelError
from mspgt.lm.observe import Observation, observe
from mspgt.lm.tokenize import Encoded, batches

if TYPE_CHECKING:
    from mspgt.lm.load import LanguageModel

# Two attention kernels, or two paddings, differ by rounding. Two to three times the largest `deviation`
# seen between transformers' own kernels on trained models of 5 to 24 layers (bfloat16 4e-2, float16 4e-3),
# with more room in float32 (2e-6), where a wrong result stays far above any rounding.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.bfloat16: 0.1, torch.float16: 1e-2}


def probe(lm: LanguageModel) -> None:
    """Set `lm.attention_route` and `lm.no_attention` by looking; ModelError if the model sees the future."""
    rows = lm.model.get_input_embeddings().weight.shape[0]
    one, other = (_encoded([1 % rows, 2 % rows, 3 % rows, last % rows]) for last in (4, 5))
    batch = next(batches([one, other], max_tokens=8))
    plain = observe(lm, batch, attention=False)
    before = plain.hidden[-1][:, :3]
    if deviation(before[0], before[1]) > TOLERANCE[lm.dtype]:
        raise ModelError(
            f"{lm.name!r} is not a causal language model: its last token changes what stands before it. "
            "Choose a decoder (a model trained to continue text)."
        )
    routes: tuple[Literal["interface", "hooks"], ...] = ("interface", "hooks")
    reasons = []
    for route in routes:
        lm.attention_route = route
        try:
            seen = observe(lm, batch)
        except ModelError as error:
            reasons.append(str(error))
            continue
        if not (reason := _distrust(plain, seen, TOLERANCE[lm.dtype])):
            return
        reasons.append(reason)
    lm.attention_route = None
    lm.no_attention = " ".join(dict.fromkeys(reasons))
    lm.notes.append(f"S3 is not measurable. {lm.no_attention}")


def deviation(one: Tensor, other: Tensor) -> float:
    """Largest relative difference of two residual streams (..., d), token by token in the Euclidean norm.

    By token, since one massive activation would hide the rest.
    """
    one, other = one.float(), other.float()
    return float(((one - other).norm(dim=-1) / one.norm(dim=-1).clamp_min(1e-30)).max())


def _encoded(ids: list[int]) -> Encoded:
    return Encoded(tuple(ids), ((0, 0),) * len(ids), (False,) * len(ids))


def _distrust(plain: Observation, seen: Observation, tolerance: float) -> str:
    if seen.attention is None or deviation(plain.hidden[-1], seen.hidden[-1]) > tolerance:
        return "Watching attention changes what the model computes."
    if bool((seen.attention.sum(dim=-1) > 1 + 1e-3).any()) or bool((seen.attention < 0).any()):
        return "What looks like attention weights does not sum to one."
    return ""
