"""What `observe` shows, held against transformers' own eager attention and hidden states."""

from __future__ import annotations

import random
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mspgt.errors import NumericsError
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import Observation, observe
from mspgt.lm.tokenize import Batch, batches, encode

from .tiny import BY_EITHER, BY_HOOKS, BY_INTERFACE, TEXTS, tiny_model

Make = Callable[..., LanguageModel]
FINAL_NORMS = {"norm", "ln_f", "final_layer_norm", "norm_f"}


def one_batch(lm: LanguageModel, texts: list[str] = TEXTS) -> Batch:
    (batch,) = batches(encode(lm, texts), max_tokens=10_000)
    return batch


def reference(lm: LanguageModel, batch: Batch) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Hidden states and per-head attention as transformers returns them under eager attention."""
    before = lm.model.config._attn_implementation
    lm.model.config._attn_implementation = "eager"
    try:
        with torch.inference_mode():
            out = lm.model(
                input_ids=batch.input_ids,
                attention_mask=batch.attention_mask,
                output_hidden_states=True,
                output_attentions=True,
            )
    finally:
        lm.model.config._attn_implementation = before
    return list(out.hidden_states), list(out.attentions)


def assert_as_transformers(lm: LanguageModel, texts: list[str] = TEXTS) -> None:
    batch = one_batch(lm, texts)
    real = batch.attention_mask.bool()
    by_head: list[torch.Tensor] = []
    seen = observe(lm, batch, on_heads=lambda _, weights: by_head.append(weights.clone()))
    states, attentions = reference(lm, batch)
    assert len(seen.hidden) == lm.layers + 1
    scale = max(float(state.abs().max()) for state in seen.hidden)
    for ours, theirs in zip(seen.hidden[:-1], states[:-1], strict=True):
        torch.testing.assert_close(ours[real], theirs[real], atol=1e-5 * scale, rtol=0)
    (norm,) = [m for name, m in lm.model.base_model.named_children() if name in FINAL_NORMS]
    with torch.inference_mode():
        normed = norm(seen.hidden[-1])
    torch.testing.assert_close(normed[real], states[-1][real], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(seen.hidden[-1][real], states[-1][real], atol=1e-2)
    assert seen.attention is not None
    for layer, theirs in enumerate(attentions, start=1):
        mean = theirs.float().mean(dim=1)
        torch.testing.assert_close(seen.attention[layer - 1][real], mean[real], atol=1e-5, rtol=0)
        ours = by_head[layer - 1].transpose(1, 2)[real]
        torch.testing.assert_close(ours, theirs.transpose(1, 2)[real], atol=5e-5, rtol=0)
    assert float(seen.attention[:, ~real].abs().max()) == 0
    # The families must show attention that a uniform map would not match.
    lengths = torch.arange(1, real.shape[1] + 1)
    assert float((seen.attention[:, 0] - torch.tril(1 / lengths[:, None])).abs().max()) > 0.1


@pytest.mark.parametrize("family", BY_INTERFACE + BY_HOOKS + BY_EITHER)
def test_as_transformers_under_eager(tiny_lm: Make, family: str) -> None:
    lm = tiny_lm(family)
    routes = (
        {"interface"}
        if family in BY_INTERFACE
        else {"hooks"}
        if family in BY_HOOKS
        else {"interface", "hooks"}
    )
    assert lm.attention_route in routes
    assert_as_transformers(lm)


@pytest.mark.parametrize("name", ["llama-a", "qwen-deep", "stories260K"])
def test_as_transformers_on_trained_models(real_models: dict[str, Path], name: str) -> None:
    assert_as_transformers(load(real_models[name], device="cpu"))


def test_a_model_without_attention_shows_its_residual_and_says_why(tiny_lm: Make) -> None:
    lm = tiny_lm("mamba")
    seen = observe(lm, one_batch(lm), attention=True)
    assert seen.attention is None
    assert not lm.has_attention
    assert "no block shows attention" in lm.no_attention
    assert any("S3 is not measurable" in note for note in lm.notes)
    assert len(seen.hidden) == lm.layers + 1


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom"])
def test_shallow_models(tiny_lm: Make, family: str, layers: int) -> None:
    assert_as_transformers(tiny_lm(family, layers=layers))


@pytest.mark.parametrize("family", ["mistral", "gpt2", "bloom", "mamba", "gpt_oss"])
def test_padding_and_company_change_nothing(tiny_lm: Make, family: str) -> None:
    lm = tiny_lm(family)
    shuffled = TEXTS[:]
    random.Random(1).shuffle(shuffled)
    encoded = encode(lm, shuffled)
    seen: dict[str, Observation] = {}
    for batch in batches(encoded, max_tokens=40, pad_id=7):
        out = observe(lm, batch)
        for row, place in enumerate(batch.indices):
            length = int(batch.attention_mask[row].sum())
            maps = None if out.attention is None else out.attention[:, row, :length, :length]
            seen[shuffled[place]] = Observation([h[row, :length] for h in out.hidden], maps)
    for text in TEXTS:
        alone = observe(lm, one_batch(lm, [text]))
        for ours, theirs in zip(seen[text].hidden, alone.hidden, strict=True):
            torch.testing.assert_close(ours, theirs[0], atol=1e-4, rtol=1e-4)
        if alone.attention is not None:
            torch.testing.assert_close(seen[text].attention, alone.attention[:, 0], atol=1e-5, rtol=0)


def test_only_one_map_by_head_is_alive_at_a_time(tiny_lm: Make) -> None:
    lm = tiny_lm("llama")
    layers, alive = [], []
    references: list[weakref.ref[torch.Tensor]] = []

    def count(layer: int, weights: torch.Tensor) -> None:
        layers.append(layer)
        references.append(weakref.ref(weights))
        alive.append(sum(reference() is not None for reference in references))

    observe(lm, one_batch(lm), on_heads=count)
    assert layers == [1, 2, 3]
    assert alive == [1, 1, 1]


def n_hooks(lm: LanguageModel) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in lm.model.modules())


def test_nothing_is_left_behind(tiny_lm: Make) -> None:
    lm = tiny_lm("llama")
    batch = one_batch(lm)
    before = lm.model.config._attn_implementation
    hooks = n_hooks(lm)

    def fail(layer: int, weights: torch.Tensor) -> None:
        if layer == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        observe(lm, batch, on_heads=fail)
    assert lm.model.config._attn_implementation == before
    assert n_hooks(lm) == hooks
    assert observe(lm, batch).attention is not None


def test_overflow_names_the_first_layer(tmp_path: Path) -> None:
    lm = load(tiny_model(tmp_path, "llama"), device="cpu")
    with torch.no_grad():
        lm.blocks[1].mlp.down_proj.weight.fill_(3e38)  # type: ignore[union-attr, operator]
    with pytest.raises(NumericsError, match="after block 2"):
        observe(lm, one_batch(lm))


def test_padding_cannot_raise_a_numerics_error(tiny_lm: Make) -> None:
    lm = tiny_lm("gpt2")
    short_and_long = one_batch(lm, [TEXTS[1], TEXTS[2]])
    assert all(bool(torch.isfinite(h).all()) for h in observe(lm, short_and_long).hidden)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_attention_sums_to_one_in_any_precision(tmp_path: Path, dtype: str) -> None:
    lm = load(tiny_model(tmp_path, "qwen2"), device="cpu", dtype=dtype)
    batch = one_batch(lm)
    seen = observe(lm, batch)
    assert seen.attention is not None
    assert seen.attention.dtype == torch.float32
    assert seen.hidden[1].dtype == lm.dtype == getattr(torch, dtype)
    sums = seen.attention.sum(-1)[:, batch.attention_mask.bool()]
    torch.testing.assert_close(sums, torch.ones_like(sums), atol=1e-6, rtol=0)
