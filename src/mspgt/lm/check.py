"""Can this model be measured? Every assumption of the measuring pass, tested on the model itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mspgt.errors import MspgtError
from mspgt.lm.blocks import path_of, residual_hooks
from mspgt.lm.float32 import HALF, in_float32, why_not_in_float32
from mspgt.lm.model import NO_LIMIT, LanguageModel
from mspgt.lm.observe import deviation, observe, residual_forward
from mspgt.lm.offload import each_weight
from mspgt.lm.padding import padding_is_harmless
from mspgt.lm.probe import SAMPLE, TOLERANCE, moved_by_watching, rounding, type_name
from mspgt.lm.start import start_token
from mspgt.lm.tokenize import Batch, batches, encode
from mspgt.results.model import Check

Finding = tuple[bool | None, str]
_NO_MAPS = "no block shows attention weights"
DIGITS_LOST = 1e-3  # relative difference from which on fewer than three digits agree


def check(lm: LanguageModel, planted: Sequence[str] | None = None) -> list[Check]:
    """Test on four English sentences whether what `observe` shows of `lm` can be trusted; raises nothing.

    Args:
        planted: sentences of the language that the model was trained on, where that is not a natural one: whether
            it predicts text is judged on them.

    Example:
        >>> from mspgt.lm.load import load
        >>> from mspgt.zoo.bundled import path
        >>> lm = load(path("triscale-llama-1"))  # which knows no English
        >>> [found.name for found in check(lm) if found.ok is False]
        ['predicts text']
    """
    examinations: dict[str, Callable[[LanguageModel], Finding]] = {
        "blocks": _blocks,
        "raw residual": _raw_residual,
        "final norm": _final_norm,
        "padding": _padding,
        "attention measurable": _attention_measurable,
        "attention seen": _attention_seen,
        "attention used": _attention_used,
        "watching is neutral": _neutral,
        "causal": _causal,
        "tokenizer": _tokenizer,
        "beginning of sequence": _bos,
        "start token": _start,
        "float range": _float_range,
        "precision": _precision,
        "context length": _context,
        "weights": _weights,
        "predicts text": partial(_predicts, planted=planted),
    }
    checks = []
    for name, examine in examinations.items():
        try:
            ok, reason = examine(lm)
        except MspgtError as error:
            ok, reason = False, str(error)
        checks.append(Check(name, ok, reason))
    return checks


def _sample(lm: LanguageModel, texts: Sequence[str] = SAMPLE) -> Batch:
    encoded = encode(lm, texts, too_long="cut")
    return next(batches(encoded, max_tokens=len(texts) * max(len(text.ids) for text in encoded)))


def _forward(lm: LanguageModel, batch: Batch) -> None:
    with torch.inference_mode():
        ids, mask = batch.input_ids.to(lm.device), batch.attention_mask.to(lm.device)
        residual_forward(lm.model, lm.blocks, ids, mask)


def _blocks(lm: LanguageModel) -> Finding:
    kinds = sorted({type(block).__name__ for block in lm.blocks})
    return True, f"{lm.layers} blocks at {path_of(lm.model, lm.blocks)} ({', '.join(kinds)}), d = {lm.width}"


def _raw_residual(lm: LanguageModel) -> Finding:
    """What leaves a block must enter the next; copied at once, so that later writes in place show."""
    entered: dict[int, Tensor] = {}
    left: dict[int, Tensor] = {}
    batch = _sample(lm)
    with residual_hooks(
        lm.blocks,
        lambda layer, stream: entered.update({layer: stream.clone()}),
        lambda layer, stream: left.update({layer: stream.clone()}),
    ):
        _forward(lm, batch)
    observed = observe(lm, batch, attention=False).hidden
    for layer in range(1, lm.layers):
        if not torch.equal(left[layer], entered[layer + 1].to(left[layer].device)):
            return False, f"what leaves block {layer} is not what enters block {layer + 1}"
    worst = max(deviation(left[layer], observed[layer]) for layer in left)
    if worst > TOLERANCE[lm.dtype] or deviation(entered[1], observed[0]) > TOLERANCE[lm.dtype]:
        return False, f"a stream changes after it was observed (relative difference {worst:.1e})"
    return True, "what leaves each block is what enters the next, untouched"


def _final_norm(lm: LanguageModel) -> Finding:
    """hidden_states[-1] of transformers must be the raw residual, or one module away from it."""
    batch = _sample(lm)
    inside = {id(module) for module in lm.blocks.modules()}
    raw: list[Tensor] = []
    steps: list[tuple[str, Tensor]] = []

    def after(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, args: Any, output: Any) -> None:
            took_raw = bool(raw and args) and isinstance(args[0], Tensor) and args[0].shape == raw[0].shape
            if took_raw and isinstance(output, Tensor) and torch.equal(args[0].to(raw[0].device), raw[0]):
                steps.append((name, output))

        return hook

    modules = [(name, module) for name, module in lm.model.named_modules() if id(module) not in inside]
    handles = [module.register_forward_hook(after(name)) for name, module in modules]
    last = lm.layers
    try:
        with (
            residual_hooks(
                lm.blocks,
                lambda *_: None,
                lambda layer, stream: raw.append(stream) if layer == last else None,
            ),
            torch.inference_mode(),
        ):
            ids, mask = batch.input_ids.to(lm.device), batch.attention_mask.to(lm.device)
            states = lm.model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    finally:
        for handle in handles:
            handle.remove()
    if not states:
        return None, "the model returns no hidden states of its own to compare with"
    if torch.equal(states[-1], raw[0]):
        return True, "the model has no norm after its last block, or does not show it"
    for name, output in steps:
        if torch.equal(output, states[-1]):
            return True, f"the model's own last hidden state is ours after {name}; ours is the raw one"
    return False, "the model's own last hidden state is not the observed one after a single module"


def _padding(lm: LanguageModel) -> Finding:
    return padding_is_harmless(lm, _sample(lm))


def _attention_measurable(lm: LanguageModel) -> Finding:
    if lm.has_attention:
        return True, f"S3 can be measured in {_type(lm)}"
    # An architecture without attention has nothing to show; one with it that cannot be watched lacks something.
    return (None if _NO_MAPS in lm.no_attention else False), f"{lm.no_attention} S1 and S2 can be measured"


def _attention_seen(lm: LanguageModel) -> Finding:
    if not lm.has_attention:
        return None, "S3 is not measurable"
    batch = _sample(lm)
    attention = observe(lm, batch).attention
    assert attention is not None
    sums = attention.sum(dim=-1)[:, batch.attention_mask.bool()]
    low, high = float(sums.min()), float(sums.max())
    slack = rounding(lm.dtype)
    if abs(high - 1) < slack and abs(low - 1) < slack:
        return True, f"rows sum to one within {max(high - 1, 1 - low):.1e}, seen through {lm.attention_route}"
    if low > 0 and high <= 1 + slack:
        return True, f"rows sum to {low:.3f} to {high:.3f}: learned sinks take the rest"
    return False, f"rows sum to {low:.3f} to {high:.3f}, expected one"


def _attention_used(lm: LanguageModel) -> Finding:
    """What was seen, times the values, must be what the model's own attention gives."""
    if not lm.has_attention:
        return None, "no attention to compare"
    apart = observe(lm, _sample(lm), verify=True).apart
    if apart is None:
        return None, "the model shows these weights only after it used them"
    tolerance = TOLERANCE[lm.dtype]
    return apart <= tolerance, (
        f"the weights seen give the output of the model's own attention ({lm.model.config._attn_implementation}) "
        f"within {apart:.1e} relative, tolerance {tolerance:.0e}"
    )


