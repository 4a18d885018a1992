"""CKA of layers on one batch of examples, beside torch_cka and pytorch-cka."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bench.measuring import REAL
from bench.turns import Figures, Work, in_turn, ratios
from bench.watching import windows_of
from mspgt.errors import InputError
from mspgt.lm.load import load
from mspgt.lm.observe import observe
from mspgt.lm.wheel import weights_of
from mspgt.signals.cka import cka

EXAMPLES, LAYERS, WIDTH = 512, 7, 128
REPEATS = 3


class Stored(torch.nn.Module):
    """A model whose layers give back states that are there already: what is timed is CKA alone."""

    def __init__(self, states: torch.Tensor) -> None:
        super().__init__()
        self.states = states
        self.layers = torch.nn.ModuleList(torch.nn.Identity() for _ in states)

    def forward(self, index: torch.Tensor) -> torch.Tensor:
        for layer, values in zip(self.layers, self.states, strict=True):
            last = layer(values[index])
        return torch.as_tensor(last)


def similarity() -> Figures:
    """HSIC₁ CKA of every pair of layers, of random states."""
    rng = np.random.default_rng(0)
    return compared(torch.from_numpy(rng.normal(size=(LAYERS, EXAMPLES, WIDTH)).cumsum(0)).float())


def similarity_real() -> Figures:
    """Of the states of SmolLM2-135M: every second layer, on the tokens of real text."""
    try:
        lm = load(weights_of(REAL), dtype="float32")
    except InputError as error:
        return {"not_measured": str(error)}
    hidden = [
        torch.cat([h[0] for h in layer])
        for layer in zip(*(observe(lm, p, attention=False).hidden for p in windows_of(lm, 2)), strict=True)
    ]
    return compared(torch.stack(hidden[::2])[:, :EXAMPLES].clone())


def compared(states: torch.Tensor) -> Figures:
    """states: (layers, examples, width)."""
    layers, examples, width = states.shape
    told: Figures = {"examples": examples, "layers": layers, "width": width}
    own = cka(states)
    told["largest difference, pair by pair"] = float(np.abs(_pair_by_pair(states) - own).max())
    works: dict[str, Work] = {"mspgt": lambda: cka(states), "pair by pair": lambda: _pair_by_pair(states)}
    for name, peer in {"torch_cka": _torch_cka(states), "pytorch-cka": _pytorch_cka(states)}.items():
        told[f"largest difference, {name}"] = float(np.nanmax(np.abs(peer() - own)))
        works[name] = peer
    return told | ratios(in_turn(works, REPEATS), "mspgt")


def _pair_by_pair(states: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    layers = states.numpy()
    found = np.eye(len(layers))
    for i, j in zip(*np.triu_indices(len(layers), 1), strict=True):
        found[i, j] = found[j, i] = cka(layers[i], layers[j])
    return found


def _torch_cka(states: torch.Tensor) -> Work:
    from torch.utils.data import DataLoader, TensorDataset
    from torch_cka import CKA

    index = torch.arange(states.shape[1])
    loader = DataLoader(TensorDataset(index, index), batch_size=states.shape[1])
    names = [f"layers.{i}" for i in range(len(states))]

    def peer() -> Any:
        one = CKA(Stored(states), Stored(states), model1_layers=names, model2_layers=names, device="cpu")
        one.compare(loader)
        return one.export()["CKA"].numpy()

    return peer


def _pytorch_cka(states: torch.Tensor) -> Work:
    from cka import cka_from_features

    return lambda: cka_from_features(states, states).numpy()
