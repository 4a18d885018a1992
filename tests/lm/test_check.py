from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from mspgt.lm.check import check
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel

from .tiny import BY_EITHER, BY_HOOKS, BY_INTERFACE, tiny_model


def verdicts(lm: LanguageModel) -> dict[str, bool | None]:
    found = check(lm)
    assert all(item.reason for item in found)
    return {item.name: item.ok for item in found}


@pytest.mark.parametrize("name", ["llama-a", "qwen-a", "stories260K", "babyllama-105"])
def test_trained_models_pass_everything(real_models: dict[str, Path], name: str) -> None:
    found = verdicts(load(real_models[name], device="cpu"))
    assert found.pop("beginning of sequence") is (None if name == "qwen-a" else True)
    assert set(found.values()) == {True}


@pytest.mark.parametrize("family", [*BY_INTERFACE, *BY_HOOKS, *BY_EITHER, "mamba"])
def test_random_models_pass_all_but_prediction(tiny_lm: Callable[..., LanguageModel], family: str) -> None:
    found = verdicts(tiny_lm(family))
    assert {name for name, ok in found.items() if ok is False} == {"predicts text"}
    allowed = {"attention used", "context length"} | (
        {"attention measurable", "attention seen", "watching is neutral"}
        & {name for name in found if family == "mamba"}
    )
    assert {name for name, ok in found.items() if ok is None} <= allowed
    if family == "mamba":
        assert found["attention seen"] is None


def failing(lm: LanguageModel) -> set[str]:
    return {name for name, ok in verdicts(lm).items() if ok is False} - {"predicts text"}


def test_a_stream_written_in_place_is_caught(tmp_path: Path) -> None:
    lm = load(tiny_model(tmp_path, "llama"), device="cpu")

    def write(_: nn.Module, args: tuple[torch.Tensor]) -> None:
        args[0].add_(1.0)

    lm.blocks[1].register_forward_pre_hook(write)
    assert "raw residual" in failing(lm)


def test_a_block_that_does_not_feed_the_next_is_caught(tmp_path: Path) -> None:
    lm = load(tiny_model(tmp_path, "llama"), device="cpu")
    lm.blocks[2].register_forward_pre_hook(lambda _, args: (args[0] * 1.5,))
    assert "raw residual" in failing(lm)


def test_a_model_that_minds_its_neighbours_is_caught(tmp_path: Path) -> None:
    lm = load(tiny_model(tmp_path, "llama"), device="cpu")
    lm.blocks[0].register_forward_hook(lambda _, __, out: out + out.mean(dim=(0, 1), keepdim=True))
    assert "padding" in failing(lm)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_padding_that_reaches_the_text_is_caught_in_every_type(tmp_path: Path, dtype: str) -> None:
    lm = load(tiny_model(tmp_path, "llama"), device="cpu", dtype=dtype)
    sound = {item.name: item for item in check(lm)}["padding"]
    assert sound.ok
    assert "moves no bit" in sound.reason
    assert "tolerance 1e-04 in float32" in sound.reason
    # A thousandth of what the last, padded position holds: below the rounding of bfloat16 for most of the text.
    lm.blocks[0].register_forward_hook(lambda _, __, out: out + 1e-3 * out[:, -1:])
    assert "padding" in failing(lm)


def test_a_half_precision_model_that_cannot_be_widened_is_judged_in_its_own_type(tmp_path: Path) -> None:
    lm = load(tiny_model(tmp_path, "llama"), device="cpu", dtype="bfloat16")
    lm.model.register_parameter("packed", nn.Parameter(torch.zeros(2, dtype=torch.int8), requires_grad=False))
    sound = {item.name: item for item in check(lm)}["padding"]
    assert sound.ok
    assert "tolerance 1e-01 in bfloat16" in sound.reason
    assert "not compared in float32: the weights are packed" in sound.reason
    lm.blocks[0].register_forward_hook(lambda _, __, out: out + 10 * out[:, -1:])
    assert "padding" in failing(lm)


def test_overflow_and_nan_are_findings_not_crashes(tmp_path: Path) -> None:
    lm = load(tiny_model(tmp_path, "llama"), device="cpu")
    with torch.no_grad():
        lm.blocks[1].mlp.down_proj.weight[0, 0] = float("nan")  # type: ignore[union-attr, index]
    found = {item.name: item for item in check(lm)}
    assert found["weights"].ok is False
    assert "down_proj" in found["weights"].reason
    assert found["float range"].ok is False
    assert "after block 2" in found["float range"].reason


def test_activations_near_the_limit_of_the_type(tmp_path: Path) -> None:
    lm = load(tiny_model(tmp_path, "llama"), device="cpu", dtype="float16")
    with torch.no_grad():
        lm.model.get_input_embeddings().weight.mul_(
            20_000 / lm.model.get_input_embeddings().weight.abs().max()
        )
    assert "float range" in failing(lm)
