"""Attention seen beside the model's own: against arithmetic in float64, and leaving the model as it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

import mspgt.lm.attention
from mspgt.lm.attention import Maps, Recomputed, attention_implementation, seen_through_interface
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import observe
from mspgt.lm.tokenize import batches, encode

from .tiny import BY_INTERFACE, TEXTS

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
@pytest.mark.parametrize("kind", ["none", "boolean", "additive", "flash"])
def test_against_arithmetic(
    monkeypatch: pytest.MonkeyPatch, softcap: float | None, with_sinks: bool, window: int, kind: str
) -> None:
    monkeypatch.setitem(mspgt.lm.attention._AT_ONCE, "cpu", 1)  # as many runs of queries as can be
    generator = torch.Generator().manual_seed(3)
    query = torch.randn(B, T, H, E, generator=generator).transpose(1, 2)
    key, value = (torch.randn(B, K, T, E, generator=generator) for _ in range(2))
    sinks = torch.randn(H, generator=generator) if with_sinks else None
    place = torch.arange(T)
    causal = (place[None] <= place[:, None]) & (place[None] > place[:, None] - window)
    real = torch.tensor([[True] * T, [True] * (T - 1) + [False]])
    allowed = causal & real[:, None] if kind != "none" else causal.expand(B, T, T)
    masks = {
        "none": None,
        "boolean": allowed[:, None],
        "additive": torch.where(allowed, 0.0, torch.finfo(torch.float32).min)[:, None],
        "flash": real,
    }
    maps = Recomputed(
        query, key, masks[kind], 0.4, window=window if kind in ("none", "flash") else None, softcap=softcap,
        sinks=sinks,
    )  # fmt: skip
    weights, _ = by_hand(query, key, value, allowed, 0.4, softcap, sinks)
    torch.testing.assert_close(maps.by_head().double(), weights, atol=1e-6, rtol=0)
    torch.testing.assert_close(mean_of(maps, (B, T, T)).double(), weights.mean(1), atol=1e-6, rtol=0)


def test_runs_of_queries_are_one_map(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(4)
    query, key = torch.randn(2, 4, 70, 8, generator=generator), torch.randn(2, 2, 70, 8, generator=generator)
    maps = Recomputed(query, key, None, 0.3)
    whole = maps.by_head()
    monkeypatch.setitem(mspgt.lm.attention._AT_ONCE, "cpu", 1)
    torch.testing.assert_close(maps.by_head(), whole, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(mean_of(maps, (2, 70, 70)), whole.mean(1), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_hidden_key_takes_no_weight_whatever_its_score(dtype: torch.dtype) -> None:
    """As filled in by hand, to the last bit; a query that sees nothing spreads evenly, as in the model."""
    generator = torch.Generator().manual_seed(5)
    query, key = (1e6 * torch.randn(2, 4, 40, 8, generator=generator, dtype=dtype) for _ in range(2))
    allowed = torch.rand(2, 1, 40, 40, generator=generator) < 0.5
    allowed[0, 0, 7] = False
    maps = Recomputed(query, key, allowed, 0.3, causal=False)
    scores = torch.matmul(query * 0.3, key.transpose(-1, -2))
    expected = torch.softmax(scores.masked_fill(~allowed, torch.finfo(dtype).min), -1)
    assert torch.equal(maps.by_head(), expected)
    assert (expected[0, :, 7] == 1 / 40).all()


def mean_of(maps: Maps, shape: tuple[int, ...]) -> torch.Tensor:
    whole = torch.zeros(shape)
    maps.mean_into(whole)
    return whole


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("family", BY_INTERFACE)
def test_the_residual_stream_is_that_of_the_plain_pass_bit_for_bit(
    tiny_lm: Callable[..., LanguageModel], family: str, dtype: str, implementation: str
) -> None:
    lm = tiny_lm(family, load_as=dtype)
    if implementation == "sdpa" and not lm.model._supports_sdpa:
        pytest.skip(f"{family} has no sdpa")
    encoded = encode(lm, TEXTS)
    with attention_implementation(lm.model, implementation):
        # One batch with padding and one without: sdpa gets a mask for the first and none for the second.
        for texts in (encoded, encoded[:1]):
            (batch,) = batches(texts, max_tokens=10_000)
            plain = observe(lm, batch, attention=False)
            seen = observe(lm, batch, verify=True)
            for one, other in zip(plain.hidden, seen.hidden, strict=True):
                assert torch.equal(one, other)
            assert seen.apart is not None
            assert seen.apart < {"float32": 1e-5, "bfloat16": 2e-2, "float16": 2e-3}[dtype]


def test_nobody_looks_outside_the_context(tiny_lm: Callable[..., LanguageModel]) -> None:
    lm = tiny_lm("llama")
    seen: list[Maps] = []
    ids = torch.tensor([[1, 2, 3]])
    with seen_through_interface(seen.append), torch.inference_mode():
        lm.model(input_ids=ids)
    assert len(seen) == lm.layers
    with torch.inference_mode():
        lm.model(input_ids=ids)
    assert len(seen) == lm.layers


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
