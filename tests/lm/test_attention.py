"""The attention function against arithmetic in float64, one query at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from mspgt.lm.attention import OBSERVED, attention_implementation, observed_attention, seen_through_interface
from mspgt.lm.load import LanguageModel

B, H, K, T, E = 2, 4, 2, 5, 8


def by_hand(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    allowed: torch.Tensor,
    scaling: float,
    softcap: float | None,
    sinks: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    weights = torch.zeros(B, H, T, T, dtype=torch.float64)
    output = torch.zeros(B, T, H, E, dtype=torch.float64)
    for b in range(B):
        for h in range(H):
            k, v = key[b, h // (H // K)].double(), value[b, h // (H // K)].double()
            for t in range(T):
                total = 0.0 if sinks is None else math.exp(float(sinks[h]))
                for s in range(T):
                    if allowed[b, t, s]:
                        score = float(query[b, h, t].double() @ k[s]) * scaling
                        score = score if softcap is None else softcap * math.tanh(score / softcap)
                        weights[b, h, t, s] = math.exp(score)
                total += float(weights[b, h, t].sum())
                weights[b, h, t] /= total
                output[b, t, h] = weights[b, h, t] @ v
    return weights, output


@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize("with_sinks", [False, True])
@pytest.mark.parametrize("window", [2, T])
def test_against_arithmetic(
    tiny_lm: Callable[..., LanguageModel], softcap: float | None, with_sinks: bool, window: int
) -> None:
    generator = torch.Generator().manual_seed(3)
    query = torch.randn(B, T, H, E, generator=generator).transpose(1, 2)
    key, value = (torch.randn(B, K, T, E, generator=generator) for _ in range(2))
    sinks = torch.randn(H, generator=generator) if with_sinks else None
    place = torch.arange(T)
    causal = (place[None] <= place[:, None]) & (place[None] > place[:, None] - window)
    allowed = causal.expand(B, T, T)
    mask = torch.where(allowed, 0.0, torch.finfo(torch.float32).min)[:, None]
    seen: list[torch.Tensor] = []
    with seen_through_interface(tiny_lm("llama").model, seen.append):
        output, returned = observed_attention(
            nn.Identity(), query, key, value, mask, scaling=0.4, softcap=softcap, s_aux=sinks
        )
    weights, expected = by_hand(query, key, value, allowed, 0.4, softcap, sinks)
    torch.testing.assert_close(seen[0].double(), weights, atol=1e-6, rtol=0)
    torch.testing.assert_close(output.double(), expected, atol=1e-6, rtol=0)
    assert returned is None


def test_nobody_looks_outside_the_context(tiny_lm: Callable[..., LanguageModel]) -> None:
    lm = tiny_lm("llama")
    seen: list[torch.Tensor] = []
    with seen_through_interface(lm.model, seen.append):
        pass
    with attention_implementation(lm.model, OBSERVED), torch.inference_mode():
        lm.model(input_ids=torch.tensor([[1, 2, 3]]))
    assert seen == []


def test_the_implementation_before_comes_back(tiny_lm: Callable[..., LanguageModel]) -> None:
    for family in ("llama", "gemma2", "falcon"):
        model = tiny_lm(family).model
        before = model.config._attn_implementation
        inside = []

        def fail(model: Any = model, inside: list[str] = inside) -> None:
            with attention_implementation(model, "eager"):
                inside.append(model.config._attn_implementation)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert inside == ["eager"]
        assert model.config._attn_implementation == before
