"""A little text through a freshly loaded model: is it causal, and how does it show its attention?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import torch

from mspgt.errors import ModelError
from mspgt.lm.observe import Observation, deviation, observe
from mspgt.lm.tokenize import Batch, Encoded, batches, encode

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel

# Two attention kernels, or two paddings, differ by rounding. Two to three times the largest `deviation`
# seen between transformers' own kernels on trained models of 5 to 24 layers (bfloat16 4e-2, float16 4e-3),
# with more room in float32 (2e-6), where a wrong result stays far above any rounding.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.bfloat16: 0.1, torch.float16: 1e-2}


# Plain English: special tokens, or ids at random, have states that text never has.
SAMPLE = (
    "The old man pulled his boat out of the water and looked at the sky.",
    "She laughed.",
    "Nobody knew why the lights had gone out, and nobody asked.",
    "Rain fell on the roof all night long.",
)


def probe(lm: LanguageModel) -> None:
    """Set `lm.attention_route` and `lm.no_attention` by looking; ModelError if the model sees the future."""
    encoded = encode(lm, SAMPLE, too_long="cut")
    _require_causal(lm, encoded[0])
    batch = next(batches(encoded, max_tokens=len(encoded) * max(len(text.ids) for text in encoded)))
    plain = observe(lm, batch, attention=False)
    routes: tuple[Literal["interface", "hooks"], ...] = ("interface", "hooks")
    reasons = []
    for route in routes:
        lm.attention_route = route
        try:
            seen = observe(lm, batch, verify=True)
        except ModelError as error:
            reasons.append(str(error))
            continue
        if not (reason := _distrust(lm, batch, plain, seen)):
            return
        reasons.append(reason)
    lm.attention_route = None
    lm.no_attention = " ".join(dict.fromkeys(reasons))
    lm.notes.append(f"S3 is not measurable. {lm.no_attention}")


def _require_causal(lm: LanguageModel, text: Encoded) -> None:
    """Two texts that differ in their last token must be equal before it."""
    if len(text.ids) < 2:
        return
    rows = lm.model.get_input_embeddings().weight.shape[0]
    ends = (text.ids[-1], (text.ids[-1] + 1) % rows)
    pair = [replace(text, ids=(*text.ids[:-1], end)) for end in ends]
    batch = next(batches(pair, max_tokens=2 * len(text.ids)))
    before = observe(lm, batch, attention=False).hidden[-1][:, :-1]
    if deviation(before[0], before[1]) > TOLERANCE[lm.dtype]:
        raise ModelError(
            f"{lm.name!r} is not a causal language model: its last token changes what stands before it. "
            "Choose a decoder (a model trained to continue text)."
        )


def _distrust(lm: LanguageModel, batch: Batch, plain: Observation, seen: Observation) -> str:
    """Why what was seen is not the attention that the model computes with; empty if it is."""
    tolerance = TOLERANCE[lm.dtype]
    moved = moved_by_watching(batch, plain, seen)
    # Beside the model's own attention nothing may move at all; hooks need another attention function.
    if seen.attention is None or moved > (0.0 if lm.attention_route == "interface" else tolerance):
        return (
            f"Watching attention moves the residual stream by {moved:.1e} relative in {type_name(lm.dtype)} "
            f"(allowed: {tolerance:.0e}); another type may do (--dtype float32)."
        )
    if seen.apart is not None and not seen.apart <= tolerance:
        return (
            f"The weights that were seen give another output than the model's own attention, by {seen.apart:.1e} "
            f"relative in {type_name(lm.dtype)} (allowed: {tolerance:.0e}); another type may do (--dtype float32)."
        )
    if bool((seen.attention.sum(dim=-1) > 1 + rounding(lm.dtype)).any()) or bool((seen.attention < 0).any()):
        return "What looks like attention weights does not sum to one."
    return ""


def moved_by_watching(batch: Batch, plain: Observation, seen: Observation) -> float:
    """How far watching attention moves the residual stream of real tokens, at the layer where it does most."""
    real = batch.attention_mask.bool()
    pairs = (
        (a[real.to(a.device)], b[real.to(b.device)]) for a, b in zip(plain.hidden, seen.hidden, strict=True)
    )
    return max(0.0 if torch.equal(a, b) else deviation(a, b) for a, b in pairs)


def rounding(dtype: torch.dtype) -> float:
    """How far a row of weights may be from one: those that a model returns are rounded to its own type."""
    return max(1e-3, 2 * torch.finfo(dtype).eps)


def type_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
