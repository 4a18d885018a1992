"""Models in one .gguf file: the same weights as unpacked by hand, and files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mspgt.errors import ModelError
from mspgt.lm.load import load


def test_a_gguf_file_is_the_model_that_it_holds(smollm2_gguf: Path, smollm2: Path) -> None:
    lm, plain = load(smollm2_gguf, device="cpu"), load(smollm2, device="cpu", dtype="float32")
    assert lm.dtype == torch.float32
    assert any("Q4_1 quantised" in note for note in lm.notes)
    assert lm.has_attention
    expected = dict(plain.model.named_parameters())
    found = dict(lm.model.named_parameters())
    assert found.keys() == expected.keys()
    for name, weights in expected.items():  # the folder is rounded to bfloat16
        torch.testing.assert_close(found[name], weights, rtol=2**-8, atol=1e-6)
    text = "The cat's 12 naïve “hats” sat."
    assert lm.tokenizer.decode(lm.tokenizer(text)["input_ids"]) == text


def test_files_that_cannot_be_used(smollm2_gguf: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        load(tmp_path / "none.gguf")
    for size, message in ((50_000_000, "cut off"), (2_000, "cut off or damaged"), (0, "other bytes")):
        cut = tmp_path / f"{size}.gguf"
        with smollm2_gguf.open("rb") as stream:
            cut.write_bytes(stream.read(size))
        with pytest.raises(ModelError, match=message):
            load(cut)
