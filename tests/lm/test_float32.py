"""A half-precision model run in float32 for a while, held against one that was loaded in float32."""

from __future__ import annotations

import pytest
import torch

from mspgt.errors import ModelError, NumericsError
from mspgt.lm.blocks import residual_hooks
from mspgt.lm.float32 import in_float32
from mspgt.lm.load import load
from mspgt.lm.observe import deviation, observe
from mspgt.lm.tokenize import batches, encode

from .tiny import CONFIGS, TEXTS, tiny_model

# Gemma multiplies embeddings by a constant that was rounded to bfloat16 (8 bits) when the model was loaded.
CONSTANTS = {"gemma2": 2**-8, "gemma3_text": 2**-8}


@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_it_is_the_float32_model_bit_for_bit_and_then_the_old_one(family, tmp_path):
    folder = tiny_model(tmp_path / family, family, dtype=torch.bfloat16)
    lm = load(folder, device="cpu")
    exact = load(folder, device="cpu", dtype="float32")
    assert lm.dtype == torch.bfloat16
    (batch,) = batches(encode(lm, TEXTS), max_tokens=1000)
    before, kept = observe(lm, batch), {n: p.data_ptr() for n, p in lm.model.state_dict().items()}
    with in_float32(lm) as wide:
        inside = observe(wide, batch)
    expected, real = observe(exact, batch), batch.attention_mask.bool()
    for one, other in zip(inside.hidden, expected.hidden, strict=True):
        assert one.dtype == torch.float32
        assert deviation(other[real], one[real]) <= CONSTANTS.get(family, 0.0)
    after = observe(lm, batch)
    for one, other in zip(before.hidden, after.hidden, strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)
    if before.attention is not None:
        assert torch.equal(before.attention, after.attention)
        torch.testing.assert_close(
            inside.attention, expected.attention, rtol=0, atol=CONSTANTS.get(family, 0.0)
        )
    assert {n: p.data_ptr() for n, p in lm.model.state_dict().items()} == kept, "other tensors came back"


def test_weights_come_back_where_a_pass_fails(tiny_lm):
    lm = tiny_lm("llama", dtype=torch.bfloat16)
    (batch,) = batches(encode(lm, TEXTS[:1]), max_tokens=100)

    def fail(layer, stream):
        if layer == 2:
            raise NumericsError("in the middle")

    with (
        pytest.raises(NumericsError, match="in the middle"),
        in_float32(lm) as wide,
        residual_hooks(wide.blocks, fail, lambda *_: None),
    ):
        observe(wide, batch)
    assert {p.dtype for p in lm.model.parameters()} == {torch.bfloat16}
    assert observe(lm, batch).hidden[-1].dtype == torch.bfloat16


def test_packed_and_absent_weights_are_refused(tiny_lm):
    lm = tiny_lm("gpt2", dtype=torch.bfloat16, seed=5)
    norm = lm.blocks[0].ln_1
    kept, norm.weight = norm.weight, torch.nn.Parameter(torch.empty(32, device="meta"))
    try:
        with pytest.raises(ModelError, match="kept away"), in_float32(lm):
            pass
    finally:
        norm.weight = kept
