"""The residual stream against forward passes written out by hand in float64, and against any padding.

Each check is also shown to bite: the stream read after the final norm, one layer off, with padding averaged in, or
with positions counted from padding on the left is seen by the same comparison.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import observe, residual_forward
from mspgt.lm.tokenize import Batch, batches, encode

from .tiny import TEXTS, tiny_model

DOUBLE = ["llama", "qwen2", "qwen3", "mistral", "gpt_neox", "gpt2", "falcon"]  # compute in float64 throughout
SINGLE = ["gemma2", "bloom", "gpt_oss", "mamba"]  # take a step in float32 whatever the weights are
Make = Callable[[str], LanguageModel]


@pytest.fixture(scope="module")
def in_float32(tmp_path_factory: pytest.TempPathFactory) -> Make:
    @cache
    def make(family: str) -> LanguageModel:
        return load(tiny_model(tmp_path_factory.mktemp(family), family), device="cpu")

    return make


@pytest.fixture(scope="module")
def in_float64(tmp_path_factory: pytest.TempPathFactory) -> Make:
    @cache
    def make(family: str) -> LanguageModel:
        lm = load(tiny_model(tmp_path_factory.mktemp(family), family), device="cpu")
        lm.model.double()
        return lm

    return make


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """q (H, T, e), k and v (K, T, e), a group of H / K heads sharing each; returns (T, H·e)."""
    length = q.shape[1]
    out = []
    for head in range(q.shape[0]):
        group = head * k.shape[0] // q.shape[0]
        rows = []
        for t in range(length):
            scores = (k[group, : t + 1] @ q[head, t]) / math.sqrt(q.shape[2])
            weights = torch.exp(scores - scores.max())
            rows.append((weights / weights.sum()) @ v[group, : t + 1])
        out.append(torch.stack(rows))
    return torch.cat(out, dim=-1)


def rms(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """In single precision, as transformers normalises whatever the model computes in."""
    single = x.float()
    scale = torch.rsqrt(single.pow(2).mean(-1, keepdim=True) + eps)
    return weight * (single * scale).double()


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    mean = x.mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(((x - mean) ** 2).mean(-1, keepdim=True) + eps) * weight + bias


def turned(x: Tensor, base: float) -> Tensor:
    """Rotary position embedding of x (H, T, e), first half with second half (Su et al. 2021)."""
    half = x.shape[-1] // 2
    # In single precision, as transformers has this table whatever the model computes in.
    frequency = 1 / base ** (torch.arange(half).float() / half)
    angle = torch.arange(x.shape[1]).float()[:, None] * frequency
    cos, sin = angle.cos().double(), angle.sin().double()
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def llama_by_hand(lm: LanguageModel, ids: Tensor) -> list[Tensor]:
    """Residual streams 0..L of one sequence, (T, d) each."""
    config, w = lm.model.config, {k: v.detach() for k, v in lm.model.state_dict().items()}
    heads, groups = config.num_attention_heads, config.num_key_value_heads
    base, eps = config.rope_parameters["rope_theta"], config.rms_norm_eps
    x = w["model.embed_tokens.weight"][ids]
    streams = [x]
    for l in range(config.num_hidden_layers):
        at = f"model.layers.{l}."
        y = rms(x, w[at + "input_layernorm.weight"], eps)
        q, k, v = (
            (y @ w[f"{at}self_attn.{name}_proj.weight"].T).view(len(ids), count, -1).transpose(0, 1)
            for name, count in (("q", heads), ("k", groups), ("v", groups))
        )
        x = x + causal_attention(turned(q, base), turned(k, base), v) @ w[at + "self_attn.o_proj.weight"].T
        y = rms(x, w[at + "post_attention_layernorm.weight"], eps)
        gate, up = (y @ w[f"{at}mlp.{name}_proj.weight"].T for name in ("gate", "up"))
        x = x + (gate * torch.sigmoid(gate) * up) @ w[at + "mlp.down_proj.weight"].T
        streams.append(x)
    return streams


def gpt2_by_hand(lm: LanguageModel, ids: Tensor) -> list[Tensor]:
    config, w = lm.model.config, {k: v.detach() for k, v in lm.model.state_dict().items()}
    x = w["transformer.wte.weight"][ids] + w["transformer.wpe.weight"][: len(ids)]
    streams = [x]
    for l in range(config.n_layer):
        at = f"transformer.h.{l}."

        def linear(y: Tensor, name: str, at: str = at) -> Tensor:
            return y @ w[f"{at}{name}.weight"] + w[f"{at}{name}.bias"]

        def norm(y: Tensor, name: str, at: str = at) -> Tensor:
            return layer_norm(y, w[f"{at}{name}.weight"], w[f"{at}{name}.bias"], config.layer_norm_epsilon)

        q, k, v = linear(norm(x, "ln_1"), "attn.c_attn").chunk(3, dim=-1)
        q, k, v = (part.view(len(ids), config.n_head, -1).transpose(0, 1) for part in (q, k, v))
        x = x + linear(causal_attention(q, k, v), "attn.c_proj")
        y = linear(norm(x, "ln_2"), "mlp.c_fc")
        gelu = 0.5 * y * (1 + torch.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * y**3)))
        x = x + linear(gelu, "mlp.c_proj")
        streams.append(x)
    return streams


BY_HAND = {"llama": llama_by_hand, "gpt2": gpt2_by_hand}


def distance(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """Largest difference relative to the layer's largest value."""
    assert len(ours) == len(theirs)
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("family", BY_HAND)
def test_every_layer_is_what_it_is_called(in_float64: Make, family: str) -> None:
    lm = in_float64(family)
    (batch,) = batches(encode(lm, TEXTS[2:3]), max_tokens=1_000)
    seen = [stream[0] for stream in observe(lm, batch).hidden]
    by_hand = BY_HAND[family](lm, batch.input_ids[0])
    assert distance(seen, by_hand) < 1e-9
    # The faults that this guards against are many orders larger.
    after_norm = lm.model(input_ids=batch.input_ids, output_hidden_states=True).hidden_states[-1][0].detach()
    assert distance([*seen[:-1], after_norm], by_hand) > 1e-2
    assert distance([seen[0], *seen[:-1]], by_hand) > 1e-2


