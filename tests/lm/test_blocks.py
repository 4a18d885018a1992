from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mspgt.errors import ModelError
from mspgt.lm.blocks import block_input, block_output, find_blocks, layer_of, path_of


class Shell(nn.Module):
    """A bare structure with a config of `depth` layers."""

    def __init__(self, depth: int, **lists: nn.Module) -> None:
        super().__init__()
        text = SimpleNamespace(num_hidden_layers=depth)
        self.config = SimpleNamespace(get_text_config=lambda: text)
        for name, module in lists.items():
            self.add_module(name, module)


class Expert(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.experts = listing(3)


def listing(length: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Identity() for _ in range(length))


def test_found_by_length_whatever_the_name() -> None:
    model = Shell(3, odd_name=listing(3), other=listing(4))
    assert find_blocks(model) is model.odd_name
    assert path_of(model, find_blocks(model)) == "odd_name"


def test_lists_inside_the_blocks_do_not_compete() -> None:
    model = Shell(3, layers=nn.ModuleList(Expert() for _ in range(3)))
    assert find_blocks(model) is model.layers


def test_ambiguous_and_absent() -> None:
    twins = Shell(3, vision=listing(3), text=listing(3))
    with pytest.raises(ModelError, match=r"vision, text.*blocks='dotted.path'"):
        find_blocks(twins)
    assert find_blocks(twins, "text") is twins.text
    with pytest.raises(ModelError, match=r"none.*layers \(4\)"):
        find_blocks(Shell(3, layers=listing(4)))
    with pytest.raises(ModelError, match="no module lists at all"):
        find_blocks(Shell(3))


def test_path_to_the_wrong_list() -> None:
    model = Shell(3, layers=listing(3), heads=listing(2))
    with pytest.raises(ModelError, match=r"says 3 layers.*'heads' has 2"):
        find_blocks(model, "heads")
    with pytest.raises(ModelError, match="No module list at blocks='nowhere'"):
        find_blocks(model, "nowhere")


def test_streams_in_all_their_wrappings() -> None:
    stream = torch.zeros(1, 2, 3)
    assert block_input((stream,), {}) is stream
    assert block_input((), {"hidden_states": stream}) is stream
    assert block_output(stream) is stream
    assert block_output((stream, None)) is stream
    with pytest.raises(ModelError, match="receive the residual"):
        block_input((), {"x": stream})
    with pytest.raises(ModelError, match="return the residual"):
        block_output({"hidden": stream})


def test_parameters_in_words() -> None:
    assert layer_of("model.layers.0.mlp.weight", "model.layers") == "block 1"
    assert layer_of("model.layers_norm.0.weight", "model.layers") == "outside the blocks"
    assert layer_of("lm_head.weight", "model.layers") == "outside the blocks"