def _neutral(lm: LanguageModel) -> Finding:
    if not lm.has_attention:
        return None, "no attention to watch"
    batch = _sample(lm)
    moved = moved_by_watching(batch, observe(lm, batch, attention=False), observe(lm, batch))
    if moved == 0:
        return True, f"watching attention leaves the residual as it is, bit for bit, in {_type(lm)}"
    allowed = 0.0 if lm.attention_route == "interface" else TOLERANCE[lm.dtype]
    return (
        moved <= allowed,
        f"watching attention moves the residual by {moved:.1e} relative, allowed {allowed:.0e}",
    )


def _causal(lm: LanguageModel) -> Finding:
    if not lm.has_attention:
        return True, "a token does not change what stands before it (tested when the model was loaded)"
    attention = observe(lm, _sample(lm)).attention
    assert attention is not None
    future = float(attention.triu(1).max())
    return future == 0, f"largest weight on a later token: {future:.1e}"


def _tokenizer(lm: LanguageModel) -> Finding:
    for text, encoded in zip(SAMPLE, encode(lm, SAMPLE, too_long="cut"), strict=True):
        covered: set[int] = set()
        for (start, end), special in zip(encoded.offsets, encoded.special, strict=True):
            if not special:
                covered.update(range(start, end))
        end = len(text) if not encoded.cut else max(covered, default=0)
        lost = [place for place in range(end) if text[place] != " " and place not in covered]
        if lost:
            return False, f"no token covers character {lost[0]} of {text!r}; words cannot be aligned"
    pad = lm.tokenizer.pad_token
    return (
        True,
        f"{type(lm.tokenizer).__name__}: character offsets cover the text; {pad!r} pads behind the mask",
    )


