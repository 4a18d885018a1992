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

# Relative to the largest activation of a layer; two attention kernels differ by rounding only.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}


def probe(lm: LanguageModel) -> None:
    """Set `lm.attention_route` and `lm.no_attention` by looking; ModelError for a model that sees the future."""
    rows = lm.model.get_input_embeddings().weight.shape[0]
    first = tuple(token % rows for token in (1, 2, 3, 4))
    second = (*first[:3], 5 % rows)
    batch = next(batches([_encoded(first), _encoded(second)], max_tokens=8))
    plain = observe(lm, batch, attention=False)
    last = plain.hidden[-1]
    if deviation(last[0, :3], last[1, :3]) > TOLERANCE[lm.dtype]:
        raise ModelError(
            f"{lm.name!r} is not a causal language model: changing the last token changes what stands before it. "
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
        if problem := _problem(plain, seen, lm.dtype):
            reasons.append(problem)
            continue
        return
    lm.attention_route = None
    lm.no_attention = "; ".join(dict.fromkeys(reasons))


def _encoded(ids: tuple[int, ...]) -> Encoded:
    return Encoded(ids, ((0, 0),) * len(ids), (False,) * len(ids))


def deviation(one: Tensor, other: Tensor) -> float:
    """Largest absolute difference, relative to the largest absolute value."""
    scale = one.abs().max().float().clamp_min(1e-30)
    return float((one.float() - other.float()).abs().max() / scale)


def _problem(plain: Observation, seen: Observation, dtype: torch.dtype) -> str:
    assert seen.attention is not None
    if deviation(plain.hidden[-1], seen.hidden[-1]) > TOLERANCE[dtype]:
        return "watching attention changes what the model computes"
    rows = seen.attention.sum(dim=-1)
    if bool((rows > 1 + 1e-3).any()) or bool((seen.attention < 0).any()):
        return "what looks like attention is not: rows sum to more than one"
    return ""