def on_the_left(batch: Batch) -> Batch:
    """The same texts behind their padding."""
    tensors = {name: getattr(batch, name).clone() for name in ("input_ids", "attention_mask", "special")}
    for row, length in enumerate(batch.attention_mask.sum(1).tolist()):
        for tensor in tensors.values():
            tensor[row] = tensor[row].roll(-length)
    return replace(batch, **tensors)


def together(
    lm: LanguageModel, size: int, *, left: bool = False, fill: bool = False, average: bool = False
) -> dict[str, list[Tensor]]:
    """Means over the tokens of every text, layer by layer, and its attention, measured in batches of `size` texts.

    left: padding stands on the left. fill: random tokens stand in its place. average: it is averaged in.
    """
    rng = random.Random(3)
    encoded = encode(lm, TEXTS * 4)
    found: dict[str, list[Tensor]] = {}
    for start in range(0, len(encoded), size):
        (batch,) = batches(encoded[start : start + size], max_tokens=100_000)
        batch = on_the_left(batch) if left else batch
        if fill:
            for row, column in (~batch.attention_mask.bool()).nonzero().tolist():
                batch.input_ids[row, column] = rng.randrange(
                    2, lm.model.get_input_embeddings().weight.shape[0]
                )
        out = observe(lm, batch, attention=lm.has_attention)
        for row, place in enumerate(batch.indices):
            real = batch.attention_mask[row].bool()
            mean = [stream[row, real | average].mean(0) for stream in out.hidden]
            maps = [] if out.attention is None else [out.attention[:, row][:, real][:, :, real]]
            found[(TEXTS * 4)[start + place]] = [*mean, *maps]
    return found


def moved(lm: LanguageModel, *, sizes: tuple[int, ...] = (2, 7, 16), left: bool) -> float:
    """How far batches and what stands in place of padding move a text from what it is alone."""
    alone = together(lm, 1)
    return max(
        distance(streams, alone[text])
        for size in sizes
        for fill in (False, True)
        for text, streams in together(lm, size, left=left, fill=fill).items()
    )


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize(
    ("family", "dtype", "tolerance"),
    [(f, "float64", 1e-10) for f in DOUBLE] + [(f, "float32", 1e-5) for f in DOUBLE + SINGLE],
)
def test_no_batch_and_no_padding_changes_a_feature(
    in_float64: Make, in_float32: Make, family: str, dtype: str, tolerance: float, side: str
) -> None:
    lm = in_float64(family) if dtype == "float64" else in_float32(family)
    assert moved(lm, left=side == "left") < tolerance


def test_padding_averaged_in_would_be_seen(in_float64: Make) -> None:
    lm = in_float64("llama")
    alone, wrong = together(lm, 1), together(lm, 16, average=True)
    assert max(distance(wrong[text], alone[text]) for text in TEXTS) > 1e-2


def test_positions_counted_from_padding_would_be_seen(
    in_float64: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: padding on the left, and nobody tells the model where a text begins."""

    def unshifted(*args: Any, left_padded: bool, **more: Any) -> None:
        residual_forward(*args, **more)

    monkeypatch.setattr("mspgt.lm.observe.residual_forward", unshifted)
    assert moved(in_float64("gpt2"), sizes=(7,), left=True) > 1e-2
    # Rotary positions are relative, and turn back but for the single precision of their table.
    assert moved(in_float64("llama"), sizes=(7,), left=True) > 1e-10