def _bos(lm: LanguageModel) -> Finding:
    added = encode(lm, SAMPLE[:1])[0].special
    if added and added[0]:
        return True, "sentences start with a special token; it is measured apart"
    return None, "sentences start without one: position 0 is the first word"


def _start(lm: LanguageModel) -> Finding:
    found = start_token(lm)
    assert found is not None
    return True, f"{found.token!r} stands before every text: {found.why}"


def _float_range(lm: LanguageModel) -> Finding:
    largest = [float(stream.abs().max()) for stream in observe(lm, _sample(lm), attention=False).hidden]
    layer = max(range(len(largest)), key=largest.__getitem__)
    limit = torch.finfo(lm.dtype).max
    reason = f"largest activation {largest[layer]:.4g} at layer {layer}; {_type(lm)} holds {limit:.4g}"
    return largest[layer] < 0.1 * limit, reason


def _precision(lm: LanguageModel) -> Finding:
    """How far the model's own type moves its states; the digits of S1 and S3 are estimated in a run."""
    if lm.dtype not in HALF:
        return True, f"it computes in {_type(lm)}"
    if reason := why_not_in_float32(lm):
        return None, f"{_type(lm)} cannot be compared with float32: {reason}"
    batch = _sample(lm)
    real = batch.attention_mask.bool()
    own = observe(lm, batch, attention=False).hidden
    with in_float32(lm) as wide:
        exact = observe(wide, batch, attention=False).hidden
    apart = [
        float(((a - b).norm(dim=-1) / b.norm(dim=-1).clamp_min(1e-30)).median())
        for a, b in (
            (x[real.to(x.device)].float(), y[real.to(y.device)]) for x, y in zip(own, exact, strict=True)
        )
    ]
    layer = max(range(len(apart)), key=apart.__getitem__)
    told = f"states in {_type(lm)} differ by {apart[layer]:.1%} of their length from float32 at layer {layer}"
    if apart[layer] >= DIGITS_LOST:
        told += "; fewer than three digits hold, and a run says how many of S1 and S3 (--dtype float32 keeps them)"
    return apart[layer] < TOLERANCE[lm.dtype], told


def _context(lm: LanguageModel) -> Finding:
    if lm.max_length >= NO_LIMIT:
        return None, "the config names no limit"
    return True, f"{lm.max_length} tokens; longer sentences are cut or refused"


def _weights(lm: LanguageModel) -> Finding:
    bad = [name for name, weights in each_weight(lm.model) if not bool(torch.isfinite(weights).all())]
    if bad:
        return False, f"NaN or infinity in {bad[0]}"
    return True, f"{lm.parameters:,} parameters, all finite, {_type(lm)}"


def _predicts(lm: LanguageModel, planted: Sequence[str] | None) -> Finding:
    batch = _sample(lm, planted or SAMPLE)
    ids, mask = batch.input_ids.to(lm.device), batch.attention_mask.to(lm.device)
    with torch.inference_mode():
        logits = lm.model(input_ids=ids, attention_mask=mask).logits.float()
    known = mask[:, 1:].bool().to(logits.device)
    loss = nn.functional.cross_entropy(logits[:, :-1][known], ids[:, 1:].to(logits.device)[known]).item()
    chance = math.log(logits.shape[-1])
    return loss < 0.9 * chance, (
        f"{loss:.2f} nats a token on {'its planted language' if planted else 'plain English'}, "
        f"{chance:.2f} by chance"
        + ("" if loss < 0.9 * chance else ": untrained, or weights and tokenizer do not belong together")
    )


def _type(lm: LanguageModel) -> str:
    return type_name(lm.dtype)
