from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import observe
from mspgt.lm.tokenize import batches, encode
from mspgt.lm.twin import random_twin

from .tiny import TEXTS


def weights(lm: LanguageModel) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in lm.model.parameters()])


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "mamba"])
def test_same_shape_other_weights(tiny_lm: Callable[..., LanguageModel], family: str) -> None:
    lm = tiny_lm(family)
    before = weights(lm).clone()
    twin = random_twin(lm, 1)
    assert torch.equal(weights(lm), before)
    assert weights(twin).shape == before.shape
    assert not torch.equal(weights(twin), before)
    assert torch.equal(weights(random_twin(lm, 1)), weights(twin))
    assert not torch.equal(weights(random_twin(lm, 2)), weights(twin))
    assert twin.weights_sha256 not in (lm.weights_sha256, random_twin(lm, 2).weights_sha256)
    assert twin.name != lm.name
    assert (twin.layers, twin.attention_route, twin.max_length) == (3, lm.attention_route, lm.max_length)
    assert not twin.model.training
    batch = next(batches(encode(twin, TEXTS), max_tokens=1000))
    assert len(observe(twin, batch).hidden) == 4


def test_drawn_as_the_config_says(tiny_lm: Callable[..., LanguageModel]) -> None:
    twin = random_twin(tiny_lm("llama", initializer_range=0.05, hidden_size=64), 0)
    projection = twin.model.get_submodule("model.layers.0.mlp.up_proj").weight.detach()
    assert abs(float(projection.std()) - 0.05) < 0.005


def test_the_global_random_state_is_left_alone(tiny_lm: Callable[..., LanguageModel]) -> None:
    lm = tiny_lm("llama")
    state = torch.get_rng_state()
    random_twin(lm, 5)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    one = weights(random_twin(lm, 5))
    torch.manual_seed(100)
    assert torch.equal(weights(random_twin(lm, 5)), one)
